"""Copies the few front-end files that pages load from node_modules to hub/static/vendor, with their licences.

Run by provisioning/setup.sh after `npm ci`; nothing it copies is ever committed.
"""

import shutil
import sys
from pathlib import Path

FILES = {
    "htmx.org": ["dist/htmx.min.js", "LICENSE"],
    "htmx-ext-sse": ["dist/sse.min.js"],
    "uplot": ["dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"],
    "@digital-go-jp/design-tokens": ["dist/tokens.css", "LICENSE"],
}


def copy(root: Path) -> None:
    """Fill `root`/hub/static/vendor anew. Raises FileNotFoundError when a package lacks a file."""
    target = root / "hub" / "static" / "vendor"
    shutil.rmtree(target, ignore_errors=True)
    for package, names in FILES.items():
        folder = target / package.rsplit("/", 1)[-1]
        folder.mkdir(parents=True)
        for name in names:
            shutil.copy(root / "node_modules" / package / name, folder / Path(name).name)


if __name__ == "__main__":
    try:
        copy(Path(__file__).resolve().parent.parent)
    except FileNotFoundError as error:
        sys.exit(f"vendor: {error.filename} is missing; run `npm ci` first")
