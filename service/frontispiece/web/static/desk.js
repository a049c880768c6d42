// Keys for the desk. Everything they do is a link or a button on the page, so nothing here is needed to work.
const $ = (selector) => document.querySelector(selector);

export const follow = (selector) => $(selector)?.click();

// What a key does; the script of a page adds its own: import { keys } from "./desk.js".
export const keys = {
  q: () => follow("#back"),
  "?": () => $("#keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  const field = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog");
  if (event.key === "Escape" && field && !field.matches("dialog")) {
    field.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || field) return;
  if (event.key.length === 1 && $("#single")?.checked === false) return;
  if (event.key.startsWith("Arrow") && event.target.closest(".scroll")) return; // they scroll
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// A second click while the first act is on its way is not sent. Nobody tells when a request is stopped, so the wait ends.
const WAIT = 10_000; // milliseconds
let sent = 0;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent) return event.preventDefault();
  const button = event.submitter;
  button?.setAttribute("aria-disabled", "true");
  sent = setTimeout(() => {
    sent = 0;
    button?.removeAttribute("aria-disabled");
  }, WAIT);
});
addEventListener("pageshow", () => {
  clearTimeout(sent);
  sent = 0;
  document.querySelectorAll('[aria-disabled="true"]').forEach((button) => button.removeAttribute("aria-disabled"));
});

const help = $("#help");
if (help) {
  help.hidden = false;
  help.addEventListener("click", keys["?"]);
}

// Who speaks to the computer, or hits keys by accident, switches off those that do something by themselves.
const single = $("#single");
const recall = () => single && (single.checked = localStorage.getItem("single-keys") !== "off");
single?.addEventListener("change", () => localStorage.setItem("single-keys", single.checked ? "on" : "off"));
addEventListener("pageshow", recall);
recall();

// The notice tells what the last page did; loading this one again must not tell it again.
const address = new URL(location.href);
if (address.searchParams.has("did")) {
  address.searchParams.delete("did");
  address.searchParams.delete("of");
  history.replaceState(null, "", address);
}
