// The page of one illustration: candidates, zoom, comparison, focal point, reasons. deciding.js sends what is decided.
// deciding.js may put another illustration in the page: listen on document, and set up what is new at "desk:shown".
import { follow, keys } from "./desk.js";

const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const radios = () => all(".thumbs input");
const figures = () => all("#large > figure");
const picked = () => figures()[Math.max(radios().findIndex((radio) => radio.checked), 0)];

// Candidates

let last = null; // the figure that was picked before

function turn(step) {
  const open = radios().filter((_, at) => !figures()[at].matches(".against"));
  open[open.findIndex((radio) => radio.checked) + step]?.click();
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".thumbs input")) return;
  const now = picked();
  if (now.matches(".against")) {
    now.classList.remove("against");
    last?.classList.add("against");
  }
  last = now;
  place();
});

function compare() {
  if (figures().length < 2) return;
  const both = $("#large").classList.toggle("both");
  if (both) $("#compare").setAttribute("aria-current", "true");
  else $("#compare").removeAttribute("aria-current");
  if (both) {
    const at = figures().indexOf(picked());
    last = picked();
    last.classList.add("against");
    (radios()[at + 1] ?? radios()[at - 1]).click();
  } else figures().forEach((figure) => figure.classList.remove("against"));
  place();
}

let touched = null;
document.addEventListener("touchstart", (event) => {
  touched = event.touches.length === 1 && event.target.closest("#large") ? event.touches[0] : null;
}, { passive: true });
document.addEventListener("touchend", (event) => {
  if (!touched || $(".aiming")) return;
  const across = event.changedTouches[0].clientX - touched.clientX;
  const down = event.changedTouches[0].clientY - touched.clientY;
  if (Math.abs(across) > 40 && Math.abs(across) > 2 * Math.abs(down)) turn(across < 0 ? 1 : -1);
});

// Pixel by pixel

function zoom(at = [0.5, 0.5]) {
  const dialog = $("#zoomed");
  if (!dialog || !picked()) return;
  const image = dialog.querySelector("img");
  const sheet = dialog.querySelector(".sheet");
  const centre = () => {
    image.style.width = `${image.naturalWidth / devicePixelRatio}px`;
    sheet.scrollTo(image.offsetWidth * at[0] - sheet.clientWidth / 2, image.offsetHeight * at[1] - sheet.clientHeight / 2);
  };
  image.onload = centre;
  image.src = picked().querySelector("a").href;
  dialog.showModal();
  sheet.focus();
  if (image.complete) centre();
}

let held = null; // where the picture was taken hold of
document.addEventListener("pointerdown", (event) => {
  const sheet = event.target.closest("#zoomed .sheet");
  if (!sheet || event.pointerType === "touch") return;
  event.preventDefault();
  sheet.focus();
  held = { sheet, x: event.clientX + sheet.scrollLeft, y: event.clientY + sheet.scrollTop, far: false };
});
document.addEventListener("pointermove", (event) => {
  if (!held) return;
  const [left, top] = [held.x - event.clientX, held.y - event.clientY];
  held.far ||= Math.hypot(left - held.sheet.scrollLeft, top - held.sheet.scrollTop) > 3;
  held.sheet.scrollTo(left, top);
});
document.addEventListener("pointerup", () => {
  if (held && !held.far) $("#zoomed").close();
  held = null;
});

// The focal point: two fields, a dot in the picture that sets them, and cuts that follow

const fields = () => [$("#left"), $("#top")];
const percent = (field) => (field.value === "" ? 50 : Math.min(Math.max(Number(field.value), 0), 100));

function shownBox() {
  const image = picked().querySelector("img");
  const [outer, large] = [image.getBoundingClientRect(), $("#large").getBoundingClientRect()];
  const scale = Math.min(outer.width / image.width, outer.height / image.height, 1e9);
  const ratio = image.getAttribute("width") / image.getAttribute("height");
  const width = Math.min(outer.width, outer.height * ratio) || scale;
  const height = width / ratio;
  return { left: outer.left + (outer.width - width) / 2, top: outer.top + (outer.height - height) / 2, width, height, large };
}

function place() {
  const dot = $("#dot");
  if (!dot || dot.hidden) return;
  const box = shownBox();
  dot.style.left = `${box.left - box.large.left + (box.width * percent($("#left"))) / 100}px`;
  dot.style.top = `${box.top - box.large.top + (box.height * percent($("#top"))) / 100}px`;
}

let soon = 0;
function aim(left, top) {
  fields().forEach((field, at) => (field.value = Math.round(Math.min(Math.max([left, top][at], 0), 100) * 10) / 10));
  moved();
}
function moved() {
  place();
  clearTimeout(soon);
  soon = setTimeout(() => {
    const focal = fields().map((field) => percent(field) / 100).join(",");
    for (const cut of all("[data-cut]")) {
      const address = new URL(cut.src);
      address.searchParams.set("focal", focal);
      cut.src = address;
    }
  }, 120);
}

