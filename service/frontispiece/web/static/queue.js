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
let around = []; // ids of the card one stands on and of those near it, for when somebody else decides it
let lent = ""; // the card that R ticked to ask why, and that is let go where nothing comes of it
let asked = 0; // decisions sent
let newest = 0; // of these the last one whose outcome is shown: the one that U takes back

const here = () => document.activeElement.closest(".card");

function go(card) {
  card?.querySelector(".tile").focus();
}

// Where to go from some of the cards: those below them, then those above, the nearest first.
const near = (all, some) => [...all.slice(all.indexOf(some.at(-1)) + 1), ...all.slice(0, all.indexOf(some[0])).reverse()];

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
  lent = "";
  count();
}

function letGo() {
  const card = document.getElementById(lent);
  lent = "";
  if (!card) return;
  choose(card, false);
  count();
}

function shut(sheet) {
  sheet.open = false;
  if (!$(".pop[open]")) letGo();
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
  const left = around.map((id) => document.getElementById(id));
  if (left.length && !left[0]) go(left.find(Boolean));
  around = [];
  const target = wanted && document.getElementById(wanted);
  if (target) go(target);
  wanted = "";
}

const refresh = () => document.body.dispatchEvent(new CustomEvent("frontispiece:changed"));

// A failure; what was done before can still be undone.
function say(words) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  outcome.querySelectorAll("[role=alert]").forEach((old) => old.remove());
  outcome.prepend(notice);
}

// What came of the decision `mine`, and what was done by it. U finds the newest first, even if answers overtake each other.
function tell(page, mine) {
  const done = (page.querySelector("[data-done]")?.dataset.done ?? "").split(" ").filter(Boolean);
  if (done.length) $("main > .notice")?.remove(); // tells of an older one
  if (mine > newest) outcome.replaceChildren();
  newest = Math.max(mine, newest);
  outcome.append(...page.childNodes);
  return done;
}

// Sends a form's fields; the answer is what became of it, or null where it did not arrive or was refused.
async function send(action, fields) {
  const mine = ++asked;
  try {
    const answer = await fetch(action, { method: "POST", body: fields, headers: { "HX-Request": "true" } });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) location.assign(elsewhere);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) return tell(page.body, mine);
    say(page.querySelector("main h1")?.textContent ?? form.dataset.lost);
  } catch {
    say(form.dataset.lost);
  }
  return null;
}

// Takes out of the form what was chosen and said about it; what it returns puts that back, where nothing new was begun.
function take() {
  const reason = $("#bulk-reason");
  const chips = [...form.querySelectorAll('[name="chip"]:checked')];
  const [typed, ids] = [reason.value, lent ? [] : [...chosen]];
  reason.value = "";
  chips.forEach((chip) => (chip.checked = false));
  none();
  return () => {
    if (!chosen.size) cards().forEach((card) => ids.includes(card.id) && choose(card, true));
    count();
    if (reason.value || $("#rejecting").open) return;
    reason.value = typed;
    chips.forEach((chip) => (chip.checked = true));
  };
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
  const putBack = take();
  if (act !== "assign") go(near(all, some).find((card) => !some.includes(card)));
  const done = await send(form.action, fields);
  for (const card of some) {
    card.classList.remove("going");
    if (!done?.includes(card.id.slice(1)) || act === "assign") continue;
    gone.set(card.id, tick(card).value);
    card.remove();
  }
  if (!done) putBack();
  refresh();
}

async function undo(event) {
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(event.target, event.submitter));
  const notice = event.target.closest(".notice");
  event.target.remove(); // it cannot be sent twice
  const done = await send(event.target.action, fields);
  if (!done) {
    notice.append(event.target);
    outcome.append(notice);
  }
  for (const number of done ?? []) gone.delete(`i${number}`);
  wanted = done?.length ? `i${done[0]}` : "";
  refresh();
}

function rejecting() {
  if (!form || (!chosen.size && !here())) return walk(0);
  if (!chosen.size) {
    lent = here().id;
    choose(here(), true);
  }
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
  u: () => $(".going") || (outcome.querySelector('[data-key="u"]') ?? $('[data-key="u"]'))?.click(),
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
  lent = "";
  cards().forEach((card) => choose(card, true));
  count();
});
outcome?.addEventListener("submit", undo);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = $(".pop[open], .rest[open], .keep[open]");
  if (open) {
    const [only] = open.id === "rejecting" && chosen.size === 1 ? chosen : [];
    shut(open);
    open.querySelector("summary").focus();
    go(document.getElementById(only));
  } else if (chosen.size && !event.target.closest("dialog, input:not([type=checkbox])")) none();
});
// Before anything else hears of the click, so that a box ticked by it stays ticked. In the bar it may still decide.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".pop[open], .rest[open], .keep[open]"))
    if (form?.contains(event.target)) open.open &&= open.contains(event.target);
    else if (!open.contains(event.target)) shut(open);
}, true);
form?.addEventListener("toggle", () => $(".pop[open]") || letGo(), true);

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement.id !== "live") return;
  const shown = cards().length;
  if (shown <= MOST) return request.body.set("rows", shown);
  event.preventDefault();
  htmx.ajax("GET", request.action, { target: "#counts", select: "#counts", swap: "outerMorph" });
});
document.addEventListener("htmx:before:swap", () => {
  const card = here() ?? document.getElementById(lent);
  around = card ? [card, ...near(cards(), [card])].map((one) => one.id) : [];
});
document.addEventListener("htmx:after:swap", settle);
window.addEventListener("pageshow", settle);
