"""The months that are kept are the fold of the samples: in order, late, twice, with boots that come back."""

import random
import tempfile
import weakref
from collections.abc import Callable
from functools import cache as once
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Connection, Db
from hub.tablet import metering, usage_store
from hub.tablet.usage_store import Used
from hub.told import Told
from tests.tablet.usage.parts import (
    EVENING_MS,
    GB,
    HOUR_MS,
    SIM,
    cache,
    enter_line,
    enter_use,
    fold,
    mobile,
    reading,
    take,
    told,
    wifi,
)
from wire.messages import Interface

T = TypeVar("T")
Settings = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Undone(Exception):
    """Raised to leave a database as it was."""


def trying(fn: Callable[[Connection], None]) -> None:
    """Runs a test in a transaction of a database that is made once, and takes everything back."""

    def write(conn: Connection) -> None:
        fn(conn)
        raise Undone

    try:
        shared().write_now(write)
    except Undone:
        return


@once
def shared() -> Db:
    """The database of the properties."""
    folder = tempfile.TemporaryDirectory()
    weakref.finalize(db := Db(Path(folder.name) / "hub.db"), folder.cleanup)
    db.open()
    return db


@st.composite
def readings(draw: st.DrawFn) -> list[Told]:
    """What one tablet sent, in its order: boots, a fresh disk now and then, cards, 32-bit counters."""
    found: list[Told] = []
    at_ms, seq, lane, sim = EVENING_MS, 0, 5, SIM
    for boot in range(1, draw(st.integers(1, 4)) + 1):
        if draw(st.booleans()) and boot > 1:
            lane, seq = lane + 1, 0
        counters, mono = {"wwan0": 0, "wlan0": 0}, 0
        bits = draw(st.sampled_from([64, 64, 32]))
        for _ in range(draw(st.integers(1, 6))):
            step = draw(st.integers(0, 40 * 60_000) | st.sampled_from([-HOUR_MS, 40 * 24 * HOUR_MS]))
            at_ms, mono, seq = at_ms + step, mono + max(step, 0), seq + draw(st.integers(1, 3))
            sim = draw(st.sampled_from([sim, sim, sim, "2", ""]))
            for name, total in counters.items():
                counters[name] = max(0, total + draw(st.integers(0, 1000) | st.just(-500)))
            shown: list[Interface] = []
            if draw(st.booleans()):
                shown.append(mobile(counters["wwan0"], sim, bits=bits))
            if draw(st.booleans()):
                shown.append(wifi(counters["wlan0"]))
            shown.append(Interface("tun0", 10**9, 10**9, "tunnel"))
            occasion = draw(st.sampled_from(["round", "round", "midnight", "shutdown"]))
            found.append(told(seq, *shown, at_ms=at_ms, boot_id=boot, lane_id=lane, mono_ms=mono, occasion=occasion))
    return found


@Settings
@given(readings(), st.integers(1, 5))
def test_months_are_the_fold_of_what_came(found: list[Told], at_once: int) -> None:
    def try_it(conn: Connection) -> None:
        for end in range(0, len(found), at_once):
            usage_store.take(conn, found[end : end + at_once])
            assert cache(conn) == fold(found[: end + at_once])
        assert not usage_store.fold_device(conn, 1), "the cache is not the fold of what is stored"

    trying(try_it)


