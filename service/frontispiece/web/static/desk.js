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

// A second click while the first is on its way is not sent.
const sent = new Set();
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "dialog") return;
  if (sent.size) {
    event.preventDefault();
    return;
  }
  sent.add(event.target);
  event.submitter?.setAttribute("aria-disabled", "true");
});
window.addEventListener("pageshow", () => {
  sent.clear();
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
