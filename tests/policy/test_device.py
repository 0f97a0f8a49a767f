"""A device follows what it is ordered: signed, newer, of its kind; and goes back, keeps, tells of drift."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edge_agent import verify
from edge_agent.policy import values
from edge_agent.policy.judge import Seen, judge
from edge_agent.policy.keep import Keep, Kept
from tests.policy.device_parts import DEVICE, FIRST, LATER, Office, running
from tests.policy.documents import TERMINAL_LAYERS
from wire import policy, signed
from wire.messages import Desired, Drift


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A hub's signature; the device in `state` knows it."""
    made = Office(tmp_path)
    made.enrol(tmp_path / "state")
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The device's folder."""
    return tmp_path / "state"


async def test_it_applies_reports_and_goes_on_with_it_after_a_restart(office: Office, state: Path) -> None:
    document = {"health_every_s": 7, "contact": "内線 9", "terminal": {"debounce_s": 5, "language": "en"}}
    async with running(state) as one:
        report = await one.follows(office.desired(1, document))
        digest = signed.digest(signed.desired_bytes(DEVICE, FIRST, 1, document))
        assert (report.incarnation, report.seen, report.applied) == (FIRST, 1, 1)
        assert (report.result, report.digest, report.drift) == ("applied", digest, ())
        now = one.holder.now
        assert (now.health_every_s, now.contact, now.debounce_s, now.language) == (7, "内線 9", 5, "en")
        assert one.actual()["terminal"]["debounce_s"] == 5
        assert one.policy.followed == (FIRST, 1, 1)
        await one.has_told()
    async with running(state) as one:
        # Before any task begins, and with no hub in sight.
        assert (one.holder.now.contact, one.policy.followed) == ("内線 9", (FIRST, 1, 1))
        report = await one.follows(office.desired(2, {}))
        assert (report.applied, one.holder.now.contact, one.holder.now.debounce_s) == (2, "", 120)
        assert len(await one.reports()) == 2


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TERMINAL_LAYERS,
    TERMINAL_LAYERS,
    st.integers(0, 2**40),
    st.sampled_from(["document", "generation", "name", "incarnation"]),
)
def test_a_signature_over_a_changed_document_is_refused_on_the_device(
    office: Office, state: Path, document: dict[str, Any], other: dict[str, Any], generation: int, what: str
) -> None:
    """A thousand random documents, each changed in one place after it was signed."""
    told = office.signing.desired(DEVICE, FIRST, generation, document)
    assert verify.desired(state, DEVICE, told) is None
    assume(what != "document" or other != document)
    changed = {
        "document": Desired(FIRST, generation, other, told.signature),
        "generation": Desired(FIRST, generation + 1, document, told.signature),
        "incarnation": Desired(LATER, generation, document, told.signature),
        "name": told,
    }[what]
    device = "terminal-2" if what == "name" else DEVICE
    assert verify.desired(state, device, changed) == "signature"


async def test_nothing_that_is_not_the_hubs_word_changes_anything(office: Office, state: Path, tmp_path: Path) -> None:
    good = office.desired(1, {"contact": "1"})
    stranger = Office(tmp_path / "stranger")
    async with running(state) as one:
        assert (await one.follows(good)).result == "applied"
        for bad in (
            Desired(good.incarnation, 2, {"contact": "2"}, good.signature),
            stranger.desired(2, {"contact": "2"}),
            office.desired(2, {"contact": "2"}, device="terminal-2"),
        ):
            one.policy.take(bad)
            report = await one.told(lambda report: report.result == "refused")
            assert (report.error, report.seen, report.applied) == ("signature", 1, 1)
        # Told once: a stranger's message cannot fill the disk with reports.
        await asyncio.sleep(0.1)
        assert len(await one.reports()) == 2
        assert one.holder.now.contact == "1"
        (state / "identity" / "orders.pub").unlink()
        one.policy.take(office.desired(2, {"contact": "2"}))
        assert (await one.told(lambda report: report.error == "no_key")).applied == 1


async def test_older_than_seen_is_refused_and_the_same_again_is_answered_again(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(3, {"contact": "3"}))
        for older in (office.desired(2, {"contact": "2"}), office.desired(3, {"contact": "other"})):
            report = await one.follows(older)
            assert (report.result, report.error, report.applied) == ("refused", "older", 3)
        assert one.holder.now.contact == "3"
        report = await one.follows(office.desired(3, {"contact": "3"}))
        assert (report.seen, report.applied) == (3, 3)
        report = await one.follows(office.desired(1, {"contact": "new"}, LATER))
        assert (report.incarnation, report.applied, one.holder.now.contact) == (LATER, 1, "new")
        assert (await one.follows(office.desired(9, {"contact": "old"}))).error == "older"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.sampled_from("xy")), max_size=12))
