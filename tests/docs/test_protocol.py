"""The protocol's pages: their example is played through the real rule, and their figures are the code's."""

import base64
import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.fleet import cursor
from tests.wire.golden import payload
from wire import codec, signed, topics
from wire.codec import PLAIN_BYTES, Received
from wire.messages import (
    BATCHES_UNDER_WAY,
    BODY_BYTES,
    LANE_OF_KIND,
    RECORDS_PER_BATCH,
    Batch,
    Certificate,
    Desired,
    Order,
    Record,
    Reported,
    Result,
)

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "protocol"
pages = pytest.mark.parametrize("page", ["README.md", "README.ja.md"])


def _text(page: str) -> str:
    return (FOLDER / page).read_text(encoding="utf-8")


def _numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", text)]


def _batch(told: str) -> Received:
    """The batch in a cell such as "sends after 3: 4, 5, `missing` 2"."""
    after, *rest = _numbers(told.split("after", 1)[1])
    missing = rest.pop() if "`missing`" in told else 0
    records = tuple(Record(seq, "alarm", "b", 1, 1, "synced", msgspec.Raw(b"{}")) for seq in rest)
    return Received(Batch("0" * 16, "urgent", after, records, missing))


@pages
def test_the_worked_example_is_what_the_rule_does(page: str) -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d+) \|$", _text(page), re.MULTILINE)
    assert len(rows) == 8
    at, stored, missing = 0, list[int](), 0
    for device, hub, shown in rows:
        if "after" not in device:
            at = int(shown)  # a backup is restored
            stored = [seq for seq in stored if seq <= at]
        elif not hub.startswith("*"):
            taken = cursor.take(at, _batch(device))
            if taken is not None:
                at, missing = taken.through, missing + taken.missing
                new = [record.seq for record in taken.records]
                stored += new
                assert " ".join(map(str, new)) in hub
            assert (">" in hub) == (taken is None)
            assert at in _numbers(hub)
        assert at == int(shown), (device, hub)
    assert (stored, missing) == ([1, 2, 5, 6, 7], 2)


@pages
def test_its_figures_and_names_are_the_code_s(page: str) -> None:
    text = _text(page)
    for leaf in topics.LEAVES:
        assert f"`{topics.ROOT}/<device>/{leaf}`" in text
    for kind in LANE_OF_KIND:
        assert f"`{kind}`" in text
    limits = (f"{RECORDS_PER_BATCH} ", f"{BODY_BYTES // 1024} KiB", f"{BATCHES_UNDER_WAY} ", f"{PLAIN_BYTES} ")
    for figure in (*limits, "60 KiB", "1 MiB"):
        assert figure in text


@pages
def test_the_worked_signature_is_what_anybody_computes(page: str) -> None:
    text = _text(page)
    (bytes_,) = re.findall(r"^    (\{\"arguments\".*\})$", text, re.MULTILINE)
    (signature,) = re.findall(r"^    ([A-Za-z0-9_-]{86})$", text, re.MULTILINE)
    (public,) = re.findall(r"`([A-Za-z0-9_-]{43})`", text)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert _base64(key.public_key().public_bytes_raw()) == public
    assert _base64(key.sign(bytes_.encode())) == signature
    order = codec.decode_down(payload("down-order.json"))
    assert isinstance(order, Order)
    assert signed.order_bytes("terminal-1", order).decode() == bytes_
    assert order.signature == signature


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pages
def test_it_names_every_field_and_state_of_what_goes_down_and_is_answered(page: str) -> None:
    text = _text(page)
    for type_ in (Desired, Order, Certificate, Reported):
        for field in msgspec.structs.fields(type_):
            assert re.search(rf"[`\"]{field.name}[`\"]", text), field.name
    states = (get_type_hints(Result)["state"], get_type_hints(Reported)["result"])
    for state in (*get_args(states[0]), *get_args(states[1])):
        assert f"`{state}`" in text
    assert signed.DEEPEST == 32
    assert f'"{order_purpose()}"' in text


def order_purpose() -> str:
    """The word that makes an order's bytes those of an order."""
    order = codec.decode_down(payload("down-order.json"))
    assert isinstance(order, Order)
    return str(msgspec.json.decode(signed.order_bytes("a", order))["purpose"])


def test_both_languages_have_the_same_chapters_and_tables() -> None:
    english, japanese = _text("README.md"), _text("README.ja.md")
    for mark in (r"^#+ ", r"^\|", r"^\d+\. ", r"^- ", r"^    "):
        assert len(re.findall(mark, english, re.MULTILINE)) == len(re.findall(mark, japanese, re.MULTILINE)), mark