@Settings
@given(readings(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_in_any_order_and_twice_it_is_the_same(found: list[Told], at_once: int, chance: random.Random) -> None:
    def try_it(conn: Connection) -> None:
        mixed = [*found, *chance.sample(found, len(found) // 2)]
        chance.shuffle(mixed)
        take(conn, mixed, at_once)
        assert cache(conn) == fold(found)
        assert not usage_store.fold_device(conn, 1)

    trying(try_it)


@Settings
@given(readings(), st.data())
def test_what_a_line_used_is_the_fold_cut_to_its_dates(found: list[Told], data: st.DataObject) -> None:
    ends = sorted(data.draw(st.lists(st.integers(-40 * 24, 90 * 24), min_size=2, max_size=2, unique=True)))
    from_ms, to_ms = (EVENING_MS + hours * HOUR_MS for hours in ends)
    is_open, known = data.draw(st.booleans()), data.draw(st.booleans())
    sim = SIM if known else ""

    came = data.draw(st.permutations(found)) if data.draw(st.booleans()) else found

    def try_it(conn: Connection) -> None:
        take(conn, came, 4)
        enter_line(conn, 1, sim)
        first, last = (f"{metering.month_of(at_ms)}-01" for at_ms in (from_ms, to_ms))
        enter_use(conn, first=first, last="" if is_open else last, from_ms=from_ms, to_ms=0 if is_open else to_ms)
        cut = fold(found, metering.Loan(from_ms, None if is_open else to_ms))
        for month in ("2026-10", "2026-11", "2026-12", "2027-01", "2027-02", "2027-03"):
            of_month = {key: amount for key, amount in cut.items() if key[0] == month}
            sums = dict.fromkeys(("sim", "wifi"), 0)
            for (_, card, what), amount in of_month.items():
                if what in sums and (card in ("", sim) or not sim):
                    sums[what] += amount
            got = usage_store.used(conn, month).get(1, Used())
            assert (got.sim_bytes, got.wifi_bytes) == (sums["sim"], sums["wifi"]), month

    trying(try_it)


def test_a_fresh_disk_goes_on_behind_what_it_sent_before(db: Db) -> None:
    def write(conn: Connection) -> dict[tuple[str, str, str], int]:
        usage_store.take(conn, [told(900, mobile(100)), told(901, mobile(400))])
        usage_store.take(conn, [told(1, mobile(50), boot_id=2, lane_id=2), told(2, mobile(70), boot_id=2, lane_id=2)])
        return cache(conn)

    found = db.write_now(write)
    assert found == {("2026-11", SIM, "sim"): 370, ("2026-11", SIM, "TAIL_LOST_POSSIBLE"): 1}


def test_a_boot_that_comes_back_is_folded_in_its_place(db: Db) -> None:
    """Records of a copied device that were kept apart come in a lane of their own."""
    found = [
        told(1, mobile(100)),
        told(2, mobile(300), boot_id=2),
        told(1, mobile(250), boot_id=1, lane_id=7),
        told(2, mobile(900), boot_id=3, lane_id=7),
    ]

    def write(conn: Connection) -> None:
        for one in found:
            usage_store.take(conn, [one])
        assert cache(conn) == fold(found)
        assert not usage_store.fold_device(conn, 1)

    db.write_now(write)


def test_a_clock_that_was_wrong_is_put_right_later(db: Db) -> None:
    """A tablet with an empty battery counts at 1970, and its bytes go to the month of its clock reading."""
    long_ago = [told(n, mobile(n * 100), at_ms=EVENING_MS, mono_ms=n * 1000, clock=2) for n in (1, 2, 3)]

    def write(conn: Connection) -> None:
        usage_store.take(conn, long_ago)
        assert cache(conn) == {("2026-11", SIM, "sim"): 200}
        usage_store.take(conn, [reading(1, 1, EVENING_MS + 40 * 24 * HOUR_MS, 5000)])
        assert cache(conn) == {("2027-01", SIM, "sim"): 200}
        # A second reading that says the same within a minute moves nothing.
        before = conn.total_changes
        usage_store.take(conn, [reading(1, 1, EVENING_MS + 40 * 24 * HOUR_MS + 20_000, 6000)])
        assert conn.total_changes == before

    db.write_now(write)


def test_a_card_in_another_tablet_is_still_the_lines(db: Db) -> None:
    def write(conn: Connection) -> None:
        enter_line(conn)
        enter_use(conn, device_id=1, first="2026-04-01")
        early = EVENING_MS - 20 * 24 * HOUR_MS
        for device_id in (1, 2):
            readings_of = [
                told(n, mobile(n * GB), wifi(n * 7), device_id=device_id, at_ms=early + n * 5 * 24 * HOUR_MS)
                for n in (0, 1, 2)
            ]
            usage_store.take(conn, readings_of)
        # The Wi-Fi is the tablet's own: the other one's is not the line's.
        assert usage_store.used(conn, "2026-11") == {1: Used(4 * GB, 14)}

    db.write_now(write)


def test_two_residents_of_one_month_share_it_by_the_hand_over(db: Db) -> None:
    def write(conn: Connection) -> None:
        for line_id, device in ((1, 1), (2, 1)):
            enter_line(conn, line_id, "")
            days = ("2026-11-01", "2026-11-10") if line_id == 1 else ("2026-11-11", "")
            enter_use(conn, line_id=line_id, device_id=device, first=days[0], last=days[1])
        start = EVENING_MS - 30 * 24 * HOUR_MS
        take(conn, [told(n, mobile(n * 100, ""), at_ms=start + (n - 1) * 24 * HOUR_MS) for n in range(1, 31)], 7)
        found = usage_store.used(conn, "2026-11")
        whole = usage_store.of_devices(conn, "2026-11")[1].sim_bytes
        assert found[1].sim_bytes + found[2].sim_bytes == whole == 2900 - 4
        assert found[1].sim_bytes == 1000

    db.write_now(write)


def test_an_iccid_is_the_same_however_a_modem_writes_it() -> None:
    assert usage_store.plain_sim("8981 1000-0000f") == usage_store.plain_sim("898110000000")
