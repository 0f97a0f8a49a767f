"""Topics: what is written is read, and no name reaches another's topic."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import topics
from wire.topics import LEAVES, Address

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@given(labels, st.sampled_from(LEAVES))
def test_a_topic_comes_back(device: str, leaf: topics.Leaf) -> None:
    name = topics.topic(device, leaf)
    assert name == f"machinaka/1/{device}/{leaf}"
    assert topics.parse(name) == Address(device, leaf)


@pytest.mark.parametrize(
    "name",
    ["", "-", "a-", "-a", "A", "a.b", "a/b", "a b", "+", "#", "a\n", "a\0", "é", "端末", "ａ", "a" * 64, "$sys"],
)
def test_a_name_that_is_no_dns_label_has_no_topic(name: str) -> None:
    assert not topics.is_device(name)
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        topics.topic(name, "up")
    assert topics.parse(f"machinaka/1/{name}/up") is None


@pytest.mark.parametrize("name", ["a", "0", "a-b", "terminal-1", "xn--zckzah", "a" * 63])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert topics.is_device(name)


@given(st.text(max_size=70))
def test_any_name_is_a_label_or_has_no_topic(name: str) -> None:
    allowed = "abcdefghijklmnopqrstuvwxyz0123456789-"
    label = 0 < len(name) <= 63 and all(c in allowed for c in name) and name[0] != "-" and name[-1] != "-"
    assert topics.is_device(name) == label


@given(st.text(max_size=40) | st.lists(st.sampled_from(["machinaka", "1", "a", "up", ""]), max_size=6).map("/".join))
def test_only_our_topics_are_read(name: str) -> None:
    address = topics.parse(name)
    assert address is None or topics.topic(*address) == name


@pytest.mark.parametrize(
    "name",
    [
        "machinaka/1/a",
        "machinaka/1/a/up/",
        "machinaka/1/a/up/up",
        "/machinaka/1/a/up",
        "machinaka/2/a/up",
        "machinaka/1/a/Up",
        "machinaka/1/a/else",
        "machinaka/1//up",
        "machinaka/1/+/up",
        "other/1/a/up",
    ],
)
def test_what_is_almost_a_topic_is_none(name: str) -> None:
    assert topics.parse(name) is None


@given(labels, st.sampled_from(LEAVES), st.sampled_from(LEAVES))
def test_the_hub_s_filter_matches_one_leaf_of_every_device(device: str, leaf: topics.Leaf, other: topics.Leaf) -> None:
    levels, name = topics.every(leaf).split("/"), topics.topic(device, other).split("/")
    matches = len(levels) == len(name) and all(a in ("+", b) for a, b in zip(levels, name, strict=True))
    assert matches == (leaf == other)
