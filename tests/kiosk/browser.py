"""A real Chromium before the terminal's page, with an ear for the tones that the page asks for."""

import json
from typing import Any

from playwright.sync_api import Browser, Page

from tests.chromium import AXE

SIZES = ((360, 640), (800, 480), (1280, 800), (1440, 900))
# Stands where the browser's sound would be: no machine that tests has a loudspeaker.
EAR = """
window.heard = [];
window.AudioContext = class {
  constructor() { this.state = "running"; this.currentTime = 0; this.destination = {}; }
  resume() { return Promise.resolve(); }
  createGain() {
    return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (next) => next };
  }
  createOscillator() {
    const frequency = { value: 0 };
    const start = () => window.heard.push([document.body.dataset.state, frequency.value]);
    return { frequency, connect: (next) => next, start, stop() {} };
  }
};
"""


# A browser that lets no page sound before somebody has touched it, and one that has no sound at all.
FORBIDDEN = """
window.AudioContext = class {
  constructor() { this.state = "suspended"; }
  resume() { window.asked = true; return new Promise(() => {}); }
};
"""
SILENT = "window.AudioContext = class { constructor() { throw new Error('no sound'); } };"


def open_page(browser: Browser, address: str, *, dark: bool = False, sound: str = EAR) -> Page:
    """The page in a context of its own; axe-core may be put into it although its policy forbids other scripts."""
    context = browser.new_context(
        viewport={"width": 800, "height": 480}, color_scheme="dark" if dark else "light", bypass_csp=True
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(sound)
    page.goto(address)
    return page


def until_state(page: Page, *states: str) -> None:
    """Waits until the page shows one of these states."""
    wanted = ", ".join(f'body[data-state="{state}"]' for state in states)
    page.wait_for_selector(wanted, state="attached")


def findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical in the page as it stands."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{one['id']} ({one['impact']}): {json.dumps([node['target'] for node in one['nodes']])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def misfits(page: Page) -> list[str]:
    """Words that are cut off, lie over one another, or stick out of the window, at each of SIZES."""
    found: list[str] = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}x{height}: {one}" for one in page.evaluate(_MISFITS)]
    return found


_MISFITS = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`scrolls sideways to ${root.scrollWidth}`);
  const nodes = ["date", "clock", "headline", "name", "detail", "first", "second", "lines"]
    .map((id) => document.getElementById(id)).filter((node) => node.textContent.trim());
  const boxes = nodes.map((node) => {
    // Sideways the words themselves; up and down the lines, for a font's box is higher than its letters.
    const range = document.createRange();
    range.selectNodeContents(node);
    const words = range.getBoundingClientRect(), line = (node.closest("h1") || node).getBoundingClientRect();
    return [node.id, { left: words.left, right: words.right, top: line.top, bottom: line.bottom }];
  });
  for (const [id, box] of boxes) {
    if (box.left < 0 || box.top < 0 || box.right > root.clientWidth + 1 || box.bottom > root.clientHeight + 1)
      found.push(`${id} sticks out: ${[box.left, box.top, box.right, box.bottom].map(Math.round)}`);
  }
  for (const node of nodes)
    if (node.scrollWidth > node.clientWidth + 1) found.push(`${node.id} is cut off`);
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length; j++) {
      const [a, b] = [boxes[i][1], boxes[j][1]];
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
        found.push(`${boxes[i][0]} lies over ${boxes[j][0]}`);
    }
  for (const id of ["first", "second"]) {
    const box = document.getElementById(id).getBoundingClientRect();
    if (box.height < 88) found.push(`${id} is ${box.height} px high`);
  }
  return found;
}"""
