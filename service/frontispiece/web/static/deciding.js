// Decisions without waiting. The next page is fetched and its picture decoded ahead, shown at once, and held against the
// server's answer when that comes. What is refused comes back; what did not arrive is kept and offered again, as sending
// it twice does no harm. A form with data-decides is sent from here, with "on" it leads on to the next illustration.
const $ = (selector) => document.querySelector(selector);
const LATE = 20_000; // milliseconds until an answer is given up
const FRESH = 10_000; // milliseconds for which a page that was fetched ahead is taken as it is
const KEPT = 12; // pages

const ahead = new Map(); // by address: { page, promise }
const decided = new Set(); // numbers of illustrations, whose pages fetched ahead are out of date
const unsent = []; // decisions that did not arrive
let missed = false; // whether there is news that somebody was too busy for
let line = Promise.resolve(); // decisions are sent one after the other
const sending = new Set(); // decisions that are on their way
let address = plain(location.href); // of the page that is shown
let painted = true;
let shown = 0; // when

// Says to a screen reader what came of a decision: what stands in the page is put there whole, and is not read aloud
const spoken = document.createElement("p");
spoken.className = "unseen";
spoken.setAttribute("role", "status");
$("#main").before(spoken);
const speak = () => (spoken.textContent = $("#notices .good p")?.textContent ?? "");

function plain(url) {
  const made = new URL(url, location.href);
  for (const told of ["did", "of"]) made.searchParams.delete(told);
  made.hash = "";
  return made.href;
}

const live = (main) => main.querySelector("#live[data-illustration]")?.dataset;
const here = () => ({ url: address, title: document.title, steps: $(".steps"), main: $("#main"), at: shown });

async function read(url, options = {}) {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(LATE) });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = (selector) => document.importNode(found.querySelector(selector) ?? document.createElement("p"), true);
  const [steps, main] = [part(".steps"), part("#main")];
  return { answer, url: answer.url, title: found.title, steps, main, at: performance.now() };
}

function lookAhead(url, depth = 2) {
  if (!url || !depth) return;
  const key = plain(url);
  const number = new URL(key).pathname.split("/").pop();
  if (ahead.has(key) || decided.has(number) || key === address) return;
  const entry = { page: null };
  ahead.set(key, entry);
  if (ahead.size > KEPT) ahead.delete([...ahead].find(([, { page }]) => !page || !changed(page.main).length)?.[0]);
  read(key).then(async (page) => {
    if (!live(page.main)) throw new Error("another page");
    await page.main.querySelector("[data-first]")?.decode().catch(() => {});
    entry.page = { ...page, url: key };
    lookAhead(live(page.main).after, depth - 1);
  }).catch(() => ahead.delete(key));
}

function show(page, how = "push") {
  const company = $("#together");
  if (company && live($("#main"))?.illustration !== live(page.main)?.illustration)
    navigator.sendBeacon(company.dataset.gone, new URLSearchParams({ token: company.dataset.token }));
  $(".steps").replaceWith(page.steps);
  $("#main").replaceWith(page.main);
  document.title = page.title;
  if (how === "push") history.pushState(null, "", page.url);
  else if (how === "replace") history.replaceState(null, "", page.url);
  address = plain(page.url);
  ahead.delete(address);
  shown = performance.now();
  painted = false;
  requestAnimationFrame(() => requestAnimationFrame(() => (painted = true)));
  scrollTo(0, 0);
  window.htmx?.process(page.main, true); // anew, as its clocks stop while a page is put by
  page.main.focus({ preventScroll: true });
  document.dispatchEvent(new Event("desk:shown"));
  lookAhead(live(page.main)?.after);
  lookAhead($("#next")?.href, 1);
  if (page.at && shown - page.at > FRESH) freshen();
}

function leave() {
  if (!decided.has(live($("#main"))?.illustration)) ahead.set(address, { page: here() });
}

async function go(url, how = "push") {
  const page = ahead.get(plain(url))?.page ?? (await read(url).catch(() => null));
  if (!page || !live(page.main)) return location.assign(url);
  leave();
  show({ ...page, url: plain(url) }, how);
}

// What somebody is at: whoever types or looks closely is left in peace, and nothing that was typed is lost

function isChanged(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  return field.selectedIndex !== Math.max(0, [...field.options].findIndex((one) => one.defaultSelected));
}

const changed = (part) => [...part.querySelectorAll("textarea, select, input:not([type=radio], [type=hidden])")].filter(isChanged);
const closely = () => $("#reject-box[open], dialog[open], .aiming");
const typing = () => document.activeElement?.matches("#main :is(textarea, select, input:not([type=radio], [type=checkbox]))");
const doing = () => JSON.stringify([address, closely()?.id, document.activeElement?.id, changed($("#main")).map((field) => [field.value, field.checked])]);
// Not at work is who still waits as they were when they sent the decision `one`
const atWork = (one) => (closely() !== null || typing()) && doing() !== one?.doing;

