"""Messages as hypothesis draws them: any that the types allow."""

from datetime import date
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from wire import codec
from wire.messages import (
    INT64_MAX,
    LANES,
    Ack,
    Alarm,
    Batch,
    Bundle,
    Cause,
    Certificate,
    ClockReading,
    Consent,
    Desired,
    DisasterReport,
    Down,
    Drift,
    Dropped,
    Grant,
    Health,
    Held,
    Interface,
    Inventory,
    Kit,
    KitReport,
    Lane,
    Network,
    Order,
    Paper,
    Presence,
    ProcessState,
    Punch,
    Record,
    Renewal,
    Reported,
    Result,
    Roam,
    Roster,
    RosterReport,
    SelfCheck,
    TermsLanguage,
    Usage,
    Way,
    WifiSession,
    WifiState,
)
from wire.tablet import Answer, BenefitUse, ContentSeen, HelpAsk, Modem, PaperReport, TabletState

counts = st.one_of(st.integers(0, 9), st.integers(0, INT64_MAX))
seqs = st.one_of(st.integers(1, 9), st.integers(1, INT64_MAX))
millis = st.one_of(st.integers(-9, 9), st.integers(-INT64_MAX, INT64_MAX))
# UTF-8 has no lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
spools = st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
lanes: st.SearchStrategy[Lane] = st.sampled_from(LANES)
kinds = st.from_regex(r"[a-z][a-z_]{0,31}", fullmatch=True)
qualities = st.sampled_from(["synced", "held", "unset"])
cards = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
identifiers = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
signatures = st.from_regex(r"[A-Za-z0-9_-]{86}", fullmatch=True)

