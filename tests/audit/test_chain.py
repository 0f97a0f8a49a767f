"""The rule of the chain: every entry that is not as it was is found, and by an anchor also what a chain cannot show."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import chain
from hub.chain import Anchor, Broken, Link
from hub.signing import Signing

BODIES = st.lists(
    st.builds(
        chain.body,
        at_ms=st.integers(0, 2**60),
        who=st.text(max_size=8),
        did=st.sampled_from(["sign_in", "stolen"]),
        what=st.text(max_size=8),
        detail=st.text(max_size=8),
    ),
    min_size=1,
    max_size=8,
)


def chained(bodies: list[dict[str, object]]) -> list[Link]:
    """A chain of these."""
    links: list[Link] = []
    head = chain.START
    for seq, body in enumerate(bodies, 1):
        links.append(Link(seq, head, body, chain.digest(seq, head, body)))
        head = links[-1].hash
    return links


def anchor(link: Link) -> Anchor:
    """One whose signature nobody looks at here."""
    return Anchor(link.seq, link.hash, 0, "", "")


def test_the_hash_is_what_the_rule_says() -> None:
    body = {"at": 1, "did": "sign_in", "who": "花子", "what": "", "detail": ""}
    written = '{"at":1,"detail":"","did":"sign_in","what":"","who":"花子"}'.encode()
    wanted = b"machinaka-audit-v1\0" + b"\0\0\0\0\0\0\0\x07" + bytes(32) + hashlib.sha256(written).digest()
    assert chain.digest(7, bytes(32), body) == hashlib.sha256(wanted).digest()


@given(BODIES)
def test_what_was_written_holds(bodies: list[dict[str, object]]) -> None:
    links = chained(bodies)
    assert chain.check(links, [anchor(links[-1]), anchor(links[0])]) == (len(links), None)


@given(BODIES, st.data())
def test_an_entry_that_was_edited_is_found(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 1))
    key = data.draw(st.sampled_from(["at", "who", "did", "what", "detail"]))
    changed: object = data.draw(st.integers() if key == "at" else st.text(max_size=8))
    links[at] = replace(links[at], body={**links[at].body, key: changed})
    expected = None if links[at].body == bodies[at] else Broken(at + 1, "edited", at + 1)
    assert chain.check(links)[1] == expected


@given(BODIES, st.data())
def test_an_entry_that_was_taken_out_is_found(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 1))
    del links[at]
    found = chain.check(links)[1]
    # Without an anchor the last one is not missed.
    assert found == (Broken(at + 1, "missing", at + 2) if at < len(links) else None)


@given(BODIES, st.data())
def test_a_cut_tail_is_found_by_an_anchor_only(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    links = chained(bodies)
    left = data.draw(st.integers(0, len(links) - 1))
    assert chain.check(links[:left])[1] is None
    assert chain.check(links[:left], [anchor(links[-1])]) == (left, Broken(left + 1, "cut", len(links)))


@given(BODIES, st.data())
def test_a_chain_made_anew_is_found_by_an_anchor_only(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 1))
    forged = chained([*bodies[:at], {**bodies[at], "who": "somebody else, and longer"}, *bodies[at + 1 :]])
    assert chain.check(forged)[1] is None
    kept = [anchor(links[at - 1])] if at else []
    found = chain.check(forged, [*kept, anchor(links[-1])])
    assert found == (at, Broken(len(links), "other", at))


def test_an_entry_put_in_or_moved_is_found() -> None:
    links = chained([chain.body(at, "hanako", "sign_in", "", "") for at in range(5)])
    assert chain.check([*links[:2], links[1], *links[2:]])[1] == Broken(3, "missing", 2)
    assert chain.check([links[0], replace(links[2], seq=2), *links[2:]])[1] == Broken(2, "unlinked", 2)
    assert chain.check([replace(links[0], body={"at": b"bytes"})])[1] == Broken(1, "edited", 1)


def test_an_export_is_read_as_it_was_written(tmp_path: Path) -> None:
    links, path = chained([chain.body(1, "花子\n", "sign_in", '"', "\\")] * 3), tmp_path / "log.jsonl"
    path.write_bytes(b"".join(map(chain.line_of, links)))
    assert list(chain.read_export(path)) == links


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace('"who":"hanako"', '"who":"taro","who":"hanako"'),
        lambda line: line.replace('"seq":1', '"seq":1.0'),
        lambda line: line.replace('"seq":1', '"seq":"1"'),
        lambda line: line.replace(":", ": ", 1),
        lambda line: line[:-9],
        lambda line: "[]",
        lambda line: "",
        lambda line: line.replace('"prev":"00', '"prev":"zz'),
    ],
)
def test_a_line_that_can_be_read_in_two_ways_or_not_at_all_is_refused(tmp_path: Path, change: object) -> None:
    assert callable(change)
    path = tmp_path / "log.jsonl"
    line = chain.line_of(chained([chain.body(1, "hanako", "sign_in", "", "")])[0]).decode().strip()
    path.write_text(change(line) + "\n")
    with pytest.raises(chain.Unreadable, match="line 1"):
        list(chain.read_export(path))


def test_an_anchor_counts_only_under_the_hubs_signature(tmp_path: Path) -> None:
    signing, path = Signing(tmp_path / "hub"), tmp_path / "2026-11-24.json"
    made = signing.anchor(3, bytes(range(32)), 1_790_000_000_000)
    path.write_text(chain.anchor_line(made) + "\n")
    assert chain.read_anchors(path) == chain.read_anchors(tmp_path, signing.public) == [made]
    with pytest.raises(chain.Unreadable, match="another key"):
        chain.read_anchors(path, Signing(tmp_path / "other").public)
    line = json.loads(chain.anchor_line(made))
    for change in ({"seq": 4}, {"hash": "00" * 32}, {"time": 1}, {"signature": "AA"}, {"key": ""}, {"seq": "3"}):
        path.write_text(json.dumps({**line, **change}))
        with pytest.raises(chain.Unreadable, match="not signed"):
            chain.read_anchors(path)
    path.write_text("nonsense")
    with pytest.raises(chain.Unreadable):
        chain.read_anchors(path)
