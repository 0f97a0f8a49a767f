"""What a tablet shows is what the hub explains a bill with: the same figure from the same samples."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.clock import Stamp
from edge_agent.tablet import usage_view
from edge_agent.tablet.usage_book import UsageBook
from edge_agent.tablet.usage_view import Left, Link, Sample, Used, left_of, month_of, used
from hub.tablet import metering
from wire.messages import Interface, Usage

# 2026-11-30 20:00 in Japan: four hours before a month ends.
EVENING_MS = 1_796_036_400_000
HOUR_MS = 3_600_000
_KINDS: dict[Link, metering.Kind] = {"mobile": "sim", "wifi": "wifi"}

# What happens between two samples: minutes, bytes each way, and what befalls the counter.
_step = st.tuples(
    st.integers(0, 400),
    st.integers(0, 3_000_000_000),
    st.integers(0, 2_000_000),
    st.sampled_from(["", "", "", "", "boot", "back", "card"]),
)
_series = st.tuples(st.sampled_from(["wwan0", "wlan0"]), st.sampled_from([32, 64]), st.lists(_step, max_size=25))


def _walk(iface: str, bits: int, steps: list[tuple[int, int, int, str]]) -> list[Sample]:
    """The samples of one interface: counters as a kernel of these bits would show them."""
    link: Link = "mobile" if iface == "wwan0" else "wifi"
    boot, at_ms, boot_ms, rx, tx, sim = 0, EVENING_MS, EVENING_MS - HOUR_MS, 5_000, 700, 1
    found = []
    for minutes, more_rx, more_tx, what in [(0, 0, 0, ""), *steps]:
        at_ms += minutes * 60_000
        if what == "boot":
            boot, boot_ms, rx, tx = boot + 1, max(boot_ms, at_ms - 1_000), 0, 0
        elif what == "back":
            rx = tx = 0
        elif what == "card":
            sim += 1
        rx, tx = rx + more_rx, tx + more_tx
        shown = (rx % 2**bits, tx % 2**bits)
        card = f"card-{sim}" if link == "mobile" else ""
        found.append(Sample(f"boot-{boot}", at_ms, iface, link, *shown, card, bits, boot_ms))
    return found


def _at_the_hub(samples: list[Sample], since_ms: int | None) -> metering.Metered:
    """The same as the hub counts it: a 32-bit counter is a series for each direction (`metering.Sample`)."""
    told = []
    for seq, one in enumerate(samples, 1):
        series = [(one.iface, one.rx_bytes + one.tx_bytes)]
        if one.bits == 32:
            series = [(f"{one.iface}:rx", one.rx_bytes), (f"{one.iface}:tx", one.tx_bytes)]
        told += [
            metering.Sample(
                boot=one.boot,
                seq=seq,
                bytes=amount,
                iface=name,
                kind=_KINDS[one.link],
                at_ms=one.at_ms,
                bits=32 if one.bits == 32 else 64,
                sim=one.sim,
                boot_ms=one.boot_ms,
            )
            for name, amount in series
        ]
    return metering.meter(told, metering.Loan(since_ms))


@settings(deadline=None)
@given(_series, st.one_of(st.none(), st.integers(-HOUR_MS, 8 * HOUR_MS)))
def test_it_is_the_hubs_own_figure(
    series: tuple[str, int, list[tuple[int, int, int, str]]], after_ms: int | None
) -> None:
    samples = _walk(*series)
    since_ms = None if after_ms is None else EVENING_MS + after_ms
    hub = _at_the_hub(samples, since_ms)
    for month in ("2026-10", "2026-11", "2026-12", "2027-01"):
        assert used(samples, month, since_ms=since_ms) == Used(hub.billable.get(month, 0), hub.wifi.get(month, 0))


@settings(deadline=None)
@given(_series)
def test_of_several_cards_only_the_lines_own_counts(series: tuple[str, int, list[tuple[int, int, int, str]]]) -> None:
    samples = _walk(*series)
    hub = _at_the_hub(samples, None)
    for sim in ("card-1", "card-2"):
        shown = used(samples, "2026-11", sim=sim)
        assert shown.mobile_bytes == hub.by_sim.get(sim, {}).get("2026-11", 0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_series)
def test_the_book_shows_the_same_although_it_keeps_less(
    tmp_path_factory: pytest.TempPathFactory, series: tuple[str, int, list[tuple[int, int, int, str]]]
) -> None:
    samples = _walk(*series)
    book = UsageBook(tmp_path_factory.mktemp("book"))
    for one in samples:
        assert one.boot_ms is not None
        stamp = Stamp(one.boot, one.at_ms - one.boot_ms, one.at_ms, "synced")
        told = Interface(one.iface, one.rx_bytes, one.tx_bytes, one.link, one.sim, 32 if one.bits == 32 else 64)
        book.put(Usage((told,)), stamp)
    kept = book.samples()
    book.close()
    assert len(kept) <= len(samples)
    for month in ("2026-11", "2026-12"):
        assert used(kept, month) == used(samples, month)


def test_each_case_of_metering_shows_the_same_on_the_tablet() -> None:
    """The cases of the town's own list, read as a tablet's samples."""
    cases = Path("tests/tablet/metering/cases/metering.json")
    told = json.loads(cases.read_text(encoding="utf-8")) if cases.exists() else []
    for case in told:
        given_ = case["given"]
        samples = [
            Sample(
                one["boot"],
                _ms(one["at"]),
                one["iface"],
                "mobile" if one["kind"] == "sim" else "wifi",
                one["bytes"],
                0,
                bits=given_.get("counter_bits", 64),
            )
            for one in given_["samples"]
            if one["kind"] != "tunnel"
        ]
        since = given_.get("loan", {}).get("from")
        for month, expected in case["expect"]["billable_bytes"].items():
            shown = used(samples, month, since_ms=_ms(since) if since else None)
            assert shown.mobile_bytes == expected, case["id"]
    assert told


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("included", "spent", "left", "level"),
    [
        (3000, 0, 3000, "fine"),
        (3000, 2699, 301, "fine"),
        (3000, 2700, 300, "little"),
        (3000, 2999, 1, "little"),
        (3000, 3000, 0, "over"),
        (3000, 9000, 0, "over"),
    ],
)
def test_what_is_left_has_a_word(included: int, spent: int, left: int, level: usage_view.Level) -> None:
    assert left_of(included, spent) == Left(left, level)


def test_months_are_japans() -> None:
    midnight_ms = EVENING_MS + 4 * HOUR_MS
    assert (month_of(midnight_ms - 1), month_of(midnight_ms)) == ("2026-11", "2026-12")
