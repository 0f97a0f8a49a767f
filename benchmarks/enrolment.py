"""How long it takes until a hundred new devices have their identities: key, request, code, certificate, on disk."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side, percentile
from edge_agent.identity import enrol
from edge_agent.identity.enrol import Enrolled, Me
from hub.db import Connection, Db
from hub.identity import inviting
from tests.identity.parts import OwnTown
from wire import enrolment
from wire.enrolment import Invitation


def _measure(place: Place, *, at_once: int) -> Measured:
    names = [f"tablet-{number}" for number in range(place.size(100, 5))]
    town = OwnTown(place.fresh / "town")
    with town.broker, town.hub:
        invitations = _invite(town, names)
        began_s = time.monotonic()
        with ThreadPoolExecutor(at_once) as devices:
            took_ms = list(devices.map(lambda name: _enrol(place.fresh / name, name, invitations[name]), names))
        whole_s = time.monotonic() - began_s
    return {"seconds": whole_s, "devices": len(names), "p95_ms": percentile(took_ms, 0.95)}


def _invite(town: OwnTown, names: list[str]) -> dict[str, Invitation]:
    root = town.authority.root_fingerprint
    with closing(Db(town.hub.database)) as db:
        made = [db.write_now(partial(_make_code, name)) for name in names]
    return {name: enrolment.invite(town.hub.url, code, root) for name, code in zip(names, made, strict=True)}


def _make_code(name: str, conn: Connection) -> str:
    made = inviting.make_code(conn, name, "tablet", "", "bench")
    assert isinstance(made, inviting.Made)
    return made.code


def _enrol(folder: Path, name: str, invitation: Invitation) -> float:
    """The device's own code, from nothing to an identity on its disk; in ms."""
    began_s = time.monotonic()
    done = enrol.enrol(folder, Me(name, "tablet"), invitation)
    assert isinstance(done, Enrolled)
    return (time.monotonic() - began_s) * 1000


def eight(place: Place) -> Measured:
    """Eight devices ask at a time."""
    return _measure(place, at_once=8)


def one(place: Place) -> Measured:
    """One after the other."""
    return _measure(place, at_once=1)


BENCHMARK = Benchmark(
    "Enrolment",
    "A hundred devices with a code each: key and request made, root fetched and compared, certificate issued by the "
    "hub and kept on both disks. Devices, hub and broker on the same cores.",
    (Side("eight at a time", eight), Side("one after the other", one)),
    (
        Claim(
            "100 devices have their identities",
            lambda m: m["eight at a time"]["seconds"] * 100 / m["eight at a time"]["devices"],
            "at most",
            60,
            ("eight at a time",),
            "s",
        ),
    ),
)
