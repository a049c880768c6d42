// The queue by keyboard: everything here is a box, a button or a link of the page, which works without it as well.
import { keys } from "./desk.js";

const $ = (selector) => document.querySelector(selector);
const cards = () => [...document.querySelectorAll(".card")];
const tick = (card) => card.querySelector(".pick input");
const MOST = 240; // tiles that one refresh looks at, as the server has it; with more than these only the counts go on

const form = $("#bulk");
const outcome = $("#outcome");
const chosen = new Map(); // ids and picks of cards, which a refresh must not forget
const gone = new Map(); // ids and picks of cards that were decided here, which an older answer must not bring back
let last = null; // the card that was ticked before this one, where a range begins
let wanted = ""; // the card to go to after the next refresh, or "tiles" for the first
let around = []; // ids of the card one stands on and of those near it, for when somebody else decides it
let landed = -Infinity; // when the focus was last moved because somebody else decided
let lent = ""; // the card that R ticked to ask why, and that is let go where nothing comes of it
let asked = 0; // decisions sent
let newest = 0; // of these the last one whose outcome is shown: the one that U takes back

const byId = (id) => document.getElementById(id);
const here = () => document.activeElement.closest(".card");
const writing = () => $(".pop[open]"); // about those that are chosen
// Whether the focus may be moved: not from what somebody types in or is about to press.
const free = () => !writing() && (document.activeElement === document.body || document.activeElement.closest(".card, #outcome"));

function go(card) {
  card?.querySelector(".tile").focus();
}

// Where to go from some of the cards: those below them, then those above, the nearest first.
const near = (all, some) => [...all.slice(all.indexOf(some.at(-1)) + 1), ...all.slice(0, all.indexOf(some[0])).reverse()];

// Where the focus goes when what had it is no longer there.
function home() {
  const card = [...around.map(byId), last?.isConnected && last, cards()[0]].find(Boolean);
  around = [];
  (card?.querySelector(".tile") ?? outcome.querySelector('[data-key="u"]') ?? $("#q")).focus();
}

