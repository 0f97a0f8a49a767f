"""C9: only what the hub signed for this device, whole and unchanged, is its word."""

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent import verify
from hub.signing import Signing
from tests.clock.hand_time import HandTime
from tests.orders.parts import DEVICE, Desk, changed
from wire import codec
from wire.messages import Order


def test_what_the_hub_signed_is_its_word(desk: Desk, state: Path) -> None:
    order = desk.order("lock", contact="内線 123")
    assert verify.order(state, DEVICE, order) is None
    # As it comes over the wire.
    assert codec.decode_down(codec.encode(order)) == order
    told = desk.signing.desired(DEVICE, "a", 1, {"x": [1, None, "é"]})
    assert verify.desired(state, DEVICE, told) is None


def test_another_devices_is_not(desk: Desk, state: Path) -> None:
    assert verify.order(state, "terminal-2", desk.order("ping")) == "signature"
    assert verify.desired(state, "terminal-2", desk.signing.desired(DEVICE, "a", 1, {})) == "signature"


def test_another_hubs_is_not(desk: Desk, state: Path, tmp_path: Path) -> None:
    other = Desk(tmp_path / "elsewhere", HandTime())
    assert verify.order(state, DEVICE, other.order("ping")) == "signature"


@pytest.mark.parametrize("key", [None, "", "short", "é" * 43, base64.urlsafe_b64encode(bytes(31)).decode(), "!" * 43])
def test_without_the_hubs_key_nothing_is(desk: Desk, state: Path, key: str | None) -> None:
    path = state / "identity" / "orders.pub"
    path.unlink()
    if key is not None:
        path.write_text(key)
    assert verify.order(state, DEVICE, desk.order("ping")) == "no_key"


_CHANGES = st.one_of(
    st.fixed_dictionaries({"id": st.from_regex("[0-9a-f]{32}", fullmatch=True)}),
    st.fixed_dictionaries({"name": st.sampled_from(["wipe", "pin", "ping "])}),
    st.fixed_dictionaries(
        {"arguments": st.dictionaries(st.text(), st.integers() | st.text() | st.floats(), min_size=1)}
    ),
    st.fixed_dictionaries({"not_after_ms": st.integers(-(2**63) + 1, 2**63 - 1)}),
    st.fixed_dictionaries({"nonce": st.from_regex("[0-9a-f]{32}", fullmatch=True)}),
    st.fixed_dictionaries({"signature": st.from_regex("[A-Za-z0-9_-]{86}", fullmatch=True)}),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(_CHANGES)
def test_nothing_of_it_can_be_changed(desk: Desk, state: Path, change: dict[str, object]) -> None:
    order = desk.order("ping")
    other = changed(order, **change)
    assert verify.order(state, DEVICE, other) == (None if other == order else "signature")


def test_a_desired_state_is_never_taken_for_an_order(desk: Desk, state: Path) -> None:
    order = desk.order("ping")
    told = desk.signing.desired(DEVICE, order.id, 1, {"name": "ping"})
    forged = Order(order.id, "ping", {}, order.not_after_ms, order.nonce, told.signature)
    assert verify.order(state, DEVICE, forged) == "signature"


def test_the_key_is_read_anew(desk: Desk, state: Path, tmp_path: Path) -> None:
    other = Signing(tmp_path / "new-hub")
    (state / "identity" / "orders.pub").write_text(other.public)
    assert verify.order(state, DEVICE, desk.order("ping")) == "signature"
    assert verify.order(state, DEVICE, other.order(DEVICE, "0" * 32, "ping", {}, 1)) is None
