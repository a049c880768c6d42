// Changing a picture: the brush that paints a mask, the frame of the margins, files that are dropped. Without this the
// same forms take a mask or a picture as a file.
const $ = (selector, inside = document) => inside.querySelector(selector);

// On the illustration's page the tools begin with the picture that is shown

document.addEventListener("change", (event) => {
  if (!event.target.matches(".thumbs input")) return;
  const start = $("[data-start]");
  if (start) start.value = event.target.value;
  for (const link of document.querySelectorAll("a[data-tool]")) {
    const address = new URL(link.href);
    address.searchParams.set("start", event.target.value);
    link.href = address;
  }
});

// What a reason changes is brought into view, and so is what the model that is chosen costs

document.addEventListener("change", (event) => {
  const says = event.target.matches("[data-tool-form] select") && event.target.selectedOptions[0].dataset.says;
  if (says) $("[data-price]").textContent = says;
  if (!event.target.matches("[name=wrong]")) return;
  new MutationObserver((_, watch) => {
    watch.disconnect();
    $("#preview")?.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }).observe($("#preview"), { childList: true });
});

// A tool's form is sent from here, so that what was painted is still there where it is refused

const form = $("[data-tool-form]");
const say = (words) => {
  const box = document.createElement("p");
  box.className = "notice bad";
  box.setAttribute("role", "alert");
  box.textContent = words;
  $("#problem").replaceChildren(...(words ? [box] : []));
  if (words) box.scrollIntoView({ block: "nearest" });
};

const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

let arrived = false;
addEventListener("beforeunload", (event) => {
  if (board?.paint?.strokes.length && !arrived) event.preventDefault(); // what was typed the browser keeps, not what was painted
});

let loggedOut = false;
async function newToken(old) { // a new login has another one
  const answer = await fetch(location.href);
  return $("[data-tool-form] [name=token]", parsed(await answer.text()))?.value ?? old;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = $(".draw", form);
  if (button.getAttribute("aria-disabled")) return;
  const body = new FormData(form);
  if (board?.paint && !board.paint.into(body)) return say(form.dataset.empty);
  const label = button.textContent;
  button.setAttribute("aria-disabled", "true");
  button.textContent = form.dataset.wait;
  say("");
  try {
    if (loggedOut) body.set("token", await newToken(body.get("token")));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (answer.ok && answer.redirected) {
      arrived = true;
      return location.assign(answer.url);
    }
    const words = await answer.text();
    loggedOut = answer.status === 401; // then the words are for people, and no page
    say(loggedOut ? words : $("#problem, .door h1", parsed(words))?.textContent.trim() || form.dataset.lost);
  } catch {
    say(form.dataset.lost);
  }
  button.removeAttribute("aria-disabled");
  button.textContent = label;
});

// The brush

const MOST = 1280; // pixels of the mask's longer side; the service scales it

class Paint {
  constructor(board) {
    this.image = $("img", board);
    const [across, down] = [this.image.width, this.image.height].map((_, at) => Number(this.image.getAttribute(["width", "height"][at])));
    const scale = Math.min(1, MOST / Math.max(across, down));
    this.canvas = Object.assign(document.createElement("canvas"), { width: Math.round(across * scale), height: Math.round(down * scale), tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", $("label[for=brush]").firstChild.textContent.trim());
    this.canvas.setAttribute("aria-describedby", "brush-help");
    this.cursor = Object.assign(document.createElement("span"), { className: "cursor", hidden: true });
    board.append(this.canvas, this.cursor);
    this.strokes = [];
    this.at = [this.canvas.width / 2, this.canvas.height / 2];
    this.fit();
    new ResizeObserver(() => this.fit()).observe(this.image);
    this.listen();
  }

  fit() {
    const [outer, inner] = [this.canvas.parentElement.getBoundingClientRect(), this.image.getBoundingClientRect()];
    Object.assign(this.canvas.style, { left: `${inner.left - outer.left}px`, top: `${inner.top - outer.top}px`, width: `${inner.width}px`, height: `${inner.height}px` });
    this.show();
  }

  get radius() {
    return ($("#brush").valueAsNumber / 200) * Math.min(this.canvas.width, this.canvas.height);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.canvas.width, ((event.clientY - box.top) / box.height) * this.canvas.height];
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.begin(this.point(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      for (const one of event.getCoalescedEvents?.() ?? [event]) this.move(this.point(one));
      this.move(this.point(event));
    });
    canvas.addEventListener("pointerup", () => (this.stroke = null));
    canvas.addEventListener("pointercancel", () => (this.stroke = null));
    canvas.addEventListener("pointerleave", () => (this.cursor.hidden = document.activeElement !== canvas));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("keyup", (event) => event.key === "Shift" && (this.stroke = null));
    canvas.addEventListener("blur", () => ([this.stroke, this.cursor.hidden] = [null, true]));
    canvas.addEventListener("focus", () => this.show());
    $("#brush").addEventListener("input", () => this.show());
    $("[data-undo]").addEventListener("click", () => this.undo());
    $("[data-clear]").addEventListener("click", () => ((this.strokes = []), this.draw()));
    document.addEventListener("keydown", (event) => {
      if (event.target.matches("textarea, input:not([type=range])")) return;
      if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.undo();
      else if (event.key === "[") $("#brush").stepDown();
      else if (event.key === "]") $("#brush").stepUp();
      else return;
      event.preventDefault();
      this.show();
    });
  }

  key(event) {
    const step = Math.max(2, this.radius / 2);
    const [x, y] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    if (event.key !== " " && !x && !y) return;
    if (event.key === " " || (event.shiftKey && !this.stroke)) this.begin(this.at); // not yet at Shift: with Tab it leads away
    if (event.key === " ") this.stroke = null;
    else this.move([this.at[0] + x, this.at[1] + y]);
    event.preventDefault();
  }

  begin(at) {
    this.stroke = { radius: this.radius, points: [at] };
    this.strokes.push(this.stroke);
    this.move(at);
    this.draw();
  }

  move([x, y]) {
    this.at = [Math.min(Math.max(x, 0), this.canvas.width), Math.min(Math.max(y, 0), this.canvas.height)];
    if (this.stroke) {
      this.stroke.points.push(this.at);
      this.line(this.canvas.getContext("2d"), { ...this.stroke, points: this.stroke.points.slice(-2) });
    }
    this.show();
  }

  show() {
    const scale = this.canvas.clientWidth / this.canvas.width;
    const size = this.radius * 2 * scale;
    Object.assign(this.cursor.style, {
      left: `${this.canvas.offsetLeft + this.at[0] * scale - size / 2}px`, top: `${this.canvas.offsetTop + this.at[1] * scale - size / 2}px`,
      width: `${size}px`, height: `${size}px`,
    });
    this.cursor.hidden = !this.canvas.matches(":hover, :focus");
  }

  line(pen, stroke, colour = "rgb(255 64 96)") {
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = stroke.radius * 2;
    pen.strokeStyle = colour;
    pen.beginPath();
    stroke.points.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const stroke of this.strokes) this.line(pen, stroke);
    if (!this.strokes.length && document.activeElement.matches("[data-undo], [data-clear]")) this.canvas.focus({ preventScroll: true });
    for (const button of document.querySelectorAll("[data-undo], [data-clear]")) button.disabled = !this.strokes.length;
  }

