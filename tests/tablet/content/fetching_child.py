"""Fetches a file anew until it is killed: `python -m tests.tablet.content.fetching_child URL FOLDER`."""

import sys
from pathlib import Path

from edge_agent.tablet.download import Away, download
from tests.tablet.content.parts import file_of

SIZE = 3_000_000


def content() -> bytes:
    """The file, the same in every process."""
    return b"".join(n.to_bytes(4, "big") for n in range(SIZE // 4))


def fetch(url: str, folder: Path) -> None:
    """Says a line each time before it begins."""
    file = file_of(content())
    while True:
        print("begins", flush=True)
        try:
            download(url, None, "t", file, folder, lambda: True).unlink()
        except Away:
            continue


if __name__ == "__main__":
    fetch(sys.argv[1], Path(sys.argv[2]))
