// The queue by keyboard: everything here is a box, a button or a link of the page, which works without it as well.
import { keys } from "./desk.js";

const $ = (selector) => document.querySelector(selector);
const cards = () => [...document.querySelectorAll(".card")];
const tick = (card) => card.querySelector(".pick input");
const MOST = 240; // tiles that one refresh looks at, as the server has it; with more than these only the counts go on

const form = $("#bulk");
const outcome = $("#outcome");
const chosen = new Set(); // ids of cards, which a refresh must not forget
const gone = new Map(); // ids and picks of cards that were decided here, which an older answer must not bring back
let last = null; // the card that was ticked before this one, where a range begins
let wanted = ""; // the card to go to after the next refresh

const here = () => document.activeElement.closest(".card");

function go(card) {
  card?.querySelector(".tile").focus();
}

function walk(step) {
  const all = cards();
  const at = all.indexOf(here());
  go(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

function count() {
  if (!form) return;
  form.classList.toggle("on", chosen.size > 0);
  $("#none").hidden = chosen.size === 0;
  $("#chosen").textContent = chosen.size === 1 ? form.dataset.chosenOne : form.dataset.chosen.replace("{n}", chosen.size);
  if (chosen.size === 0) form.querySelectorAll("details[open]").forEach((details) => (details.open = false));
}

function choose(card, on) {
  tick(card).checked = on;
  chosen[on ? "add" : "delete"](card.id);
}

function none() {
  cards().forEach((card) => tick(card) && choose(card, false));
  chosen.clear();
  count();
}

// After the page was loaded, swapped or gone back to: the boxes as they were chosen, without what was decided here.
function settle() {
  for (const card of cards()) {
    if (!tick(card)) continue;
    if (gone.get(card.id) === tick(card).value) card.remove();
    else choose(card, chosen.has(card.id) || tick(card).hasAttribute("checked"));
  }
  for (const id of chosen) if (!document.getElementById(id)) chosen.delete(id);
  count();
  const target = wanted && document.getElementById(wanted);
  if (target) go(target);
  wanted = "";
}

const refresh = () => document.body.dispatchEvent(new CustomEvent("frontispiece:changed"));

function say(words) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  outcome.replaceChildren(notice);
}

// Sends a form's fields; the answer is what became of it, or null where it did not arrive or was refused.
async function send(action, fields) {
  try {
    const answer = await fetch(action, { method: "POST", body: fields, headers: { "HX-Request": "true" } });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) location.assign(elsewhere);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) {
      outcome.replaceChildren(...page.body.childNodes);
      return (outcome.querySelector("[data-done]")?.dataset.done ?? "").split(" ").filter(Boolean);
    }
    say(page.querySelector("main h1")?.textContent ?? form.dataset.lost);
  } catch {
    say(form.dataset.lost);
  }
  return null;
}

async function decide(act) {
  const all = cards();
  const some = chosen.size ? all.filter((card) => chosen.has(card.id)) : [here()].filter(Boolean);
  if (!form || !some.length) return walk(0);
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("pick");
  fields.set("act", act);
  some.forEach((card) => fields.append("pick", tick(card).value));
  some.forEach((card) => card.classList.add("going"));
  const reason = $("#bulk-reason");
  const typed = reason.value;
  reason.value = "";
  form.querySelectorAll('[name="chip"]').forEach((chip) => (chip.checked = false));
  none();
  const rest = all.slice(all.indexOf(some.at(-1)) + 1).concat(all.slice(0, all.indexOf(some[0])).reverse());
  if (act !== "assign") go(rest.find((card) => !some.includes(card)));
  const done = await send(form.action, fields);
  for (const card of some) {
    card.classList.remove("going");
    if (!done?.includes(card.id.slice(1)) || act === "assign") continue;
    gone.set(card.id, tick(card).value);
    card.remove();
  }
  if (!done) reason.value ||= typed;
  refresh();
}

async function undo(event) {
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(event.target, event.submitter));
  event.target.remove(); // it cannot be sent twice
  const done = await send(event.target.action, fields);
  for (const number of done ?? []) gone.delete(`i${number}`);
  wanted = done?.length ? `i${done[0]}` : "";
  refresh();
}

function rejecting() {
  if (!form || (!chosen.size && !here())) return walk(0);
  if (!chosen.size) choose(here(), true);
  count();
  $("#rejecting").open = true;
  $("#bulk-reason").focus();
}

Object.assign(keys, {
  j: () => walk(1),
  k: () => walk(-1),
  x: () => here() && tick(here())?.click(),
  a: () => decide("approve"),
  g: () => decide("regenerate"),
  r: rejecting,
  u: () => $('[data-key="u"]')?.click(),
  "/": () => $("#q").focus(),
});

document.addEventListener("click", (event) => {
  const box = event.target.closest(".pick input");
  if (!box) return;
  const [all, card] = [cards(), box.closest(".card")];
  const [from, to] = [all.indexOf(last), all.indexOf(card)].sort((one, other) => one - other);
  const range = event.shiftKey && last?.isConnected ? all.slice(from, to + 1) : [card];
  range.forEach((one) => choose(one, box.checked));
  last = card;
  count();
});

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  // Enter in the field of reasons means the button beside it; anywhere else it means nothing.
  const act = event.submitter?.value || (document.activeElement.closest("#rejecting") ? "reject" : "");
  if (act) decide(act);
});
form?.addEventListener("reset", () => setTimeout(none));
$("#all")?.addEventListener("click", (event) => {
  event.preventDefault();
  cards().forEach((card) => choose(card, true));
  count();
});
outcome?.addEventListener("submit", undo);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = $(".pop[open], .rest[open], .keep[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
    if (open.id === "rejecting" && chosen.size === 1) go(document.getElementById([...chosen][0]));
  } else if (chosen.size && !event.target.closest("dialog, input:not([type=checkbox])")) none();
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".pop[open], .rest[open], .keep[open]"))
    if (!open.contains(event.target)) open.open = false;
});

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement.id !== "live") return;
  const shown = cards().length;
  if (shown <= MOST) return request.body.set("rows", shown);
  event.preventDefault();
  htmx.ajax("GET", request.action, { target: "#counts", select: "#counts", swap: "outerMorph" });
});
document.addEventListener("htmx:after:swap", settle);
window.addEventListener("pageshow", settle);
