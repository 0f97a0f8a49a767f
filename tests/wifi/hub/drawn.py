"""What hypothesis draws: the tellings of a few sessions, as access points and other makers tell of them."""

from hypothesis import strategies as st

from hub.wifi.session import Told

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
CAUSES = ("user", "idle", "time", "admin", "lost", "power")


@st.composite
def told(draw: st.DrawFn) -> Told:
    """One telling of a session at two access points or at another maker's; nothing in it need be right."""
    by, session = draw(st.sampled_from((("device:1", "a"), ("device:1", "b"), ("device:2", "a"), ("radius:1", "a"))))
    began_ms = NOW_MS - draw(st.integers(0, 8)) * HOUR_MS - draw(st.integers(0, HOUR_MS))
    last_ms = began_ms + draw(st.integers(0, 9 * HOUR_MS))
    cause = draw(st.sampled_from(("", "", *CAUSES)))
    return Told(
        by,
        "boot",
        session * 32,
        draw(st.integers(1, 6)),
        began_ms,
        last_ms,
        draw(st.integers(0, 10**12)),
        draw(st.integers(0, 10**12)),
        last_ms if cause else None,
        cause,  # type: ignore[arg-type]
        draw(st.sampled_from((None, "0" * 32, "1" * 32))),
        "2026-09-21",
        draw(st.sampled_from(("", "Town"))),
        draw(st.sampled_from(("click", "roam"))),
        draw(st.integers(0, 3)),
        draw(st.booleans()),
        draw(st.sampled_from(("", "c" * 32))),
        draw(st.sampled_from((0, NOW_MS + HOUR_MS))),
        int(by.removeprefix("device:")) if by.startswith("device:") else None,
        "library",
    )


tellings = st.lists(told(), max_size=12)
