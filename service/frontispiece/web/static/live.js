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
