"""What packets say, and which session they are of."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wifi import radius_record
from hub.wifi.radius_record import BadRecord, Run, Said
from tests.wifi.radius.parts import AT_S, told, use

ARRIVED_MS = (AT_S + 40) * 1000


def test_rlm_rest_and_plain_forms_say_the_same() -> None:
    plain = {"Acct-Status-Type": 3, "Acct-Session-Id": "S1", "NAS-IP-Address": "192.0.2.1", "Acct-Input-Octets": 100}
    typed = {
        "Acct-Status-Type": {"type": "integer", "value": ["Interim-Update"]},
        "Acct-Session-Id": {"type": "string", "value": ["S1", "another"]},
        "NAS-IP-Address": {"type": "ipaddr", "value": ["192.0.2.1"]},
        "Acct-Input-Octets": {"type": "integer", "value": [100]},
    }
    listed = {name: [value] for name, value in plain.items()}
    as_text = {name: str(value) for name, value in plain.items()}
    said = [
        radius_record.read(radius_record.attributes(json.dumps(one).encode()), ARRIVED_MS)
        for one in (plain, typed, listed, as_text)
    ]
    assert said[0].up_bytes == 100
    assert said == [said[0]] * 4


def test_gigawords_are_the_upper_half() -> None:
    said = radius_record.read(told("Interim-Update", **use(100, 5, 60, up_giga=1, down_giga=3)), ARRIVED_MS)
    assert (said.up_bytes, said.down_bytes) == (4_294_967_396, 3 * 2**32 + 5)


@pytest.mark.parametrize(
    ("stamp", "delay", "expected_s"),
    [
        (AT_S, None, AT_S),
        # What is sent again keeps its Event-Timestamp, and says in Acct-Delay-Time since when it is tried.
        (AT_S, 30, AT_S),
        (datetime.fromtimestamp(AT_S, UTC).strftime("%b %e %Y %H:%M:%S UTC"), 30, AT_S),
        (datetime.fromtimestamp(AT_S + 9 * 3600, UTC).strftime("%b %e %Y %H:%M:%S JST"), None, AT_S),
        (None, 30, AT_S + 10),
        (None, None, AT_S + 40),
        # A clock that was never set, one of next year, and no time at all.
        (1200, 30, AT_S + 10),
        (AT_S + 400 * 86_400, 30, AT_S + 10),
        ("Feb 30 2026 10:00:00 UTC", 30, AT_S + 10),
        ("now", None, AT_S + 40),
        ("May 20 2026 00:00:00 XYZ", None, AT_S + 40),
    ],
)
def test_when_it_happened(stamp: object, delay: object, expected_s: int) -> None:
    more = {"event_timestamp": stamp, "acct_delay_time": delay}
    assert radius_record.read(told("Start", **more), ARRIVED_MS).at_ms == expected_s * 1000


def test_a_session_began_as_long_before_as_it_says() -> None:
    assert radius_record.read(told("Stop", **use(1, 1, 90)), ARRIVED_MS).began_ms == (AT_S - 90) * 1000
    assert radius_record.read(told("Stop"), ARRIVED_MS).began_ms is None
    assert radius_record.read(told("Start"), ARRIVED_MS).began_ms == AT_S * 1000


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("User-Request", "user"),
        (1, "user"),
        ("Idle-Timeout", "idle"),
        ("Session-Timeout", "time"),
        ("Admin-Reset", "admin"),
        ("NAS-Reboot", "power"),
        ("Lost-Carrier", "lost"),
        (None, "lost"),
        ("Something-New", "lost"),
    ],
)
def test_why_it_ended(cause: object, expected: str) -> None:
    assert radius_record.read(told("Stop", acct_terminate_cause=cause), ARRIVED_MS).cause == expected
    assert radius_record.read(told("Interim-Update", acct_terminate_cause=cause), ARRIVED_MS).cause == ""


@pytest.mark.parametrize(
    "more",
    [
        {"acct_status_type": None},
        {"acct_status_type": "Tunnel-Start"},
        {"acct_session_id": None},
        {"nas_identifier": None},
        {"acct_input_octets": "many"},
        {"acct_input_octets": -1},
        {"acct_session_time": "1.5"},
    ],
)
def test_what_is_no_accounting_is_refused_in_one_sentence(more: dict[str, object]) -> None:
    with pytest.raises(BadRecord) as refused:
        radius_record.read(
            {**told("Stop"), **told("Stop", **more)} if None not in more.values() else told("Stop", **more), ARRIVED_MS
        )
    assert "expected" in str(refused.value)
    assert "somebody" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRecord):
        radius_record.attributes(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "value", "x"]), inner, max_size=3)
        ),
    )
)
def test_whatever_an_attribute_is_nothing_breaks(value: object) -> None:
    body = json.dumps({**told("Stop"), "Acct-Input-Octets": value, "Event-Timestamp": value, "Acct-Session-Id": value})
    try:
        said = radius_record.read(radius_record.attributes(body.encode()), ARRIVED_MS)
    except BadRecord:
        return
    assert 0 <= said.up_bytes < 2**63
    assert said.session


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("02-00-5E-10-00-01", "02:00:5e:10:00:01"),
        ("02:00:5e:10:00:01", "02:00:5e:10:00:01"),
        ("0200.5e10.0001", "02:00:5e:10:00:01"),
        ("02005E100001", "02:00:5e:10:00:01"),
        ("guest@example.jp", ""),
        ("", ""),
    ],
)
def test_a_device_has_one_address_however_it_is_written(text: str, expected: str) -> None:
    assert radius_record.address(text) == expected


def _said(at_ms: int, began_ms: int | None = None) -> Said:
    return Said("interim", "nas", at_ms, "S1", began_ms=began_ms)


def test_a_name_that_is_given_again_is_another_session() -> None:
    first, second = Run(0, 1000, 5000), Run(1, 9000, None)
    assert radius_record.which([], _said(1000, 1000)) is None
    # Late, twice, or after the end: still the first.
    for at_ms in (1000, 3000, 5000, 6000):
        assert radius_record.which([first], _said(at_ms, 1000)) is first
    assert radius_record.which([first], _said(9000, 9000)) is None
    assert radius_record.which([first, second], _said(9500, 9000)) is second
    assert radius_record.which([first, second], _said(4000, 1000)) is first
    # Nobody said that the first has ended: it may go on.
    assert radius_record.which([Run(0, 1000, None)], _said(9000, 9000)) is not None
    assert radius_record.which([second], _said(2000, 2000)) is second