function busy(page) {
  const goes = typing() && !same(document.activeElement, page.main);
  return goes || changed($("#main")).length > 0 || closely() !== null || $(".both") !== null || sending.size > 0;
}

// What stands in another page where this stands here: what has its id, or its place within what has one
function same(node, main) {
  const near = node.closest("[id]");
  const there = main.querySelector(`[id="${near.id}"]`);
  if (near === node) return there;
  const like = node.name ? `[name="${node.name}"][value="${CSS.escape(node.value)}"]` : node.tagName;
  return there?.querySelectorAll(like)[[...near.querySelectorAll(like)].indexOf(node)];
}

function carry(main, sent) {
  for (const box of document.querySelectorAll("#main details[open]")) same(box, main)?.setAttribute("open", "");
  const isSent = ({ form, name, value }) => sent && form.id === sent.form && sent.body.getAll(name).includes(value);
  for (const field of changed($("#main"))) {
    const there = !isSent(field) && same(field, main);
    if (there) [there.value, there.checked] = [field.value, field.checked];
  }
}

// The same illustration anew. What is picked, open and typed stays so, unless it was sent, and so does one's place.
function renew(page, sent, how = "replace") {
  const [top, brief, focused] = [scrollY, $(".brief").scrollTop, document.activeElement];
  const there = focused?.matches("#main [id], .thumbs input") ? same(focused, page.main) : null;
  const [now, then] = [$("#main"), page.main].map((main) => live(main).version.split("-")[0]);
  const picked = now === then && $(".thumbs :checked")?.value; // a new state shows what it is about
  carry(page.main, sent);
  show(page, how);
  if (picked) $(`.thumbs input[value="${picked}"]`)?.click();
  there?.focus({ preventScroll: true });
  if (focused?.selectionStart != null) there?.setSelectionRange?.(focused.selectionStart, focused.selectionEnd);
  $(".brief").scrollTop = brief;
  scrollTo(0, top);
}

// Somebody else may have changed what is shown

async function freshen() {
  const url = address;
  const page = await read(url).catch(() => null);
  if (!page || !live(page.main) || url !== address) return;
  missed = busy(page);
  if (missed) return;
  const said = $("#notices"); // what was just done can be undone as long as nothing else is
  settle({ ...page, url });
  $("#notices").replaceWith(said);
}

function settle(page) {
  const [now, then] = [live($("#main")), live(page.main)];
  if (now.version !== then.version) return renew(page);
  $(".steps").replaceWith(page.steps);
  $("#notices").replaceWith(page.main.querySelector("#notices"));
}

// Deciding

function decide(form, submitter) {
  const main = $("#main");
  const one = { number: live(main).illustration, title: form.dataset.title ?? live(main).title, form: form.id, left: here() };
  one.to = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  one.about = new URL(one.to).pathname.split("/").at(-2); // an undo may be about another one than is shown
  one.body = new FormData(form, submitter);
  const goesOn = form.dataset.decides === "on" && !submitter?.hasAttribute("data-stays");
  one.first = one.about === one.number ? beside(form, goesOn) : [];
  const again = unsent.findIndex((other) => other.about === one.about);
  if (again >= 0) unsent.splice(again, 1);
  if (goesOn) decided.add(one.number);
  one.next = goesOn && live(main).after ? ahead.get(plain(live(main).after))?.page : null;
  if (one.next && decided.has(live(one.next.main).illustration)) one.next = null;
  sending.add(one);
  $("#notices").replaceChildren(); // undoing means the last decision, and that is this one
  speak();
  one.doing = doing();
  if (one.next) show(one.next);
  else submitter?.setAttribute("aria-disabled", "true");
  line = line.then(() => send(one)).then(speak).finally(() => {
    sending.delete(one);
    submitter?.removeAttribute("aria-disabled");
  });
}

// What was typed beside an act is sent before it, where the act would lose it: words, and a comment
function beside(form, goesOn) {
  const save = form.id !== "approve" && $("#approve [formaction]");
  const found = save ? [{ form: save.form, to: save.formAction }] : [];
  if (goesOn && $(".say")) found.push({ form: $(".say"), to: $(".say").action });
  return found.filter((other) => changed(other.form).length).map((other) => ({ ...other, body: new FormData(other.form) }));
}

const post = (one) => read(one.to, { method: "POST", body: one.body }).catch(() => null);
const words = (page) => page.main.querySelector(".notice.bad")?.textContent.trim();

function problem(page) {
  if (!page) return "away";
  if (new URL(page.url).pathname === "/login") return "login";
  return page.answer.ok && page.answer.redirected ? "" : "other";
}

