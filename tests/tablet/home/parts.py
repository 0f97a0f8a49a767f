"""A real tablet: the agent as a child process with its page, a shelf as the hub would have sent it, and samples."""

import contextlib
import hashlib
import http.client
import io
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from reportlab.pdfgen.canvas import Canvas

from edge_agent.clock import Clock
from edge_agent.papers import FOLDER as PAPERS
from edge_agent.papers import Kept
from edge_agent.spool import Spool
from edge_agent.tablet.library import FOLDER as CONTENT
from edge_agent.tablet.usage_book import UsageBook
from tests.agent.agent_process import Child, until, write_settings
from tests.broker import free_port
from tests.clock.hand_time import HandTime
from wire import shelf
from wire.messages import Interface, Record, Usage
from wire.shelf import Allowance, File, Item, Question, ShelfContent, Telephone

GB = 1_000_000_000
NEWSLETTER, NOTICE, SURVEY = "a" * 32, "b" * 32, "c" * 32
DAY_MS = 86_400_000


def paper() -> bytes:
    """A newsletter as PDF."""
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    for number in (1, 2):
        canvas.setFont("Helvetica", 40)
        canvas.drawString(80, 700, f"Newsletter page {number}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


# The smallest picture: one pixel, in PNG.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)


def digest(data: bytes) -> str:
    """As a shelf names it."""
    return hashlib.sha256(data).hexdigest()


def content(now_ms: int, *, included_bytes: int = 3 * GB) -> ShelfContent:
    """What a town's tablet shows: a newsletter with a paper, a notice with a picture, a survey."""
    printed = paper()
    return ShelfContent(
        town="北町",
        ticket="t" * 40,
        items=(
            Item(
                NEWSLETTER,
                "newsletter",
                "広報《こうほう》きたまち 12月号",
                now_ms - DAY_MS,
                files=(File(digest(printed), len(printed), "application/pdf", "広報きたまち12月号"),),
            ),
            Item(
                NOTICE,
                "notice",
                "吹雪《ふぶき》にそなえて",
                now_ms - 2 * DAY_MS,
                urgent=True,
                text="# 外出をひかえてください\n\n明日の朝まで吹雪《ふぶき》が続きます。\n\n"
                "- 灯油をたしかめる\n- 近所に声をかける",
                files=(File(digest(PICTURE), len(PICTURE), "image/png", "避難所の地図"),),
            ),
            Item(
                SURVEY,
                "survey",
                "タブレットの使いごこち",
                now_ms - 3 * DAY_MS,
                until_ms=now_ms + 9 * DAY_MS,
                text="みなさんの声をきかせてください。",
                questions=(
                    Question("タブレットは役に立っていますか", "one", ("はい", "ときどき", "いいえ")),
                    Question("よく使うものはどれですか", "several", ("広報", "写真", "電話番号")),
                    Question("こまっていること", "words"),
                ),
            ),
        ),
        allowance=Allowance(included_bytes=included_bytes) if included_bytes else None,
        telephones=(
            Telephone("役場 総務課", "0123-45-6789", "平日 8:30〜17:15"),
            Telephone("見守りセンター", "0123-45-0000"),
        ),
    )


class TabletProcess:
    """An agent of the kind tablet without a broker: the hub is away. `good-time` lets it trust the machine's clock."""

    def __init__(self, folder: Path, **tablet: Any) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.state = folder / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        (self.state / "good-time").write_text("1\n", encoding="ascii")
        self.settings: dict[str, Any] = {
            "device": "tablet-1",
            "kind": "tablet",
            "tablet": {"port": self.port, **tablet},
        }
        self._folder = folder
        self._broker: dict[str, Any] = {}
        self.agent: Child | None = None

    def with_broker(self, port: int) -> "TabletProcess":
        """With a way to a hub."""
        self._broker = {"broker": {"port": port}}
        return self

    def lay(self, told: ShelfContent, *files: bytes, generation: int = 1) -> None:
        """Puts a shelf and files on its disk, as they are once they came. Only while the agent does not run."""
        packed = shelf.pack(told)
        body = msgspec.json.encode(Kept("made-by-hand", generation, digest(packed), packed))
        (self.state / PAPERS).mkdir(mode=0o700, exist_ok=True)
        (self.state / PAPERS / shelf.KIND).write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        (self.state / CONTENT).mkdir(mode=0o700, exist_ok=True)
        for data in files:
            (self.state / CONTENT / digest(data)).write_bytes(data)

    def used(self, mobile_bytes: int, wifi_bytes: int = 0) -> None:
        """Puts samples of this month into its book. Only while the agent does not run."""
        book = UsageBook(self.state / "tablet")
        time_ = HandTime(wall_ms=now_ms() - 2000, boot="a-boot-before")
        for part in (0, 1):
            links = (
                Interface("wwan0", part * mobile_bytes, 0, "mobile", "8981100000000000001"),
                Interface("wlan0", part * wifi_bytes, 0, "wifi"),
            )
            book.put(Usage(links, "shutdown"), time_.stamp())
            time_.pass_ms(1000)
        book.close()

    def records(self, kind: str) -> list[Record]:
        """What is on the disk. Only while the agent does not run."""
        clock = Clock(self.state / "good-time")
        spool = Spool(self.state / "spool.db", max_bytes=256 << 20, ballast_bytes=512 << 10, stamp=clock.stamp)
        found = spool.recent(kind, 1000)
        spool.close()
        return found

    def kept(self, kind: str) -> int:
        """How many records of a kind are on the disk, while the agent runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state / 'spool.db'}?mode=ro", uri=True)) as db:
            (count,) = db.execute("SELECT count(*) FROM record WHERE kind = ?", (kind,)).fetchone()
            return int(count)

    def start(self) -> None:
        """Starts the agent and waits for its page."""
        self.launch()
        until(self._answers, "the page answers")

    def _answers(self) -> bool:
        assert self.agent is not None
        assert self.agent.process.poll() is None, self.agent.said
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def launch(self) -> None:
        """Starts the agent."""
        path = write_settings(self._folder / "tablet.toml", **self.settings, **self._broker)
        self.agent = Child("run", "--settings", str(path))

    def stop(self) -> int:
        """Ends the agent; its exit code."""
        assert self.agent is not None
        code = self.agent.end()
        self.agent = None
        return code

    def __enter__(self) -> "TabletProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.agent is not None:
            self.stop()


def now_ms() -> int:
    """The machine's wall clock."""
    return time.time_ns() // 1_000_000
