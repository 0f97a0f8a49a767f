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

// A list without devices is asked again when the first device is heard.
document.addEventListener("htmx:sseMessage", (event) => {
  if (event.target.dataset?.reloadOn === event.detail.type && event.detail.data) location.reload();
});

// A session that has ended sends the live parts away: go where one signs in.
document.addEventListener("htmx:sseError", async () => {
  const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (answer && answer.type === "opaqueredirect") location.href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
});