function walk(step) {
  const all = cards();
  const at = all.indexOf(here());
  go(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

function count() {
  if (!form) return;
  const isFocused = form.contains(document.activeElement);
  form.classList.toggle("on", chosen.size > 0);
  $("#none").hidden = chosen.size === 0;
  $("#chosen").textContent = chosen.size === 1 ? form.dataset.chosenOne : form.dataset.chosen.replace("{n}", chosen.size);
  if (chosen.size) return;
  form.querySelectorAll("details[open]").forEach((details) => (details.open = false));
  if (isFocused) home();
}

function choose(card, on) {
  tick(card).checked = on;
  if (on) chosen.set(card.id, tick(card).value);
  else chosen.delete(card.id);
}

// Those that are no longer shown.
function forget() {
  for (const id of chosen.keys()) if (!byId(id)) chosen.delete(id);
}

function none() {
  cards().forEach((card) => tick(card) && choose(card, false));
  chosen.clear();
  lent = "";
  count();
}

function letGo() {
  const card = byId(lent);
  lent = "";
  if (card) {
    choose(card, false);
    around = [card.id];
  }
  forget();
  count();
}

function shut(sheet) {
  sheet.open = false;
  if (!writing()) letGo();
}

// After the page was loaded, swapped or gone back to: the boxes as they were chosen, without what was decided here.
function settle() {
  for (const card of cards()) {
    if (!tick(card)) continue;
    if (gone.get(card.id) === tick(card).value) card.remove();
    else choose(card, chosen.has(card.id) || tick(card).hasAttribute("checked"));
  }
  const stood = document.activeElement;
  if (!writing()) forget(); // else the answer tells what became of them
  count();
  const [left, target] = [around.map(byId), wanted && byId(wanted)?.querySelector(".tile")];
  if (free()) {
    around = [];
    if (target) target.focus();
    else if (wanted === "tiles") home();
    else if (left.length && !left[0]) go(left.find(Boolean));
  }
  if (!wanted && document.activeElement !== stood) landed = performance.now();
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

const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");
const post = (action, body) => fetch(action, { method: "POST", body, headers: { "HX-Request": "true" } });

// Who logged in again in another window has another token: whether `fields` and the forms of this page got it now.
async function renewed(fields) {
  const token = (await parsed(await fetch(location.href))).querySelector("#bulk [name=token]")?.value;
  if (!token || token === fields.get("token")) return false;
  document.querySelectorAll("[name=token]").forEach((field) => (field.value = token));
  fields.set("token", token);
  return true;
}

// Sends a form's fields; the answer is what became of it, or null where it did not arrive or was refused.
async function send(action, fields) {
  const mine = ++asked;
  try {
    let answer = await post(action, fields);
    if (answer.status === 400 && (await renewed(fields))) answer = await post(action, fields);
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) location.assign(elsewhere);
    const page = await parsed(answer);
    if (answer.ok) return tell(page.body, mine);
    const words = answer.status === 401 ? page.body : page.querySelector("main h1"); // the login is over: no page, but words
    say(words?.textContent ?? form.dataset.lost);
  } catch {
    say(form.dataset.lost);
  }
  return null;
}

// Takes out of the form what was chosen and said about it; what it returns puts that back, where nothing new was begun.
function take() {
  const reason = $("#bulk-reason");
  const chips = [...form.querySelectorAll('[name="chip"]:checked')];
  const [typed, ids] = [reason.value, lent ? [] : [...chosen.keys()]];
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
  if (!form) return walk(0);
  const all = cards();
  const some = chosen.size ? all.filter((card) => chosen.has(card.id)) : [here()].filter(Boolean);
  const picks = some.map((card) => tick(card).value);
  for (const [id, pick] of chosen) if (!byId(id)) picks.push(pick);
  if (!picks.length) return walk(0);
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("pick");
  fields.set("act", act);
  picks.forEach((pick) => fields.append("pick", pick));
  some.forEach((card) => card.classList.add("going"));
  if (act !== "assign" && some.length) go(near(all, some).find((card) => !some.includes(card)));
  const putBack = take();
  const done = await send(form.action, fields);
  for (const card of some) {
    card.classList.remove("going");
    if (!done?.includes(card.id.slice(1)) || act === "assign") continue;
    gone.set(card.id, tick(card).value);
    if (card === here()) wanted = "tiles";
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

// When somebody else's decision has just moved the focus, a key still means the picture that was there.
const calm = () => performance.now() - landed > 700; // milliseconds

Object.assign(keys, {
  j: () => walk(1),
  k: () => walk(-1),
  x: () => here() && tick(here())?.click(),
  a: () => calm() && decide("approve"),
  g: () => calm() && decide("regenerate"),
  r: () => calm() && rejecting(),
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
// Beside the reasons letters begin the words; no key decides anything from there.
form?.addEventListener("keydown", (event) => {
  const open = event.target.closest(".pop[open]");
  if (!open || event.key === "Escape") return;
  event.stopPropagation();
  if (event.target.id === "bulk-reason" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (open.id === "rejecting" && event.key.length === 1 && event.key !== " ") $("#bulk-reason").focus();
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
    const [only] = open.id === "rejecting" && chosen.size === 1 ? chosen.keys() : [];
    shut(open);
    open.querySelector("summary").focus();
    if (byId(only)) go(byId(only));
    else if (only) home();
  } else if (chosen.size && !event.target.closest("dialog, input:not([type=checkbox])")) none();
});
// Before anything else hears of the click, so that a box ticked by it stays ticked. In the bar it may still decide.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".pop[open], .rest[open], .keep[open]"))
    if (form?.contains(event.target)) open.open &&= open.contains(event.target);
    else if (!open.contains(event.target)) shut(open);
}, true);
form?.addEventListener("toggle", () => writing() || letGo(), true);

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement.id !== "live") return;
  const shown = cards().length;
  if (shown <= MOST) return request.body.set("rows", shown);
  event.preventDefault();
  htmx.ajax("GET", request.action, { target: "#counts", select: "#counts", swap: "outerMorph" });
});
document.addEventListener("htmx:before:swap", () => {
  const card = here() ?? (writing() && cards().find((one) => chosen.has(one.id)));
  if (card) around = [card, ...near(cards(), [card])].map((one) => one.id);
  else if (!writing()) around = [];
});
document.addEventListener("htmx:after:swap", settle);
window.addEventListener("pageshow", settle);

// What lies over the tiles, above and below, must hide none that one goes to.
const bars = new ResizeObserver((seen) => {
  for (const { target } of seen) document.documentElement.style.setProperty(`--${target.id}`, `${target.offsetHeight}px`);
});
[outcome, form].forEach((bar) => bar && bars.observe(bar));