async function send(one) {
  for (; one.first.length; one.first.shift()) {
    const page = await post(one.first[0]);
    if (problem(page)) return keep(one, problem(page), page && words(page));
    const said = one.first[0].form.comment;
    if (said?.value === one.first[0].body.get("comment")) said.value = "";
  }
  const page = await post(one);
  if (!problem(page)) return arrived(one, page);
  if (problem(page) !== "other") return keep(one, problem(page));
  if (live(page.main)?.illustration === one.number) return refused(one, page);
  const said = page.answer.status < 500 && page.main.querySelector("#notices"); // about another one: an undo that came too late
  if (said) return $("#notices").replaceWith(said);
  keep(one, "other");
}

const still = (one) => $("#main") === (one.next ?? one.left).main;

function arrived(one, page) {
  tell();
  if (one.to.includes("/undo") || !live(page.main)) decided.delete(one.about);
  const isLeft = [...sending].some((other) => other !== one && other.left.main === $("#main"));
  if (still(one) && !isLeft && !atWork(one)) return goOn(one, page);
  const notices = sending.size === 1 && page.main.querySelector("#notices"); // of the last decision, so that U means it
  if (notices) $("#notices").replaceWith(notices);
}

function goOn(one, page) {
  if (!live(page.main)) return location.assign(page.url);
  page.url = plain(page.url);
  const how = page.url === address ? "replace" : "push";
  if (live(page.main).illustration === live($("#main")).illustration) return one.next ? settle(page) : renew(page, one, how);
  leave();
  show(page, how);
}

function refused(one, page) {
  if (atWork(one)) return keep(one, "other", words(page));
  decided.delete(one.number);
  tell();
  page.url = one.left.url;
  if (live($("#main")).illustration === one.number) return renew(page, one);
  leave();
  show(page);
}

// What did not arrive

function keep(one, why, said) {
  const isFree = !atWork(one);
  decided.delete(one.number);
  unsent.push(Object.assign(one, { why: said ? "" : why, said }));
  if (one.next) ahead.set(one.left.url, { page: one.left });
  if (one.next && still(one) && isFree) {
    leave();
    show(one.left);
  }
  one.next = null; // what comes next is the server's word when it is sent again
  tell();
  if (isFree) $("body > .lost [data-again]").focus();
}

function tell() {
  const isFocused = $("body > .lost :focus") !== null;
  $("body > .lost")?.remove();
  if (!unsent.length) return;
  const box = $("#lost").content.cloneNode(true).firstElementChild;
  const { why, said } = unsent.at(-1);
  box.querySelector("[data-titles]").textContent = unsent.map((one) => one.title).join(" · ");
  for (const one of box.querySelectorAll("[data-why]")) one.hidden = one.dataset.why !== why;
  box.querySelector("[data-said]").textContent = said ?? "";
  box.querySelector("[data-again]").addEventListener("click", again);
  box.querySelector("[data-drop]").addEventListener("click", () => {
    unsent.length = 0;
    tell();
  });
  document.body.append(box);
  if (isFocused) box.querySelector("[data-again]").focus();
}

function again() {
  const waiting = unsent.splice(0);
  $("body > .lost").remove();
  for (const one of waiting) {
    sending.add(one);
    one.doing = doing(); // whoever sends it again has time for the answer
    line = line.then(() => resend(one)).then(speak).finally(() => sending.delete(one));
  }
}

async function resend(one) {
  const page = await read(one.left.url).catch(() => null);
  const token = page?.main.querySelector("[name=token]")?.value;
  for (const { body } of token ? [...one.first, one] : []) body.set("token", token); // of a new login, where the old one was over
  await send(one);
}

// What happens in the page

let pointed = false; // whether the last click came from a pointer: the second of a double click is no decision
document.addEventListener("click", (event) => {
  pointed = event.detail > 0;
  const link = event.target.closest("#next, #prev");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href);
}, true);

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-decides]")) return;
  event.preventDefault();
  if (!painted || (pointed && performance.now() - shown < 400 && shown)) return;
  if (event.submitter?.getAttribute("aria-disabled") === "true") return;
  if (sending.size && !pointed && event.target.action.includes("/undo")) return; // the key means what is still on its way
  decide(event.target, event.submitter);
}, true);

addEventListener("popstate", () => {
  if (plain(location.href) !== address) go(location.href, "none");
});
addEventListener("beforeunload", (event) => {
  if (unsent.length || sending.size) event.preventDefault();
});
document.body.addEventListener("frontispiece:changed", (event) => {
  const about = live($("#main"))?.illustration;
  if (event.detail.length === 0 || event.detail.includes(Number(about))) freshen();
});

document.addEventListener("focusout", () => missed && freshen());

const begin = () => {
  lookAhead(live($("#main"))?.after);
  lookAhead($("#next")?.href, 1);
};
if (document.readyState === "complete") begin();
else addEventListener("load", begin);
