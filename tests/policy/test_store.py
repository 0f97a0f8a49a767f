"""Publishing and following, in a real database: generations, incarnations, reports, a hub put back from a backup."""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.fleet import incarnation
from hub.policy import group_store, step, store
from hub.policy import task as policy_task
from tests.policy.documents import TERMINAL_LAYERS
from tests.policy.hub_parts import NOW_MS, Town, town
from wire import codec, policy, signed
from wire.messages import Desired, Drift, Reported

DAY_MS = 86_400_000


def applied(one: store.Ordered, **more: Any) -> Reported:
    """A device's report that it has applied what was ordered."""
    return Reported(one.incarnation, one.generation, one.generation, "applied", digest=one.digest, **more)


def message(one: Town, device_id: int = 1) -> Desired:
    """What is on its way to a device."""
    told = codec.decode_down(one.outgoing()[device_id])
    assert isinstance(told, Desired)
    return told


def test_groups_are_kind_then_place_then_tag_then_the_device(tmp_path: Path) -> None:
    with town(tmp_path, "terminal", "tablet") as one:
        one.stand(1, "本庁", "a", "b")
        one.say("tag", "a", {"contact": "tag", "terminal": {"volume": 30}})
        one.say("place", "本庁", {"contact": "place", "lease_days": 7, "tablet": {"language": "en"}})
        one.say("kind", "terminal", {"contact": "kind", "lease_days": 1, "health_every_s": 30})
        one.db.write_now(lambda conn: group_store.say_own(conn, 1, {"health_every_s": None}, NOW_MS, "hanako"))
        assert one.db.read(lambda conn: store.document_of(conn, 1)) == {
            "contact": "tag",
            "lease_days": 7,
            "terminal": {"volume": 30},
        }
        assert one.db.read(lambda conn: store.document_of(conn, 2)) == {}
        assert one.db.read(lambda conn: store.document_of(conn, 99)) == {}
        # Two tags of one rank disagree: neither counts, and it is told; a stronger one settles it.
        number = one.say("tag", "b", {"contact": "other", "terminal": {"volume": 30}})
        found = one.db.read(lambda conn: store.folded(conn, [1]))[1]
        assert found.document["contact"] == "place"
        assert [(conflict.path, conflict.said) for conflict in found.conflicts] == [
            (("contact",), (("tag/a", "tag"), ("tag/b", "other")))
        ]
        one.db.write_now(lambda conn: group_store.set_rank(conn, number, 6))
        found = one.db.read(lambda conn: store.folded(conn, [1]))[1]
        assert (found.document["contact"], found.conflicts) == ("other", ())
        assert found.origin[("contact",)] == "tag/b"


def test_a_publication_is_signed_counted_and_on_its_way(tmp_path: Path) -> None:
    with town(tmp_path, "terminal", "terminal") as one:
        assert one.publish({"contact": "1"}, 1, 2, 77) == {1: 1, 2: 1}
        assert one.publish({"contact": "2"}, 1) == {1: 2}
        ordered, told = one.ordered(), message(one)
        assert (told.incarnation, told.generation, told.document) == (ordered.incarnation, 2, {"contact": "2"})
        data = signed.desired_bytes("d-1", told.incarnation, 2, told.document)
        assert ordered.digest == signed.digest(data)
        assert (ordered.who, ordered.made_ms) == ("hanako", NOW_MS)
        assert [(row.generation, row.document["contact"]) for row in one.db.read(lambda c: store.history(c, 1))] == [
            (2, "2"),
            (1, "1"),
        ]
        assert one.db.read(lambda conn: [row.devices for row in store.publications(conn)]) == [3]
        assert set(one.outgoing()) == {1, 2}


@pytest.mark.parametrize(
    "bad", [{"nonsense": 1}, {"tablet": {"language": "ja"}}, {"contact": None}, {"lease_days": -1}]
)
def test_what_a_device_cannot_be_told_is_not_published_to_anybody(tmp_path: Path, bad: dict[str, Any]) -> None:
    with town(tmp_path, "terminal", "terminal") as one:

        def write(conn: Any) -> None:
            store.publish_many(conn, one.signing, {1: {"contact": "1"}, 2: bad}, NOW_MS, "hanako")

        with pytest.raises(policy.BadDocument):
            one.db.write_now(write)
        assert one.outgoing() == {}
        assert one.db.read(store.ordered) == {}