processes = st.builds(ProcessState, texts, texts, counts)
interfaces = st.builds(
    Interface,
    texts,
    counts,
    counts,
    st.sampled_from(["wifi", "mobile", "wired", "tunnel", "other"]),
    texts,
    st.sampled_from([32, 64]),
)
BODIES: dict[str, st.SearchStrategy[msgspec.Struct]] = {
    "punch": st.builds(
        Punch,
        cards,
        st.sampled_from(["clock_in", "clock_out"]),
        st.sampled_from(["accepted", "repeat", "unknown", "unsure"]),
        st.sampled_from(["time", "person"]),
        texts,
        st.none() | seqs,
    ),
    "health": st.builds(
        Health,
        counts,
        counts,
        counts,
        counts,
        counts,
        counts,
        version=texts,
        agent_rss=counts,
        temperature_milli_c=st.none() | st.integers(-(2**63), INT64_MAX),
        throttled=st.none() | counts,
        load_milli=st.none() | counts,
        spool_urgent=counts,
        spool_bulk=counts,
        clock_max_error_ms=st.none() | counts,
        processes=st.lists(processes, max_size=3).map(tuple),
        reader=texts,
        reader_since_ms=st.none() | millis,
    ),
    "usage": st.builds(
        Usage, st.lists(interfaces, max_size=3).map(tuple), st.sampled_from(["round", "midnight", "shutdown"])
    ),
    "clock": st.builds(ClockReading, millis, millis, qualities, millis),
    "dropped": st.builds(Dropped, st.dictionaries(texts, counts, max_size=3), lanes, seqs, seqs),
    "alarm": st.builds(Alarm, texts, st.sampled_from(["begun", "ended"]), texts),
    "reported": st.builds(
        Reported,
        texts,
        counts,
        counts,
        st.sampled_from(["applied", "refused", "failed", "rolled_back"]),
        texts,
        st.just("") | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        st.lists(st.builds(Drift, texts, texts, texts), max_size=3).map(tuple),
    ),
    "roster_report": st.builds(RosterReport, texts, counts, st.sampled_from(["applied", "refused"]), texts, counts),
    "result": st.builds(
        Result, identifiers, st.sampled_from(["delivered", "done", "failed", "expired", "refused"]), texts
    ),
    "bundle": st.builds(Bundle, identifiers, st.integers(0, 4095), st.integers(1, 4096), texts),
    "renewal": st.builds(Renewal, texts),
    "inventory": st.builds(
        Inventory,
        texts,
        texts,
        texts,
        texts,
        st.none() | st.integers(0, 1100),
        st.none() | st.integers(0, 1000),
        st.none() | counts,
        st.none() | millis,
    ),
}
days = st.dates(date(2026, 1, 1), date(2100, 1, 1)).map(date.isoformat)
languages = st.sampled_from(get_args(TermsLanguage))
ways = st.sampled_from(get_args(Way))
networks = st.builds(Network, texts, st.booleans(), texts, counts, counts, st.none() | counts)
checks = st.builds(SelfCheck, texts, st.booleans(), millis, texts)
BODIES |= {
    "wifi_session": st.builds(
        WifiSession,
        identifiers,
        texts,
        seqs,
        millis,
        millis,
        counts,
        counts,
        identifiers,
        days,
        texts,
        ways,
        st.sampled_from(get_args(Cause)),
        counts,
        st.booleans(),
        st.just("") | identifiers,
        millis,
    ),
    "consent": st.builds(Consent, identifiers, texts, languages, ways, texts, texts, texts, st.booleans()),
    "wifi_state": st.builds(
        WifiState,
        st.sampled_from(["normal", "closed", "disaster", "drill", "off"]),
        st.lists(networks, max_size=3).map(tuple),
        counts,
        counts,
        texts,
        st.lists(texts, max_size=3).map(tuple),
        st.lists(checks, max_size=3).map(tuple),
        texts,
        counts,
        texts,
    ),
    "disaster_report": st.builds(
        DisasterReport,
        texts,
        st.sampled_from(["begun", "ended", "drilled", "refused"]),
        st.sampled_from(["order", "button", "time", "restart"]),
        millis,
        st.lists(texts, max_size=3).map(tuple),
    ),
    "kit_report": st.builds(KitReport, texts, counts, st.sampled_from(["applied", "refused"]), texts),
}
percents = st.none() | st.integers(0, 100)
modems = st.builds(Modem, texts, texts, texts, texts, texts, st.booleans(), percents)
BODIES |= {
    "paper_report": st.builds(PaperReport, kinds, texts, counts, st.sampled_from(["applied", "refused"]), texts),
    "tablet_state": st.builds(
        TabletState,
        percents,
        st.none() | st.booleans(),
        st.lists(modems, max_size=3).map(tuple),
        st.sampled_from(["wifi", "mobile", "wired", "none", "unknown"]),
        counts,
        counts,
        texts,
    ),
    "content": st.builds(ContentSeen, identifiers, st.sampled_from(["fetched", "opened", "dropped"])),
    "answer": st.builds(Answer, identifiers, st.lists(st.lists(texts, max_size=3).map(tuple), max_size=3).map(tuple)),
    "help_ask": st.builds(HelpAsk, identifiers, st.sampled_from(["asked", "taken_back"]), texts),
    "benefit_use": st.builds(
        BenefitUse,
        identifiers,
        texts,
        st.integers(1, 10_000),
        counts,
        st.just("") | identifiers,
        st.just("") | identifiers,
        millis,
    ),
}
known_bodies = st.sampled_from(sorted(BODIES)).flatmap(
    lambda kind: BODIES[kind].map(lambda body: (kind, codec.encode_body(body)))
)
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | millis | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
unknown_bodies = st.tuples(kinds.filter(lambda kind: kind not in BODIES), json_values.map(msgspec.json.encode))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """A batch in ascending order, with gaps, of known and unknown kinds."""
    after = draw(st.integers(0, 99) | st.integers(0, INT64_MAX // 2))
    seq, records = after, []
    for kind, body in draw(st.lists(known_bodies | unknown_bodies, max_size=6)):
        seq += draw(st.integers(1, 3))
        stamp = (draw(texts), draw(millis), draw(millis), draw(qualities))
        records.append(Record(seq, kind, *stamp, msgspec.Raw(body)))  # type: ignore[arg-type]
    return Batch(draw(spools), draw(lanes), after, tuple(records), draw(counts))


acks = st.builds(Ack, spools, lanes, counts, texts, st.booleans())
papers = st.lists(st.builds(Held, kinds, texts, counts), max_size=3).map(tuple)
presences = st.builds(
    Presence, st.booleans(), texts, counts, texts, texts, counts, counts, texts, texts, texts, counts, papers
)

# What may be signed: JSON without fractions.
plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | millis | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(texts, plain_values, max_size=4)
orders = st.builds(Order, identifiers, kinds, documents, millis, identifiers, signatures)
grants = st.builds(Grant, identifiers, identifiers, days, millis, counts, counts, counts, texts)
downs: st.SearchStrategy[Down] = st.one_of(
    st.builds(Desired, texts, counts, documents, signatures),
    orders,
    st.builds(Certificate, texts),
    st.builds(Roster, texts, counts, texts, signatures),
    st.builds(Kit, texts, counts, texts, signatures),
    st.builds(Paper, kinds, texts, counts, texts, signatures),
    st.builds(Roam, st.lists(grants, max_size=3).map(tuple), millis, signatures),
)
