// Keeps the page fresh; without it every page works all the same.
"use strict";

const START_AFTER_MS = 10 * 60 * 1000;
const body = document.body;
let touched = Date.now();
let lost = false;

function show(told) {
  const shut = told.state === "locked" || told.state === "wiped";
  if (shut !== (body.dataset.kind === "shut")) {
    location.replace("/");
    return;
  }
  body.dataset.name = told.name;
  body.classList.toggle("identify", told.state === "identify");
  // What the resident is reading or writing stays as it is; the start page and the lists are made anew.
  const fresh = ["/", "/news", "/help", "/surveys"].includes(location.pathname);
  if (fresh && body.dataset.here !== told.here) location.reload();
  const voice = document.getElementById("voice");
  if (voice && voice.form.getAttribute("action") === "/hush" && !told.speaking) location.reload();
  for (const id of ["date", "time"]) {
    const place = document.getElementById(id);
    if (place) place.textContent = told[id];
  }
  const away = Date.now() - touched > START_AFTER_MS;
  if (away && body.dataset.kind !== "start" && !shut && !told.speaking) location.replace("/");
}

const events = new EventSource("/events");
events.onmessage = (event) => {
  if (lost) location.reload();
  show(JSON.parse(event.data));
};
// The agent was away: what it says when it is back may be another page.
events.onerror = () => { lost = true; };
for (const kind of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
}
// A second press while the first is on its way says nothing new.
addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
});
