"""Cases by chance: tariffs, rules, lines and grants that a town could have, odd yen and odd days among them."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

MONTHS = ("2026-02", "2026-03", "2026-04", "2026-11", "2027-12", "2028-02")
_AROUND = st.dates(date(2026, 1, 1), date(2028, 4, 30)).map(str)


def _days(month: str) -> st.SearchStrategy[str]:
    """Mostly days of the month, where everything changes."""
    return st.integers(1, 28).map(lambda day: f"{month}-{day:02d}") | _AROUND


@st.composite
def tariffs(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "base_yen": draw(st.integers(0, 6000)),
        "tax_included": draw(st.booleans()),
        "tax_percent": draw(st.sampled_from([10, 10, 8, 0])),
        "tax_rounding": "floor",
        "included_bytes": draw(st.sampled_from([0, 3_000_000_000, 3_221_225_472])),
        "block_bytes": draw(st.sampled_from([1_000_000_000, 1_073_741_824])),
        "block_yen": draw(st.integers(0, 700)),
        "line_fees": draw(
            st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["universal", "relay"]), "yen": st.integers(0, 7)},
                    optional={"from": st.sampled_from(MONTHS[:3]), "to": st.sampled_from(MONTHS[3:])},
                ),
                max_size=3,
            )
        ),
        "prorata": draw(st.sampled_from(["total_then_floor", "daily_floor", "none"])),
    }


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    amount = draw(
        st.sampled_from([{"amount": "full"}, {"amount": "1/2"}, {"amount": "1/3"}, {"amount": "3/7"}, {"amount": "0"}])
        | st.integers(0, 3000).map(lambda yen: {"resident_flat_yen": yen})
        | st.integers(0, 3000).map(lambda yen: {"waived_flat_yen": yen})
    )
    rest = st.fixed_dictionaries(
        {},
        optional={
            "of": st.sampled_from(["fee", "list_price"]),
            "covers": st.sampled_from(["base", "all", "base_alone"]),
            "excludes": st.sampled_from([["overage"], ["roaming"], ["other"], ["relay", "overage"]]),
            "cap_month_yen": st.integers(0, 2500),
            "cap_fiscal_year_yen": st.integers(0, 9000),
            "floor_yen": st.integers(0, 900),
            "start": st.sampled_from(
                ["application_month", "month_after_application", "month_after_decision", "by_day"]
            ),
            "end": st.sampled_from(["end_of_month", "by_day"]),
        },
    )
    return amount | draw(rest)


@st.composite
def cases(draw: st.DrawFn, most_lines: int = 5) -> dict[str, Any]:
    month = draw(st.sampled_from(MONTHS))
    its_rules = {name: draw(rules()) for name in ("a", "b", "c")}
    its_days = _days(month)
    grant = st.fixed_dictionaries(
        {"rule": st.sampled_from(sorted(its_rules)), "applied": its_days, "decided": its_days | st.none()},
        optional={"ended": its_days, "revoked_from": its_days, "starts": its_days, "ref": st.sampled_from(["1", "2"])},
    )
    charge = st.fixed_dictionaries(
        {"name": st.sampled_from(["roaming", "content"]), "yen": st.integers(0, 4000)},
        optional={"tax_percent": st.sampled_from([0, 8, 10]), "tax_included": st.booleans()},
    )
    line = st.fixed_dictionaries(
        {
            "tariff": st.sampled_from(["x", "y"]),
            "used_bytes": st.integers(0, 9_000_000_000) | st.sampled_from([3_000_000_000, 3_000_000_001]),
            "waivers": st.lists(grant, max_size=3),
        },
        optional={
            "invoice": st.sampled_from(["", "other"]),
            "list_price_yen": st.integers(0, 9000),
            "other_charges": st.lists(charge, max_size=2),
            "waived_this_fiscal_year_yen": st.integers(0, 9000),
        },
    )
    lines = []
    for at in range(draw(st.integers(0, most_lines))):
        one = draw(line) | {"id": f"L{at * 7 % 5}{at}"}
        first, last = sorted((draw(its_days), draw(its_days)))
        one |= draw(st.sampled_from([{}, {"from": first}, {"to": last}, {"from": first, "to": last}]))
        lines.append(one)
    how = draw(st.sampled_from(["floor", "ceil", "half_up"]))
    its_tariffs = {name: draw(tariffs()) | {"tax_rounding": how} for name in ("x", "y")}
    return {"month": month, "tariffs": its_tariffs, "rules": its_rules, "lines": lines}
