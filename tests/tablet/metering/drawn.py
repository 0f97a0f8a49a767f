"""Samples by chance: boots that follow one another, resets, wraps, a month's end, cards that are changed."""

from typing import NamedTuple

from hypothesis import strategies as st

from hub.tablet.metering import Kind, Loan, Sample

# 2026-11-30T23:00 in Japan.
EVENING_MS = 1_796_047_200_000
_HOUR_MS = 3_600_000


class Device(NamedTuple):
    """The samples of one device in their true order, and when it was lent."""

    samples: list[Sample]
    loan: Loan


@st.composite
def devices(draw: st.DrawFn) -> Device:
    samples: list[Sample] = []
    seq, at_ms = draw(st.integers(0, 5)), EVENING_MS
    for boot in range(draw(st.integers(1, 4))):
        counters = {"wwan0": 0, "wlan0": 0, "tun0": 0}
        boot_ms = draw(st.none() | st.just(at_ms))
        for _ in range(draw(st.integers(1, 5))):
            # Mostly minutes apart; now and then a clock goes back, or days go by.
            at_ms += draw(st.integers(0, 40 * 60_000) | st.sampled_from([-_HOUR_MS, 0, 40 * 24 * _HOUR_MS]))
            seq += draw(st.integers(1, 3))
            sim = draw(st.sampled_from(["1", "1", "1", "2"]))
            for name in draw(st.sets(st.sampled_from(sorted(counters)), min_size=1)):
                counters[name] = max(0, counters[name] + draw(st.integers(0, 1000) | st.just(-500)))
                samples.append(
                    Sample(
                        boot=f"boot-{9 - boot}",
                        seq=seq,
                        bytes=counters[name],
                        iface=name,
                        kind=_KINDS[name],
                        at_ms=at_ms,
                        bits=draw(st.sampled_from([64, 64, 32])),
                        sim=sim if name == "wwan0" else "",
                        boot_ms=boot_ms,
                        last=draw(st.sampled_from([False, False, True])),
                    )
                )
    ends = st.none() | st.integers(EVENING_MS - _HOUR_MS, EVENING_MS + 6 * _HOUR_MS)
    first, last = draw(ends), draw(ends)
    if first is not None and last is not None:
        first, last = sorted((first, last))
    return Device(samples, Loan(first, last))


_KINDS: dict[str, Kind] = {"wwan0": "sim", "wlan0": "wifi", "tun0": "tunnel"}
