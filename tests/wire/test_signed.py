"""What is signed: one form a value, and any other device, generation, purpose or document has other bytes."""

import base64
import hashlib
import json
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.wire import drawn
from tests.wire.golden import DESIRED_BYTES, DEVICE, DOCUMENT, DOWNS, INCARNATION, ORDER_BYTES, value
from tests.wire.golden_keys import HUB
from wire import codec, signed
from wire.messages import INT64_MAX, Desired, Order
from wire.signed import NotCanonical

devices = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
desired = st.tuples(devices, drawn.texts, drawn.counts, drawn.documents)


def canonical(of: Any) -> bytes:
    """The same rule, written by somebody else: Python's own JSON."""
    return json.dumps(of, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(desired)
def test_a_desired_state_is_the_sorted_json_of_its_parts(parts: tuple[str, str, int, dict[str, Any]]) -> None:
    device, incarnation, generation, document = parts
    assert signed.desired_bytes(*parts) == canonical(
        {
            "purpose": "machinaka desired 1",
            "device": device,
            "incarnation": incarnation,
            "generation": generation,
            "document": document,
        }
    )


@given(devices, drawn.orders)
def test_an_order_is_the_sorted_json_of_all_but_its_signature(device: str, order: Order) -> None:
    plain = {**msgspec.to_builtins(order), "purpose": "machinaka order 1", "device": device}
    del plain["signature"], plain["what"]
    assert signed.order_bytes(device, order) == canonical(plain)


def _shuffled(of: Any, data: st.DataObject) -> Any:
    """An equal value whose tables were filled in another order."""
    if isinstance(of, dict):
        keys = data.draw(st.permutations(list(of)))
        return {key: _shuffled(of[key], data) for key in keys}
    return [_shuffled(each, data) for each in of] if isinstance(of, list) else of


@given(desired, st.data())
def test_a_value_has_one_form(parts: tuple[str, str, int, dict[str, Any]], data: st.DataObject) -> None:
    device, incarnation, generation, document = parts
    expected = signed.desired_bytes(*parts)
    assert signed.desired_bytes(device, incarnation, generation, _shuffled(document, data)) == expected
    over_the_wire = codec.decode_down(codec.encode(Desired(incarnation, generation, document, "s" * 86)))
    assert isinstance(over_the_wire, Desired)
    assert signed.desired_bytes(device, incarnation, generation, over_the_wire.document) == expected


@given(desired, desired)
def test_other_parts_have_other_bytes(
    one: tuple[str, str, int, dict[str, Any]], other: tuple[str, str, int, dict[str, Any]]
) -> None:
    # As JSON: 1 is not true there, as it is in Python.
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert signed.desired_bytes(*one) != signed.desired_bytes(*other)
    for place in range(4):
        changed = [*one]
        changed[place] = other[place]
        same = json.dumps(changed[place], sort_keys=True) == json.dumps(one[place], sort_keys=True)
        assert (signed.desired_bytes(*changed) == signed.desired_bytes(*one)) == same  # type: ignore[arg-type]


@given(devices, devices, drawn.orders, drawn.orders)
def test_any_change_of_an_order_changes_its_bytes(device: str, another: str, order: Order, other: Order) -> None:
    assert (signed.order_bytes(device, order) == signed.order_bytes(another, order)) == (device == another)
    for field in ("id", "name", "arguments", "not_after_ms", "nonce"):
        found, given_ = getattr(order, field), getattr(other, field)
        changed = msgspec.structs.replace(order, **{field: given_})
        same = json.dumps(found, sort_keys=True) == json.dumps(given_, sort_keys=True)
        assert (signed.order_bytes(device, changed) == signed.order_bytes(device, order)) == same


@given(desired, devices, drawn.orders)
def test_a_document_is_never_an_order(parts: tuple[str, str, int, dict[str, Any]], device: str, order: Order) -> None:
    assert signed.desired_bytes(*parts) != signed.order_bytes(device, order)


NOT_CANONICAL: list[tuple[object, str]] = [
    (1.0, r"\$\.document\.a\.b\[1\]: found 1\.0"),
    (float("nan"), "found nan"),
    (float("inf"), "found inf"),
    (INT64_MAX + 1, "whole number of 64 bits"),
    (-INT64_MAX - 1, "whole number of 64 bits"),
    (b"x", "found b'x'"),
    ({1}, r"found \{1\}"),
    ({1: 2}, "the key 1"),
    ({None: 2}, "the key None"),
    ("\ud800", "found '\\\\ud800'"),
    ({"\udfff": 1}, "found '\\\\udfff'"),
]


@pytest.mark.parametrize(("bad", "said"), NOT_CANONICAL, ids=lambda each: repr(each)[:20])
def test_what_has_more_forms_than_one_or_none_is_refused(bad: object, said: str) -> None:
    document = {"a": {"b": [1, bad]}}
    with pytest.raises(NotCanonical, match=said):
        signed.desired_bytes("a", "i", 1, document)
    with pytest.raises(NotCanonical):
        signed.order_bytes("a", Order("0" * 32, "ping", document, 1, "0" * 32, ""))


@given(st.floats(), drawn.documents)
def test_no_fraction_passes_anywhere(fraction: float, document: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical):
        signed.desired_bytes("a", "i", 1, {**document, "x": [{"y": fraction}]})


@pytest.mark.parametrize(("depth", "passes"), [(30, True), (31, True), (32, False), (100_000, False)])
def test_a_document_may_be_nested_so_deep(depth: int, passes: bool) -> None:
    document: dict[str, Any] = {}
    for _ in range(depth - 1):
        document = {"a": document}
    if passes:
        assert signed.desired_bytes("a", "i", 1, {"a": document}).count(b"{") == depth + 2
    else:
        with pytest.raises(NotCanonical, match="more than 32"):
            signed.desired_bytes("a", "i", 1, {"a": document})


def test_a_digest_is_sha_256_in_hex() -> None:
    assert signed.digest(DESIRED_BYTES) == hashlib.sha256(DESIRED_BYTES).hexdigest()


# ---- the golden files


def _raw(signature: str) -> bytes:
    return base64.urlsafe_b64decode(signature + "==")


@pytest.mark.parametrize("name", ["down-desired.json", "down-order.json"])
def test_the_golden_signatures_are_good(name: str) -> None:
    message = DOWNS[name]
    assert isinstance(message, Desired | Order)
    data = _bytes(DEVICE, message)
    assert data == (DESIRED_BYTES if isinstance(message, Desired) else ORDER_BYTES)
    HUB.public_key().verify(_raw(value(name)["signature"]), data)
    with pytest.raises(InvalidSignature):
        HUB.public_key().verify(_raw(value(name)["signature"]), _bytes("terminal-2", message))


def _bytes(device: str, message: Desired | Order) -> bytes:
    if isinstance(message, Desired):
        return signed.desired_bytes(device, message.incarnation, message.generation, message.document)
    return signed.order_bytes(device, message)


@given(drawn.documents)
def test_a_signature_is_of_no_other_document(document: dict[str, Any]) -> None:
    assume(json.dumps(document, sort_keys=True) != json.dumps(DOCUMENT, sort_keys=True))
    with pytest.raises(InvalidSignature):
        HUB.public_key().verify(
            _raw(value("down-desired.json")["signature"]), signed.desired_bytes(DEVICE, INCARNATION, 4, document)
        )