def test_what_is_seen_never_goes_back(told: list[tuple[str, int, str]]) -> None:
    last = Seen()
    for one in (Seen(*parts) for parts in told):
        verdict = judge(last, one)
        assert (verdict == "new") == ((one.incarnation, one.generation) > (last.incarnation, last.generation))
        assert (verdict == "again") == (one == last)
        last = one if verdict == "new" else last


async def test_a_document_that_is_not_for_this_kind_is_seen_and_refused(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
        documents: tuple[dict[str, Any], ...] = (
            {"tablet": {"language": "en"}},
            {"more": 1},
            {"health_every_s": 0},
            {"contact": None},
        )
        for generation, bad in enumerate(documents, start=2):
            report = await one.follows(office.desired(generation, bad))
            assert (report.result, report.seen, report.applied) == ("refused", generation, 1)
            assert report.error.startswith("document: ")
        assert one.holder.now.contact == "1"
    async with running(state) as one:
        assert one.policy.followed == (FIRST, 5, 1)


async def test_when_it_is_not_well_the_one_before_counts_again(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
        one.well.trouble = "the page does not answer"
        report = await one.follows(office.desired(2, {"contact": "2", "terminal": {"volume": 1}}))
        assert (report.result, report.error) == ("rolled_back", "the page does not answer")
        assert (report.seen, report.applied, report.drift) == (2, 1, ())
        assert (one.holder.now.contact, one.holder.now.volume) == ("1", 100)
        assert (one.actual()["contact"], one.actual()["terminal"]["volume"]) == ("1", 100)
    async with running(state) as one:
        assert one.holder.now.contact == "1"
        assert (await one.follows(office.desired(3, {"contact": "3"}))).applied == 3


async def test_a_first_generation_that_is_not_well_leaves_the_settings_file(office: Office, state: Path) -> None:
    async with running(state) as one:
        one.well.trouble = "no"
        report = await one.follows(office.desired(1, {"contact": "1"}))
        assert (report.result, report.applied, report.digest) == ("rolled_back", 0, "")
        assert one.holder.now.contact == ""


async def test_one_that_ends_the_agent_is_taken_back_after_three_attempts(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
    begun: list[int] = []

    async def ends() -> str:
        begun.append(1)
        await asyncio.Event().wait()
        return ""

    for attempt in range(3):
        async with running(state, well=ends) as one:
            if not attempt:
                one.policy.take(office.desired(2, {"contact": "2"}))
            async with asyncio.timeout(60):
                while len(begun) <= attempt:  # noqa: ASYNC110 (no event for it)
                    await asyncio.sleep(0.01)
            assert one.holder.now.contact == "2"
    async with running(state) as one:
        report = await one.told(lambda report: report.seen == 2)
        assert (report.result, report.applied, one.holder.now.contact) == ("rolled_back", 1, "1")
        assert report.error == "the agent ended 3 times while it was applied"


async def test_a_damaged_file_gives_way_to_the_one_before(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
        await one.follows(office.desired(2, {"contact": "2"}))
    path = state / "policy" / "state.json"
    whole = path.read_bytes()
    for damaged in (
        b"",
        whole[:-1],
        whole.replace(b'"contact":"2"', b'"contact":"9"'),
        whole[:10] + b"\0" + whole[11:],
    ):
        path.write_bytes(damaged)
        (state / "actual.toml").unlink(missing_ok=True)
        async with running(state) as one:
            assert one.holder.now.contact in ("1", "2")
            assert one.policy.followed[2] in (1, 2)
    path.write_bytes(b"")
    (state / "policy" / "state-before.json").write_bytes(b"\0")
    async with running(state) as one:
        # Nothing is left: as a new disk, and the hub sends it again.
        assert one.policy.followed == ("", 0, 0)
        assert (await one.follows(office.desired(2, {"contact": "2"}))).applied == 2


@pytest.mark.parametrize("which", ["applied", "trying"])
async def test_what_a_newer_agent_kept_does_not_keep_an_older_one_from_starting(
    office: Office, state: Path, which: str
) -> None:
    newer = office.desired(4, {"contact": "4", "from_the_future": 1})
    kept = {"seen": Seen(FIRST, 4, "a" * 64), which: newer, "attempts": 1}
    Keep(state / "policy").save(Kept(**kept))  # type: ignore[arg-type]
    async with running(state) as one:
        report = await one.told(lambda report: report.result == "failed")
        assert (report.seen, report.applied, one.holder.now.contact) == (4, 0, "")
        assert "from_the_future" in report.error
        assert (await one.follows(office.desired(5, {"contact": "5"}))).applied == 5


async def test_what_a_person_edits_counts_is_told_and_is_repaired(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1", "terminal": {"debounce_s": 60}}))
        one.edit("debounce_s = 60", "debounce_s = 5")
        report = await one.told(lambda report: report.drift)
        assert report.drift == (Drift("terminal.debounce_s", "60", "5"),)
        assert (report.result, report.applied, one.holder.now.debounce_s) == ("applied", 1, 5)
        # A value that the hub never spoke of is drift as well.
        one.edit("volume = 100", "volume = 10")
        report = await one.told(lambda report: len(report.drift) == 2)
        assert one.holder.now.volume == 10
    async with running(state) as one:
        # An emergency outlives a restart.
        assert (one.holder.now.debounce_s, one.holder.now.volume) == (5, 10)
        one.edit("debounce_s = 5", "debounce_s = 60")
        assert len((await one.told(lambda report: len(report.drift) == 1)).drift) == 1
        report = await one.follows(office.desired(2, {"contact": "1", "terminal": {"debounce_s": 60}}))
        assert (report.applied, report.drift) == (2, ())
        assert (one.holder.now.volume, one.actual()["terminal"]["volume"]) == (100, 100)


async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told(office: Office, state: Path) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
        for bad in (
            "contact = ",
            "contact = 5",
            "[tablet]\nlanguage = 'ja'",
            "health_every_s = 0",
            "more = 1",
            "\udcff",
        ):
            one.file.write_bytes(bad.encode("utf-8", "surrogateescape"))
            report = await one.told(lambda report: report.drift)
            assert [(drift.key, drift.wanted) for drift in report.drift] == [("actual.toml", "")]
            assert one.holder.now.contact == "1"
        one.file.unlink()
        await one.told(lambda report: not report.drift)
        assert one.actual()["contact"] == "1"


async def test_a_full_disk_is_said_and_what_is_sent_again_is_applied_later(
    office: Office, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(state) as one:
        await one.follows(office.desired(1, {"contact": "1"}))
        # A folder stands where the temporary file is to be: no write can succeed.
        blocked = state / "policy" / "state.new"
        async with asyncio.timeout(60):
            while not blocked.is_dir():
                # It may just be writing down what it has told.
                with contextlib.suppress(FileExistsError):
                    blocked.mkdir()
                await asyncio.sleep(0.01)
        for _ in range(3):
            one.policy.take(office.desired(2, {"contact": "2"}))
            await asyncio.sleep(0.1)
        assert one.holder.now.contact == "1"
        blocked.rmdir()
        assert (await one.follows(office.desired(2, {"contact": "2"}))).applied == 2
    assert [bool(re.search("cannot be kept", line)) for line in caplog.messages].count(True) == 1


@settings(max_examples=200, deadline=None)
@given(TERMINAL_LAYERS, TERMINAL_LAYERS)
def test_drift_is_there_exactly_when_something_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    from hub.policy import merge

    wanted, found = merge.settled(one), merge.settled(other)
    drift = values.drift(wanted, found)
    assert (drift == ()) == (merge.leaves(wanted) == merge.leaves(found))
    assert all(len(each.wanted) <= 200 and len(each.found) <= 200 for each in drift)
    assert values.drift(found, found) == ()


@settings(max_examples=200, deadline=None)
@given(TERMINAL_LAYERS)
def test_what_is_written_for_people_is_read_back_the_same(tmp_path_factory: pytest.TempPathFactory, layer: Any) -> None:
    from edge_agent.policy.actual import Actual
    from edge_agent.settings import Settings
    from hub.policy import merge

    folder = tmp_path_factory.mktemp("actual")
    ground = values.ground(Settings(device=DEVICE, kind="terminal", state_dir=str(folder)))
    document = values.over(ground, merge.settled(layer))
    file = Actual(folder, "terminal")
    file.write(document)
    found = file.read(ground)
    assert found is not None
    assert (found.trouble, values.drift(document, found.document)) == ("", ())
    assert found.effective == values.effective(document, "terminal")
    assert not file.changed()


@pytest.mark.parametrize("kind", policy.KINDS)
def test_every_kind_of_device_has_a_ground_to_stand_on(tmp_path: Path, kind: policy.DeviceKind) -> None:
    from edge_agent.effective import of_settings
    from edge_agent.settings import BrokerSettings, Settings

    made = Settings(
        device=DEVICE, kind=kind, state_dir=str(tmp_path), health_every_s=10**9, broker=BrokerSettings(bulk_every_s=1)
    )
    found = values.effective(values.ground(made), kind)
    assert (found.health_every_s, found.bulk_every_s) == (policy.LONGEST_S, 1)
    assert found.debounce_s == of_settings(made).debounce_s


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    keep = Keep(tmp_path / "policy")
    keep.save(Kept(result="applied"))
    (tmp_path / "policy" / "state.new").mkdir()
    with pytest.raises(OSError, match="state"):
        keep.save(Kept(result="failed"))
    assert keep.load().result == "applied"
