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
let line = Promise.resolve(); // decisions are sent one after the other
let sending = 0;
let address = plain(location.href); // of the page that is shown
let painted = true;
let shown = 0; // when

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
  if (ahead.size > KEPT) ahead.delete(ahead.keys().next().value);
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
  window.htmx?.process(page.main);
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

// Somebody else may have changed what is shown; whoever types or looks closely is left in peace

function busy() {
  const changed = (field) => (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
  const typed = [...document.querySelectorAll("#main :is(textarea, input:not([type=radio], [type=hidden]))")].some(changed);
  const first = (select) => Math.max(0, [...select.options].findIndex((one) => one.defaultSelected));
  const picked = [...document.querySelectorAll("#main select")].some((one) => one.selectedIndex !== first(one));
  return typed || picked || $("dialog[open], #reject-box[open], .aiming, .both") !== null || sending > 0;
}

async function freshen() {
  const url = address;
  const page = await read(url).catch(() => null);
  if (!page || !live(page.main) || url !== address || busy()) return;
  const said = $("#notices"); // what was just done can be undone as long as nothing else is
  settle({ ...page, url });
  $("#notices").replaceWith(said);
}

function settle(page) {
  const [now, then] = [live($("#main")), live(page.main)];
  if (now?.illustration !== then.illustration || now.version !== then.version) return show(page, "replace");
  $(".steps").replaceWith(page.steps);
  $("#notices").replaceWith(page.main.querySelector("#notices"));
}

// Deciding

function decide(form, submitter) {
  const main = $("#main");
  const one = { number: live(main).illustration, title: live(main).title, left: here() };
  one.to = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  one.body = new FormData(form, submitter);
  const goesOn = form.dataset.decides === "on" && !submitter?.hasAttribute("data-stays");
  const again = unsent.findIndex((other) => other.number === one.number);
  if (again >= 0) unsent.splice(again, 1);
  if (goesOn) decided.add(one.number);
  one.next = goesOn && live(main).after ? ahead.get(plain(live(main).after))?.page : null;
  if (one.next && decided.has(live(one.next.main).illustration)) one.next = null;
  sending += 1;
  if (one.next) show(one.next);
  else submitter?.setAttribute("aria-disabled", "true");
  line = line.then(() => send(one)).finally(() => {
    sending -= 1;
    submitter?.removeAttribute("aria-disabled");
  });
}

async function send(one) {
  let page;
  try {
    page = await read(one.to, { method: "POST", body: one.body });
  } catch (problem) {
    return keep(one, "away");
  }
  const { answer } = page;
  if (new URL(page.url).pathname === "/login") return keep(one, "login");
  if (answer.ok && answer.redirected) return arrived(one, page);
  if (live(page.main)?.illustration === one.number) return refused(one, page);
  const words = answer.status < 500 && page.main.querySelector("#notices"); // about another one: an undo that came too late
  if (words) return $("#notices").replaceWith(words);
  keep(one, "other");
}

const still = (one) => $("#main") === (one.next ?? one.left).main;

function arrived(one, page) {
  tell();
  const number = new URL(one.to).pathname.split("/").at(-2);
  if (one.to.includes("/undo") || !live(page.main)) decided.delete(number);
  if (still(one)) {
    if (!live(page.main)) return location.assign(page.url);
    page.url = plain(page.url);
    if (one.next && live(page.main).illustration === live(one.next.main).illustration) return settle(page);
    return show(page, page.url === address ? "replace" : "push");
  }
  const notices = page.main.querySelector("#notices");
  if (notices) $("#notices")?.replaceWith(notices);
}

function refused(one, page) {
  decided.delete(one.number);
  tell();
  leave();
  show({ ...page, url: one.left.url }, one.left.url === address ? "replace" : "push");
}

// What did not arrive

function keep(one, why) {
  decided.delete(one.number);
  unsent.push(one);
  if (one.next && still(one)) {
    leave();
    show(one.left);
  }
  one.next = null; // what comes next is the server's word when it is sent again
  tell(why);
}

function tell(why = "") {
  $("body > .lost")?.remove();
  if (!unsent.length) return;
  const box = $("#lost").content.cloneNode(true).firstElementChild;
  box.querySelector("[data-titles]").textContent = unsent.map((one) => one.title).join(" · ");
  for (const words of box.querySelectorAll("[data-why]")) words.hidden = words.dataset.why !== (why || "away");
  box.querySelector("[data-again]").addEventListener("click", again);
  box.querySelector("[data-drop]").addEventListener("click", () => {
    unsent.length = 0;
    tell();
  });
  document.body.append(box);
  box.querySelector("[data-again]").focus();
}

function again() {
  const waiting = unsent.splice(0);
  $("body > .lost").remove();
  sending += waiting.length;
  for (const one of waiting) line = line.then(() => resend(one)).finally(() => (sending -= 1));
}

async function resend(one) {
  const page = await read(one.left.url).catch(() => null);
  const token = page?.main.querySelector("[name=token]")?.value;
  if (token) one.body.set("token", token); // that of a new login, where the old one was over
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
  decide(event.target, event.submitter);
}, true);

addEventListener("popstate", () => {
  if (plain(location.href) !== address) go(location.href, "none");
});
addEventListener("beforeunload", (event) => {
  if (unsent.length || sending) event.preventDefault();
});
document.body.addEventListener("frontispiece:changed", (event) => {
  const about = live($("#main"))?.illustration;
  if (event.detail.length === 0 || event.detail.includes(Number(about))) freshen();
});

const begin = () => {
  lookAhead(live($("#main"))?.after);
  lookAhead($("#next")?.href, 1);
};
if (document.readyState === "complete") begin();
else addEventListener("load", begin);
