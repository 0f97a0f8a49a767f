"""The hub seals a paper for whoever is to have it, sends it until it is answered, and heals from both sides' losses."""

import zlib
from pathlib import Path

import msgspec
import pytest

from hub.db import Connection
from hub.fleet import outbox
from hub.papers import store
from tests.certificates import pki
from tests.papers.parts import DAY_MS, DEVICE, KIND, Office, office, opened, plain, unpack
from tests.roster.parts import certify
from wire import purse, shelf
from wire.messages import BATCH_BYTES, Held, PaperReport
from wire.sealed import CannotOpen

OTHER = "tablet-2"


def test_each_gets_its_own_and_nobody_reads_anothers(tmp_path: Path) -> None:
    with office(tmp_path, DEVICE, OTHER) as one:
        assert one.publish({DEVICE: "mine", OTHER: "theirs"}) == (DEVICE, OTHER)
        sent = one.outgoing()
        assert opened(sent[DEVICE, KIND]).text == "mine"
        assert opened(sent[OTHER, KIND], OTHER).text == "theirs"
        with pytest.raises(CannotOpen):
            opened(sent[OTHER, KIND], DEVICE)


def test_the_same_is_not_sent_again_and_another_is(tmp_path: Path) -> None:
    with office(tmp_path, DEVICE, OTHER) as one:
        one.publish({DEVICE: "a", OTHER: "b"})
        first = one.outgoing()[DEVICE, KIND]
        assert one.publish({DEVICE: "a", OTHER: "c"}) == (OTHER,)
        assert one.outgoing()[DEVICE, KIND] == first
        assert one.outgoing()[OTHER, KIND].generation == 2


