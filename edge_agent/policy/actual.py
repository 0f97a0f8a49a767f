"""`actual.toml`: the values that the agent goes by, in a file that a person on the spot may edit while the hub is away.

1. What is written there counts within seconds; the hub is told of the drift when it is back.
2. A file that cannot be read changes nothing and is told as well; one that was deleted comes back.
3. The next generation from the hub writes the file anew.
"""

import os
import tomllib
from pathlib import Path

import msgspec

from edge_agent.effective import Effective
from edge_agent.policy import values
from edge_agent.policy.keep import write_whole
from edge_agent.policy.values import Document
from wire.policy import BadDocument

_ABOUT = """\
# この端末の現在の設定。役場のサーバーから届きます。
# サーバーにつながらない緊急のときだけ、ここを直せます。数秒で反映され、つながるとサーバーに「ずれ」として表示されます。
#
# What this device goes by; it comes from the hub. In an emergency, while the hub is away, it may be edited here:
# it counts within seconds, and the hub shows the drift when it is back.
"""


class Found(msgspec.Struct, frozen=True):
    """What the file says over `wanted`; `trouble` in one line when it cannot be read (then nothing changes)."""

    document: Document
    effective: Effective | None
    trouble: str = ""


class Actual:
    """The file. Blocking: not on the event loop."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._path = folder / "actual.toml"
        self._kind = kind
        self._read_at: tuple[int, int, int] | None = None

    def write(self, document: Document) -> None:
        """The file says this now. Raises OSError."""
        write_whole(self._path, _text(document).encode())
        self._read_at = None

    def changed(self) -> bool:
        """Whether the file is another than the one read last, or gone."""
        return self._read_at is None or self._stat() != self._read_at

    def read(self, ground: Document) -> Found | None:
        """What the file says, over the ground; None when there is none."""
        self._read_at = self._stat()
        if self._read_at is None:
            return None
        try:
            document = values.over(ground, tomllib.loads(self._path.read_text(encoding="utf-8")))
            return Found(document, values.effective(document, self._kind))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, BadDocument) as error:
            return Found(ground, None, " ".join(str(error).split())[:180] or type(error).__name__)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 (the same file as it is opened by)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _text(document: Document) -> str:
    """TOML; texts, whole numbers, true, false and lists are written there as in JSON."""
    lines = [_line(key, value) for key, value in document.items() if not isinstance(value, dict)]
    for name, table in document.items():
        if isinstance(table, dict) and table:
            lines += ["", f"[{name}]", *(_line(key, value) for key, value in table.items())]
    return _ABOUT + "\n" + "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    written = msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return f"{key} = {written}"
