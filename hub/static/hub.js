// Small helps of the pages; everything works without them but live rows and showing a password.
"use strict";

document.addEventListener("change", (event) => {
  const shows = event.target.dataset?.shows;
  if (shows) document.getElementById(shows).type = event.target.checked ? "text" : "password";
});

// An empty page gives way to its table when the first rows arrive.
document.addEventListener("htmx:afterSwap", (event) => {
  const id = event.target.id;
  if (!id) return;
  const any = event.target.children.length > 0;
  for (const node of document.querySelectorAll(`[data-empty-for="${id}"]`)) node.hidden = any;
  for (const node of document.querySelectorAll(`[data-full-for="${id}"]`)) node.hidden = !any;
});

// Whether the live part is being told of changes is said at the top of the page.
function connected(is) {
  for (const node of document.querySelectorAll(".live .going")) node.hidden = !is;
  for (const node of document.querySelectorAll(".live .lost")) node.hidden = is;
}
document.addEventListener("htmx:sseOpen", () => connected(true));
document.addEventListener("htmx:sseError", async () => {
  if (document.hidden) return;
  const answer = await fetch("/session", { cache: "no-store" }).catch(() => null);
  // A session that has ended: go where one signs in. A hub that is restarting: wait for it.
  if (answer?.status === 401) location.href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
  else if (!answer?.ok) connected(false);
});

// A browser keeps six connections to one host: pages that nobody looks at give theirs back.
const sources = new Set();
htmx.createEventSource = (address) => {
  const source = new EventSource(address);
  sources.clear();
  sources.add(source);
  return source;
};
document.addEventListener("visibilitychange", () => {
  for (const source of sources) {
    if (document.hidden) source.close();
    else if (source.readyState === EventSource.CLOSED) source.onerror(new Event("error"));
  }
});