def test_a_kind_knows_nothing_of_another(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.publish({DEVICE: "a"})
        one.publish({DEVICE: "b"}, "purse")
        assert set(one.outgoing()) == {(DEVICE, KIND), (DEVICE, "purse")}
        first = one.outgoing()[DEVICE, KIND]
        one.tell(PaperReport(KIND, first.incarnation, first.generation))
        assert set(one.outgoing()) == {(DEVICE, "purse")}


def test_what_was_answered_leaves_the_outbox_and_is_shown(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.publish({DEVICE: "a"})
        sent = one.outgoing()[DEVICE, KIND]
        assert not one.standing().applied
        one.tell(PaperReport(KIND, sent.incarnation, 0, "refused", "sealed"))
        assert (one.standing().applied, one.standing().error, one.outgoing()) == (False, "sealed", {})
        one.come(Held(KIND, sent.incarnation, 0))
        assert one.outgoing()[DEVICE, KIND] == sent
        one.tell(PaperReport(KIND, sent.incarnation, 1))
        assert (one.standing().applied, one.standing().error, one.outgoing()) == (True, "", {})


def test_one_that_comes_with_an_older_one_is_sent_its_own(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.publish({DEVICE: "a"})
        sent = one.outgoing()[DEVICE, KIND]
        one.tell(PaperReport(KIND, sent.incarnation, 1))
        one.come(Held(KIND, sent.incarnation, 1))
        assert one.outgoing() == {}
        # A new disk in the same device.
        one.come()
        assert one.outgoing()[DEVICE, KIND] == sent


def test_another_certificate_gets_it_sealed_anew(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.publish({DEVICE: "a"})
        one.now_ms += DAY_MS
        certify(one.db, DEVICE, pki().identity(DEVICE, tmp_path / "renewed"), one.now_ms)
        assert one.publish({DEVICE: "a"}) == (DEVICE,)
        with pytest.raises(CannotOpen):
            opened(one.outgoing()[DEVICE, KIND])


def test_one_that_knows_more_than_this_hub_gets_a_later_name(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.publish({DEVICE: "a"})
        first = one.outgoing()[DEVICE, KIND]
        # The hub was put back from a copy: the device has seen more of its papers.
        one.now_ms += DAY_MS
        one.come(Held(KIND, first.incarnation, 7))
        assert one.publish({DEVICE: "a"}) == (DEVICE,)
        after = one.outgoing()[DEVICE, KIND]
        assert after.incarnation > first.incarnation
        assert after.generation == 1
        assert opened(after).text == "a"


def test_one_on_hold_or_without_content_or_certificate_gets_none(tmp_path: Path) -> None:
    with office(tmp_path, DEVICE, OTHER) as one:
        id_ = one.id_of(OTHER)
        one.db.write_now(lambda conn: outbox.hold(conn, id_, "stolen", one.now_ms, "sato"))
        assert one.publish({DEVICE: "a", OTHER: "b"}) == (DEVICE,)
        assert one.publish({}) == ()
        one.db.write_now(lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1"))
        assert one.publish({DEVICE: "c"}) == ()
        assert opened(one.outgoing()[DEVICE, KIND]).text == "a"


def test_one_that_is_too_large_leaves_its_device_with_what_it_has_and_the_others_are_told(tmp_path: Path) -> None:
    with office(tmp_path, DEVICE, OTHER) as one:
        one.publish({DEVICE: "a", OTHER: "b"})
        # Nothing that repeats: it does not get smaller.
        large = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(40_000))
        assert one.publish({DEVICE: large, OTHER: "c"}) == (OTHER,)
        assert opened(one.outgoing()[DEVICE, KIND]).text == "a"
        error = one.db.read(lambda conn: store.error(conn, KIND))
        assert error == "the note of tablet-1 does not fit into one message; the one before it stays"
        one.publish({DEVICE: "d", OTHER: "c"})
        assert one.db.read(lambda conn: store.error(conn, KIND)) == ""


def test_the_largest_that_fits_is_within_a_message(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        found = one.plan({DEVICE: "a"})
        made = found.papers[0]
        message = store._message(one.signing, made.to, "k" * 32, "1" * 32, 2**53, bytes(store.PACKED_BYTES))
        assert len(message) <= BATCH_BYTES


def test_many_are_sealed_in_turns(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        found = one.plan({DEVICE: "a"})
        assert store.parts(msgspec.structs.replace(found, papers=())) == [msgspec.structs.replace(found, papers=())]
        many = msgspec.structs.replace(found, papers=found.papers * 401)
        assert [len(part.papers) for part in store.parts(many)] == [200, 200, 1]


def test_it_is_due_once_after_each_mark(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        assert not _is_due(one)
        one.touch()
        assert _is_due(one)
        one.publish({DEVICE: "a"})
        assert not _is_due(one)
        one.touch()
        found = one.plan({DEVICE: "a"})
        # Nothing to send, but to note that it was looked at.
        assert (found.papers, found.news) == ((), True)
        # A mark that comes between the look and the writing is not lost.
        one.touch()
        one.db.write_now(lambda conn: store.publish(conn, one.signing, found, one.now_ms))
        assert _is_due(one)


def test_what_kept_the_hub_from_it_is_noted_and_tried_again(tmp_path: Path) -> None:
    with office(tmp_path) as one:
        one.db.write_now(lambda conn: store.note_error(conn, KIND, "tickets.key: found 3 bytes, expected 32"))
        assert _is_due(one)
        one.publish({DEVICE: "a"})
        assert not _is_due(one)
        assert one.db.read(lambda conn: store.error(conn, KIND)) == ""


def test_both_kinds_are_deflated_as_their_own_modules_do() -> None:
    content = shelf.ShelfContent("町", "ticket")
    assert zlib.compress(shelf.as_json(content), 9) == shelf.pack(content)
    purse_content = purse.PurseContent(bytes(32))
    assert zlib.compress(purse.as_json(purse_content), 9) == purse.pack(purse_content)
    assert unpack(zlib.compress(plain("x"), 9)).text == "x"


def _is_due(one: Office) -> bool:
    def read(conn: Connection) -> bool:
        return store.is_due(conn, KIND)

    return one.db.read(read)
