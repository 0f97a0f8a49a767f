"""Random documents: typed layers as officers can say them, and plain trees whose tables and leaves keep apart."""

from typing import Any

from hypothesis import strategies as st

_TIME = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
_DAY = st.dates().filter(lambda day: day.year > 1999).map(lambda day: day.isoformat())


def _said(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these keys, each with a value or taken out."""
    return st.fixed_dictionaries({}, optional={key: value | st.none() for key, value in values.items()})


@st.composite
def _hours(draw: st.DrawFn) -> list[str]:
    minutes = sorted(draw(st.sets(st.integers(0, 1439), max_size=6)))
    pairs = list(zip(minutes[::2], minutes[1::2], strict=False))[:3]
    return [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in pairs]


_SECONDS = st.integers(1, 86_400)
_LANGUAGE = st.sampled_from(["ja", "en"])
OPENING = _said(
    **dict.fromkeys(("monday", "tuesday", "saturday", "sunday", "open_days_hours"), _hours()),
    holidays_closed=st.booleans(),
    closed_days=st.lists(_DAY, max_size=4),
    open_days=st.lists(_DAY, max_size=4),
)
TERMINAL = _said(
    clock_out_from=_TIME,
    debounce_s=st.integers(0, 3600),
    language=_LANGUAGE,
    sound=st.booleans(),
    volume=st.integers(0, 100),
    benefits=st.booleans(),
)
TABLET = _said(
    language=_LANGUAGE,
    text_size=st.sampled_from(["normal", "large", "largest"]),
    home=st.lists(st.just("https://town.example/a"), max_size=3),
    quiet_from=_TIME,
    quiet_until=_TIME,
    allowed=st.lists(st.sampled_from(["www.town.example", "bus.example"]), max_size=2),
    content_mb=st.integers(0, 999_999),
    volume=st.integers(0, 100),
    light=st.integers(0, 100),
    speech=st.booleans(),
    benefits=st.booleans(),
)
ACCESS_POINT = _said(
    network_name=st.text("abc 町", min_size=1, max_size=10),
    security=st.sampled_from(["open", "owe", "wpa2", "wpa3"]),
    passphrase=st.sampled_from(["", "sakura-no-machi", "0123456789"]),
    staff_network_name=st.text("abc", max_size=32),
    opening_follows=st.booleans(),
    session_minutes=st.integers(1, 1440),
    extensions=st.integers(0, 100),
    idle_minutes=st.integers(1, 1440),
    down_kbit=st.integers(64, 1_000_000),
    up_kbit=st.integers(64, 1_000_000),
    quota_mb=st.integers(0, 999_999),
    slow_kbit=st.integers(64, 999_999),
    confirmation=st.sampled_from(["none", "email"]),
    vouchers=st.booleans(),
    garden=st.lists(st.sampled_from(["www.town.example", "bus.example", "a-b.c-d.example"]), max_size=3),
)
_COMMON = {
    "health_every_s": _SECONDS | st.none(),
    "usage_every_s": _SECONDS | st.none(),
    "bulk_every_s": _SECONDS | st.none(),
    "lease_days": st.integers(0, 365) | st.none(),
    "contact": st.text(max_size=30).filter(lambda text: text.isprintable()) | st.none(),
    "opening": OPENING,
}
LAYERS = st.fixed_dictionaries(
    {}, optional={**_COMMON, "terminal": TERMINAL, "tablet": TABLET, "access_point": ACCESS_POINT}
)
TERMINAL_LAYERS = st.fixed_dictionaries({}, optional={**_COMMON, "terminal": TERMINAL})

_LEAF = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2) | st.lists(st.integers(0, 2), max_size=2)
)


def _tree(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Keys in capitals hold tables and the others leaves, in every tree: a key is a table in all of them or in none."""
    return st.builds(
        lambda tables, leaves: {**tables, **leaves},
        st.dictionaries(st.sampled_from("ABC"), inner, max_size=3),
        st.dictionaries(st.sampled_from("abc"), _LEAF, max_size=3),
    )


TREES = st.recursive(st.dictionaries(st.sampled_from("abc"), _LEAF, max_size=3), _tree, max_leaves=12)