def test_holidays_are_dates_in_the_document_and_no_change_for_people(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.publish({"opening": {"monday": ["08:30-17:15"], "holidays_closed": True}})
        opening = one.ordered().document["opening"]
        assert opening["holidays"][0] == "2027-01-01"
        assert "2027-05-04" in opening["holidays"]
        layer = policy.read_document(one.ordered().document, "terminal")
        assert isinstance(layer.opening, policy.Opening)

        assert not policy.is_open(layer.opening, date(2027, 1, 11), 600)  # 成人の日
        assert policy.is_open(layer.opening, date(2027, 1, 18), 600)
        assert not policy.is_open(layer.opening, date(2027, 1, 18), 17 * 60 + 15)


def test_a_report_ends_the_sending_and_tells_how_it_is(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        assert step.word(None, None) == "never_ordered"
        one.publish({"contact": "1"})
        one.publish({"contact": "2"})
        ordered = one.ordered()
        assert step.word(ordered, None) == "waiting"
        one.report(1, Reported(ordered.incarnation, 1, 1, "applied", digest="a" * 64))
        assert step.word(ordered, one.reported()) == "waiting"
        assert set(one.outgoing()) == {1}
        one.report(1, applied(ordered))
        assert one.outgoing() == {}
        assert step.in_step(ordered, one.reported())
        assert one.reported().boot == "b"
        one.report(1, applied(ordered, drift=(Drift("contact", '"2"', '"3"'),)))
        assert step.word(ordered, one.reported()) == "drift"
        assert not step.in_step(ordered, one.reported())
        one.report(1, msgspec_replace(applied(ordered), result="rolled_back", applied=1, digest="a" * 64))
        assert step.word(ordered, one.reported()) == "rolled_back"


def msgspec_replace(report: Reported, **changed: Any) -> Reported:
    """The same report with some fields otherwise."""
    return msgspec.structs.replace(report, **changed)


def test_a_refusal_without_the_hubs_signature_leaves_it_on_its_way(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.publish({"contact": "1"})
        one.report(1, Reported("", 0, 0, "refused", "signature"))
        assert step.word(one.ordered(), one.reported()) == "refused"
        assert set(one.outgoing()) == {1}


def test_a_device_that_comes_behind_is_sent_the_same_again(tmp_path: Path) -> None:
    with town(tmp_path, "terminal", "terminal") as one:
        one.publish({"contact": "1"}, 1, 2)
        first = one.outgoing()
        ordered = one.ordered()
        for device_id in (1, 2):
            one.report(device_id, applied(one.ordered(device_id)))
        assert one.outgoing() == {}
        one.come(1, ordered.incarnation, 1, 1)
        assert one.outgoing() == {}
        # One that knows more is not sent what it would refuse.
        one.come(1, ordered.incarnation, 2, 2)
        one.come(2, "f" * 32, 1, 1)
        assert one.outgoing() == {}
        one.come(1, ordered.incarnation, 0, 0)
        one.come(2)
        assert one.outgoing() == first
        one.come(99, "f" * 32, 5, 5)
        assert one.outgoing() == first


def test_a_hub_put_back_from_a_backup_begins_a_new_incarnation_by_itself(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.publish({"contact": "1"})
        backup = tmp_path / "backup.db"
        one.db.backup(backup)
        for contact in "234":
            one.publish({"contact": contact})
        lost = one.ordered()
        one.db.close()
        (tmp_path / "hub.db-wal").unlink(missing_ok=True)
        backup.replace(tmp_path / "hub.db")
    with town(tmp_path, again=True) as one:
        one.come(1, lost.incarnation, lost.generation, lost.generation)
        assert one.outgoing().keys() == {1}  # what the backup had on its way; the device refuses it as older
        later_ms = NOW_MS + 60_000
        assert one.db.read(lambda conn: policy_task.due(conn, later_ms)) == {}
        assert one.db.read(lambda conn: policy_task.due(conn, NOW_MS + 3_600_000)) == {1: "ahead"}
        one.db.write_now(lambda conn: policy_task.publish_due(conn, one.signing, NOW_MS + 3_600_000))
        found = one.ordered()
        assert found.incarnation > lost.incarnation
        assert (found.generation, found.document) == (1, {"contact": "1"})
        assert message(one).incarnation == found.incarnation
        one.report(1, applied(found))
        assert one.db.read(lambda conn: policy_task.due(conn, NOW_MS + 9 * DAY_MS)) == {}


def test_after_a_backup_a_generation_of_the_same_number_with_other_content_is_found_out(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.publish({"contact": "1"})
        one.publish({"contact": "2"})
        ordered = one.ordered()
        for odd in (
            msgspec_replace(applied(ordered), digest="a" * 64),
            Reported(ordered.incarnation, 2, 1, "refused", "older", digest="a" * 64),
        ):
            one.report(1, odd)
            assert one.db.read(lambda conn: policy_task.due(conn, NOW_MS + 1)) == {1: "ahead"}
            assert step.has_diverged(ordered, one.reported())
        one.report(1, Reported(ordered.incarnation, 2, 1, "rolled_back", "x", digest="a" * 64))
        assert one.db.read(lambda conn: policy_task.due(conn, NOW_MS + 1)) == {}


def test_a_new_device_of_an_old_name_gets_a_later_incarnation(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        known = f"{NOW_MS + 5000:012x}" + "0" * 20
        one.come(1, known, 8, 8)
        one.publish({"contact": "1"})
        assert one.ordered().incarnation > known


def test_the_calendar_of_holidays_grows_by_itself(tmp_path: Path) -> None:
    with town(tmp_path, "terminal", "terminal") as one:
        one.publish({"opening": {"holidays_closed": True}}, 1)
        one.publish({"opening": {"holidays_closed": False}}, 2)
        assert one.db.read(lambda conn: policy_task.due(conn, NOW_MS + 330 * DAY_MS)) == {}
        late_ms = NOW_MS + 350 * DAY_MS
        assert one.db.read(lambda conn: policy_task.due(conn, late_ms)) == {1: "calendar"}
        one.db.write_now(lambda conn: policy_task.publish_due(conn, one.signing, late_ms))
        assert one.ordered().generation == 2
        assert one.ordered().document["opening"]["holidays"][-1] > "2028-11"
        assert one.db.read(lambda conn: policy_task.due(conn, late_ms)) == {}


def test_two_thousand_devices_in_one_transaction(tmp_path: Path) -> None:
    with town(tmp_path, *["terminal"] * 2000) as one:
        one.say("kind", "terminal", {"contact": "x", "opening": {"holidays_closed": True}})
        documents = one.db.read(lambda conn: {id_: found.document for id_, found in store.folded(conn).items()})
        assert len(documents) == 2000
        one.db.write_now(lambda conn: store.publish_many(conn, one.signing, documents, NOW_MS, "hanako"))
        ordered = one.db.read(store.ordered)
        assert len(one.outgoing()) == 2000
        assert len({found.digest for found in ordered.values()}) == 2000
        assert one.db.read(lambda conn: conn.execute("SELECT count(*) FROM policy_document").fetchone()) == (1,)
        for device_id, found in ordered.items():
            if device_id % 200 == 0:
                one.report(device_id, applied(found))
        assert len(one.outgoing()) == 1990


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TERMINAL_LAYERS)
def test_whatever_a_layer_says_can_be_published_and_read_by_its_device(
    tmp_path_factory: pytest.TempPathFactory, layer: dict[str, Any]
) -> None:
    with town(tmp_path_factory.mktemp("town")) as one:
        one.say("kind", "terminal", layer)
        document = one.db.read(lambda conn: store.document_of(conn, 1))
        one.publish(document)
        told = message(one)
        assert one.ordered().digest == signed.digest(
            signed.desired_bytes("d-1", told.incarnation, told.generation, told.document)
        )
        policy.read_document(told.document, "terminal")


@given(
    st.text("0123456789abcdef", max_size=32),
    st.integers(0, 2**44),
    st.text("0123456789abcdef", min_size=20, max_size=20),
)
def test_an_incarnation_is_always_later_than_the_one_that_is_known(known: str, now_ms: int, chance: str) -> None:
    name = incarnation.following(known, now_ms, chance)
    assert len(name) == 32
    if len(known) == 32 and known[:12] != "f" * 12:
        assert name > known


def test_a_groups_name_is_taken_once(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        one.say("kind", "terminal", {})
        with pytest.raises(sqlite3.IntegrityError):
            one.say("kind", "terminal", {})