  undo() {
    this.strokes.pop();
    this.draw();
  }

  // The mask, white on black, into what is sent; false where nothing is painted and no file was chosen.
  into(body) {
    if (!this.strokes.length) return body.get("mask")?.size > 0;
    const { width, height } = this.canvas;
    const made = Object.assign(document.createElement("canvas"), { width, height });
    const pen = made.getContext("2d");
    pen.fillRect(0, 0, width, height);
    for (const stroke of this.strokes) this.line(pen, stroke, "#fff");
    const bytes = Uint8Array.from(atob(made.toDataURL("image/png").split(",")[1]), (sign) => sign.charCodeAt(0));
    body.set("mask", new File([bytes], "mask.png", { type: "image/png" }));
    return true;
  }
}

// The frame: how the picture stands in what is painted around it

function frame(board) {
  const image = $("img", board);
  const [width, height] = ["width", "height"].map((side) => Number(image.getAttribute(side)));
  const sheet = Object.assign(document.createElement("div"), { className: "sheet" });
  image.replaceWith(sheet);
  sheet.append(image);
  const show = () => {
    const percent = $("#unit").value === "percent";
    const [top, right, bottom, left] = ["top", "right", "bottom", "left"].map((side) => {
      const given = Math.max(0, $(`#${side}`).valueAsNumber || 0);
      return percent ? Math.round(((side === "top" || side === "bottom" ? height : width) * given) / 100) : given;
    });
    const whole = [width + left + right, height + top + bottom];
    const most = [board.clientWidth - 32, innerHeight - 250];
    const scale = Math.min(most[0] / whole[0], most[1] / whole[1]);
    Object.assign(sheet.style, { width: `${whole[0] * scale}px`, padding: [top, right, bottom, left].map((side) => `${side * scale}px`).join(" ") });
    const words = $("[data-whole]");
    words.textContent = words.dataset.whole.replace("{width}", whole[0]).replace("{height}", whole[1]);
  };
  for (const field of document.querySelectorAll("[data-side], #unit")) field.addEventListener("input", show);
  addEventListener("resize", show);
  show();
}

// A file that is chosen or dropped

function lay(picture) {
  const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
  canvas.className = "instead";
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-hidden", "true");
  $(".board").replaceChildren(canvas);
}

function drop(box) {
  const field = $("input", box);
  const most = Number(form.dataset.most);
  field.addEventListener("change", () => {
    const file = field.files[0];
    field.setCustomValidity(file && file.size > most ? form.dataset.large : "");
    if (!field.reportValidity() || !file) return;
    createImageBitmap(file).then(lay, () => {}); // the page's policy lets in no picture but by drawing it
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(kind, (event) => {
      event.preventDefault();
      box.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change"));
    });
  }
}

const board = $("[data-board]");
if (board?.dataset.board === "repaint" && $("[data-brushes]")) {
  board.paint = new Paint(board);
  $("[data-brushes]").hidden = false;
  $("[data-mask-file]").hidden = true;
}
if (board?.dataset.board === "extend" && $("[data-side]")) frame(board);
if ($("[data-drop]")) drop($("[data-drop]"));