function focus() {
  const button = $("#focus");
  if (!button) return;
  const on = $("#large").classList.toggle("aiming");
  button.setAttribute("aria-pressed", on);
  $("#dot").hidden = !on;
  if (!on) return;
  $("#focal-box").open = true;
  place();
  $("#dot").focus({ preventScroll: true });
}

const inBox = (event, box = shownBox()) => [
  ((event.clientX - box.left) / box.width) * 100,
  ((event.clientY - box.top) / box.height) * 100,
];

document.addEventListener("input", (event) => {
  if (event.target.matches("#left, #top")) moved();
});
addEventListener("resize", place);

let dragged = false;
document.addEventListener("pointerdown", (event) => {
  dragged = event.target.closest("#dot") !== null;
});
document.addEventListener("pointermove", (event) => {
  if (dragged && event.buttons) aim(...inBox(event));
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function moveDot(event) {
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const far = event.shiftKey ? 5 : 1;
  aim(percent($("#left")) + step[0] * far, percent($("#top")) + step[1] * far);
}

// Reasons: a number decides at once, letters begin the words

function reject() {
  const box = $("#reject-box");
  if (!box) return;
  box.open = true;
  (box.querySelector("[name=chip]") ?? $("#reason")).focus();
}

function say(event) {
  if (event.key === "Escape") {
    $("#reject-box").open = false;
    $("#main").focus();
  }
  event.stopPropagation(); // no key decides anything else from here
  if (event.target.id === "reason" || event.ctrlKey || event.metaKey || event.altKey) return;
  const number = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  const chip = number && all("#reject [name=chip]")[number[1] - 1];
  if (chip && !event.repeat) {
    event.preventDefault();
    chip.checked = event.shiftKey ? !chip.checked : true;
    if (!event.shiftKey) $("#reject").requestSubmit();
  } else if (event.key.length === 1 && event.key !== " " && !number) $("#reason").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("#reject")) say(event);
  else if (event.target.id === "dot") moveDot(event);
  else if (event.target.closest("#zoomed") && event.key.toLowerCase() === "z") $("#zoomed").close();
}, true);

// In place

let inPlace = sessionStorage.getItem("in-place") === "yes"; // stays open from picture to picture
document.addEventListener("toggle", (event) => {
  if (event.target.id !== "places") return;
  inPlace = event.target.open;
  sessionStorage.setItem("in-place", inPlace ? "yes" : "no");
}, true);

function places() {
  const box = $("#places");
  if (!box) return;
  box.open = !box.open;
  if (box.open) box.scrollIntoView({ block: "nearest" });
}

document.addEventListener("error", (event) => {
  if (!event.target.dataset?.else) return;
  const words = document.createElement("p");
  words.className = "soft lede";
  words.textContent = event.target.dataset.else;
  event.target.replaceWith(words);
}, true);

function open(box, field) {
  if ($(box)) $(box).open = true;
  $(field)?.focus();
}

Object.assign(keys, {
  a: () => follow('[data-key="a"]'),
  g: () => follow('[data-key="g"]'),
  u: () => follow('[data-key="u"]'),
  r: reject,
  e: () => open("#prompt-box", "#prompt"),
  w: () => $("#alt")?.focus(),
  c: compare,
  f: focus,
  p: places,
  z: () => zoom(),
  "/": () => location.assign(`${$("#back").href}#q`),
  j: () => follow("#next"),
  k: () => follow("#prev"),
  ArrowRight: () => turn(1),
  ArrowLeft: () => turn(-1),
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("#large a[data-zoom], #compare, #zoom, #focus");
  if (!link) return;
  event.preventDefault();
  if (link.id === "compare") compare();
  else if (link.id === "focus") focus();
  else if (link.id === "zoom") zoom();
  else if ($(".aiming")) aim(...inBox(event));
  else {
    radios()[figures().indexOf(link.parentElement)]?.click();
    zoom(inBox(event).map((part) => part / 100));
  }
});

function ready() {
  last = picked() ?? null;
  for (const tool of all("#zoom, #focus, [data-keys]")) tool.hidden = false;
  if ($("#places")) $("#places").open = inPlace;
}
document.addEventListener("desk:shown", ready);
ready();

// While a picture is drawn the page is refreshed again and again: what was opened stays open, and whoever looks closely
// is left in peace
window.htmx?.config.morphIgnore.push("open");
document.addEventListener("htmx:before:swap", (event) => {
  if (event.target.id === "live" && $("dialog[open], .both")) event.preventDefault();
});
document.addEventListener("htmx:after:swap", ready);
