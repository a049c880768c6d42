// Fetches each picture that is still on its way, about once a second, until it is there.
"use strict";

async function look(figure) {
  const answer = await fetch(figure.dataset.waiting).catch(() => null);
  const text = answer?.ok ? await answer.text() : "";
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("figure");
  let shown = figure;
  if (fresh && fresh.outerHTML !== figure.outerHTML) {
    figure.replaceWith(fresh);
    shown = fresh;
  }
  if (shown.dataset.waiting) setTimeout(look, 1000, shown);
}

for (const figure of document.querySelectorAll("[data-waiting]")) look(figure);
