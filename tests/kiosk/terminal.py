"""A whole terminal: field, reader, agent and page as they run in a town, and a broker without a hub behind it."""

from pathlib import Path
from types import TracebackType

from edge_agent.attendance import card, roster
from edge_agent.clock import Clock
from edge_agent.spool import Spool
from tests.agent.agent_process import Child, FieldProcess, write_settings
from tests.broker import free_port
from wire import codec
from wire.messages import Punch, Record

HANAKO, TARO, NOBODY = "012e4cd8a9b3c401", "0101060112233445", "0114b34d5e6f7081"
NAMES = {HANAKO: "山田花子", TARO: "佐藤太郎"}
DEBOUNCE_S = 120


class Terminal:
    """An agent with a simulated reader and its page; Hanako and Taro are in its roster."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.field = FieldProcess()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        self.settings = write_settings(
            folder / "terminal.toml",
            broker={"port": broker_port},
            attendance={"reader": self.field.path, "debounce_s": DEBOUNCE_S},
            kiosk={"port": self.port, "contact": "内線 123"},
        )
        roster.write_names(self.state / "roster.toml", {self.token(number): name for number, name in NAMES.items()})
        self.agent: Child | None = None

    def token(self, number: str) -> str:
        """A card's token at this terminal."""
        return card.token(roster.card_key(self.state), bytes.fromhex(number))

    def clocked_in(self, number: str, *, ago_s: int) -> None:
        """Puts an accepted punch of a while ago into the spool. Only while the agent does not run."""
        clock = Clock(self.state / "good-time")
        stamp = clock.stamp()
        stamp = stamp._replace(mono_ms=stamp.mono_ms - ago_s * 1000, at_ms=stamp.at_ms - ago_s * 1000)
        spool = self._spool(clock)
        spool.append("punch", codec.encode_body(Punch(self.token(number), "clock_in", technology="felica")), stamp)
        spool.close()

    def punches(self) -> list[tuple[Record, Punch]]:
        """What is on the disk. Only while the agent does not run."""
        spool = self._spool(Clock(self.state / "good-time"))
        records = spool.recent("punch", 1000)
        spool.close()
        return [(record, codec.decode_body("punch", record.body)) for record in records]

    def _spool(self, clock: Clock) -> Spool:
        return Spool(self.state / "spool.db", max_bytes=256 << 20, ballast_bytes=512 << 10, stamp=clock.stamp)

    def start(self) -> None:
        """Starts the agent."""
        self.agent = Child("run", "--settings", str(self.settings))

    def stop(self) -> int:
        """Ends the agent; its exit code."""
        assert self.agent is not None
        code = self.agent.end()
        self.agent = None
        return code

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.agent is not None:
            self.stop()
        self.field.end()
