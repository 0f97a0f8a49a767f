"""Taking benefits at a device: within what it was allowed, on disk with its count, through kills and full disks."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.benefit import allowance as rule
from edge_agent.benefit.allowance import Count, May, Refused
from edge_agent.benefit.benefits import Benefits, Taken
from edge_agent.clock import Stamp
from edge_agent.spool import Spool
from tests.benefit.device import FAR_MS, content, open_spool
from tests.benefit.parts import HANA, TOME
from wire import codec, purse
from wire.purse import BadPurse, PurseContent
from wire.tablet import BenefitUse

NOW = Stamp("boot", 0, 1_795_500_000_000, "synced")


async def made(folder: Path, told: PurseContent, max_bytes: int = 64 << 20) -> Benefits:
    """A device that has this purse, with what its disk remembers."""
    spool, clock = open_spool(folder, max_bytes)
    benefits = Benefits(spool, clock)
    benefits.use(told)
    await benefits.load()
    return benefits


async def told(benefits: Benefits) -> list[BenefitUse]:
    """The records on its disk."""
    records = await benefits._spool.recent("benefit_use", 10_000)
    return [codec.decode_body("benefit_use", one.body) for one in records]


async def test_units_are_taken_within_the_limit_and_told_with_the_count(tmp_path: Path) -> None:
    benefits = await made(tmp_path, content(3, balance=5))
    first = await benefits.take(HANA, "taxi", 2)
    assert isinstance(first, Taken)
    assert (first.units, first.left) == (2, 3)
    assert await benefits.take(HANA, "taxi", 2) == Refused("not_enough", 1)
    assert isinstance(await benefits.take(HANA, "taxi", 1), Taken)
    assert await benefits.take(HANA, "taxi", 1) == Refused("none_left", 0)
    assert [(one.units, one.used, one.allowance, one.card) for one in await told(benefits)] == [
        (2, 2, "taxi.1", HANA),
        (1, 3, "taxi.1", HANA),
    ]
    # A later purse raises the limit under the same name: what was taken counts on.
    benefits.use(content(4, used=3, balance=2))
    again = await benefits.take(HANA, "taxi", 1)
    assert isinstance(again, Taken)
    assert again.left == 1
    assert await benefits.take(HANA, "taxi", 1) == Refused("none_left", 0)
    benefits._spool.close()


async def test_nothing_is_taken_for_a_card_a_benefit_or_a_number_that_is_not_known(tmp_path: Path) -> None:
    benefits = await made(tmp_path, content(3))
    for card, benefit, units in ((TOME, "taxi", 1), (HANA, "bus", 1), (HANA, "taxi", 0), (HANA, "taxi", 101)):
        assert await benefits.take(card, benefit, units) == Refused("unknown")
    assert await told(benefits) == []
    benefits._spool.close()


async def test_an_allowance_that_is_over_or_a_clock_that_nobody_set_refuses(tmp_path: Path) -> None:
    spool, clock = open_spool(tmp_path)
    benefits = Benefits(spool, clock)
    await benefits.load()
    assert await benefits.take(HANA, "taxi", 1) == Refused("unknown")
    benefits.use(content(3, until_ms=NOW.at_ms))
    clock.at_ms = NOW.at_ms
    assert await benefits.take(HANA, "taxi", 1) == Refused("expired")
    clock.said = "unset"
    assert await benefits.take(HANA, "taxi", 1) == Refused("clock")
    clock.said, clock.at_ms = "held", NOW.at_ms - 1
    assert isinstance(await benefits.take(HANA, "taxi", 1), Taken)
    spool.close()


async def test_the_last_use_is_taken_back_once(tmp_path: Path) -> None:
    benefits = await made(tmp_path, content(3, balance=3))
    first, second = await benefits.take(HANA, "taxi", 1), await benefits.take(HANA, "taxi", 2)
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    # Only the last one.
    assert await benefits.take_back(HANA, first) == Refused("too_late")
    back = await benefits.take_back(HANA, second)
    assert isinstance(back, Taken)
    assert (back.units, back.left) == (2, 2)
    assert await benefits.take_back(HANA, second) == Refused("too_late")
    last = (await told(benefits))[-1]
    assert (last.takes_back, last.units, last.used) == (second.use, 2, 1)
    assert isinstance(await benefits.take(HANA, "taxi", 2), Taken)
    benefits._spool.close()


async def test_what_was_taken_is_known_after_a_restart_and_after_a_new_disk(tmp_path: Path) -> None:
    first = await made(tmp_path / "old", content(3))
    assert isinstance(await first.take(HANA, "taxi", 2), Taken)
    first._spool.close()
    again = await made(tmp_path / "old", content(3))
    assert await again.take(HANA, "taxi", 2) == Refused("not_enough", 1)
    again._spool.close()
    # A disk that was made anew goes on from what the hub had heard of.
    fresh = await made(tmp_path / "new", content(5, used=2))
    assert await fresh.take(HANA, "taxi", 4) == Refused("not_enough", 3)
    assert isinstance(await fresh.take(HANA, "taxi", 3), Taken)
    assert [one.used for one in await told(fresh)] == [5]
    fresh._spool.close()


async def test_what_does_not_fit_on_the_disk_is_not_taken(tmp_path: Path) -> None:
    benefits = await made(tmp_path, content(100_000), max_bytes=64 * 4096)
    taken = 0
    while isinstance(found := await benefits.take(HANA, "taxi", 1), Taken):
        taken += 1
    assert found == Refused("full")
    assert [one.used for one in await told(benefits)] == list(range(1, taken + 1))
    # What was refused is not counted, now or after a restart.
    assert benefits._counts["taxi.1"].used == taken
    benefits._spool.close()
    again = await made(tmp_path, content(100_000))
    assert again._counts["taxi.1"].used == taken
    again._spool.close()


async def test_a_spool_of_an_earlier_program_learns_to_count(tmp_path: Path) -> None:
    open_spool(tmp_path)[0].close()
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.db")) as conn:
        conn.execute("DROP TABLE beside")
    benefits = await made(tmp_path, content(3))
    assert isinstance(await benefits.take(HANA, "taxi", 2), Taken)
    assert set(await benefits._spool.beside("benefit.")) == {"benefit.taxi.1"}
    assert await benefits._spool.beside("other.") == {}
    benefits._spool.close()


def test_a_killed_device_has_counted_all_that_it_said_and_nothing_twice(tmp_path: Path) -> None:
    said: dict[str, int] = {}
    for round_ in range(8):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.benefit.taking_child", str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.05 * round_)
        child.send_signal(signal.SIGKILL)
        for line in child.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                what, use, units = line.split()
                said[use] = int(units) if what == "taken" else 0
        child.wait(60)
        child.stdout.close()
        _check(tmp_path, said)
    assert len(said) > 8


def _check(folder: Path, said: dict[str, int]) -> None:
    spool = Spool(folder / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=lambda: NOW)
    records = [codec.decode_body("benefit_use", one.body) for one in spool.recent("benefit_use", 100_000)]
    backs = {one.takes_back for one in records if one.takes_back}
    uses = {one.use: one.units for one in records if not one.takes_back}
    assert len(uses) + len(backs) == len(records)
    # Told as taken: there; told as given back: taken off.
    assert {use: units for use, units in said.items() if units and use not in backs}.items() <= uses.items()
    assert {use for use, units in said.items() if not units} <= backs
    counted = rule.used_so_far(content(1).allowances[0], _count(spool))
    assert counted == sum(units for use, units in uses.items() if use not in backs)
    assert records[-1].used == counted
    spool.close()


def _count(spool: Spool) -> Count:
    return msgspec.json.decode(spool.beside("benefit.")["benefit.taxi.1"], type=Count)


@given(
    limit=st.integers(0, 20),
    told_used=st.integers(0, 10),
    own=st.none() | st.integers(0, 20),
    units=st.integers(-1, 25),
    before_ms=st.integers(-2, 2),
    clock=st.sampled_from(["synced", "held", "unset"]),
)
def test_never_more_than_the_limit_never_after_the_end_never_without_a_clock(
    limit: int, told_used: int, own: int | None, units: int, before_ms: int, clock: str
) -> None:
    now = NOW._replace(at_ms=FAR_MS - before_ms, clock=clock)  # type: ignore[arg-type]
    counts = {} if own is None else {"taxi.1": Count(own)}
    found = rule.decide(content(limit, used=told_used), counts, HANA, "taxi", units, now)
    used = max(told_used, own or 0)
    may = units >= 1 and used + units <= limit and before_ms > 0 and clock != "unset"
    assert isinstance(found, May) == may
    if isinstance(found, May):
        assert found.used == used
    elif found.reason == "not_enough":
        assert 0 < found.left == limit - used < units


@given(st.binary(max_size=300))
def test_bytes_that_are_no_purse_say_so_and_nothing_of_their_content(data: bytes) -> None:
    with pytest.raises(BadPurse):
        purse.unpack(data)


def test_a_purse_is_the_same_bytes_and_grows_only() -> None:
    told = content(3, used=1, balance=7)
    assert purse.unpack(purse.pack(told)) == told
    expected = (
        b'{"card_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","benefits":[{"code":"taxi",'
        b'"name_ja":"\xe3\x82\xbf\xe3\x82\xaf\xe3\x82\xb7\xe3\x83\xbc\xe5\x88\xb8","name_en":"Taxi voucher",'
        b'"unit_ja":"\xe6\x9e\x9a","unit_en":"vouchers","unit_yen":600}],"allowances":[["taxi.1",'
        b'"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","taxi",3,4000000000000,7,1]]}'
    )
    assert purse.as_json(told) == expected
    # As it was before `used`, and as a later hub may write it.
    older = expected.replace(b",7,1]", b",7]")
    later = expected.replace(b",7,1]", b',7,1,"more"]').replace(b'{"card_key"', b'{"new":1,"card_key"')
    assert purse.unpack(zlib.compress(older)).allowances[0].used == 0
    assert purse.unpack(zlib.compress(later)) == told
