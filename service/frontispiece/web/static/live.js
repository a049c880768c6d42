// Server-sent events become DOM events that the fragments of a page wait for; without them each fragment polls.
const live = document.body.dataset.live;

function tell(numbers) {
  const about = (name) => document.body.dispatchEvent(new CustomEvent(name, { detail: numbers }));
  about("frontispiece:changed");
  const shown = document.body.querySelector("[data-illustration]")?.dataset.illustration;
  if (shown && (numbers.length === 0 || numbers.includes(Number(shown)))) about(`frontispiece:changed-${shown}`);
}

let stream = null;

function listen() {
  if (!live || stream || document.hidden) return;
  stream = new EventSource(live);
  stream.addEventListener("changed", (event) => tell(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    if (stream?.readyState === EventSource.CLOSED) stop(); // refused: the polling goes on
  });
}

function stop() {
  stream?.close();
  stream = null;
}

// What a fragment could not do is said: beside the fields of those who review together, else above the page

const ours = (ctx) => (ctx?.request?.form?.matches("#together form") ? ctx.request.form : null);

async function renew(form) { // a new login, in another tab, has another token; false where there is none
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const token = page.querySelector("#together [name=token]")?.value;
  if (!token || token === form.elements.token.value) return false;
  for (const field of document.querySelectorAll("[name=token]")) field.value = token;
  document.querySelector("#together").dataset.token = token;
  form.requestSubmit();
  return true;
}

async function fault({ detail: { ctx } }) {
  const form = ours(ctx);
  const over = ctx?.response?.status === 401 && ctx.text; // the login; the answer is the words for it
  if (!form && (!over || document.querySelector("#logged-out"))) return;
  if (form && ctx.response?.status === 400 && (await renew(form).catch(() => false))) return;
  const page = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  const box = document.createElement("p");
  box.className = "notice bad";
  box.setAttribute("role", "alert");
  box.textContent = over || (page.querySelector(".door h1")?.textContent ?? form.parentElement.dataset.lost);
  if (!form) document.querySelector("#main").before(Object.assign(box, { id: "logged-out" }));
  else form.parentElement.querySelector(".fault").replaceChildren(box);
  if (form?.matches(".assign")) form.reset();
}
document.addEventListener("htmx:response:error", fault);
document.addEventListener("htmx:error", fault);

// What has arrived is no longer in its field, unless it was refused or something else was typed since
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.response.status >= 400) return;
  document.querySelector("#logged-out")?.remove();
  const form = ours(ctx);
  if (!form) return;
  form.parentElement.querySelector(".fault").replaceChildren();
  const field = form.querySelector("textarea, select");
  const isRefused = form.matches(".say") && form.parentElement.querySelector(":scope > .notice");
  if (!isRefused && field.value === ctx.request.body.get(field.name).replaceAll("\r", "")) form.reset();
});

// A browser keeps six connections to a host; pages in the background leave theirs to the one in front.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return stop();
  listen();
  tell([]);
});
addEventListener("pagehide", () => {
  stop();
  const here = document.querySelector("#together");
  if (here) navigator.sendBeacon(here.dataset.gone, new URLSearchParams({ token: here.dataset.token }));
});
addEventListener("pageshow", listen);
listen();
