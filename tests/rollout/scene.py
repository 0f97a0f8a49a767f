"""A believable town in the middle of a roll-out that has stopped, for the pages; more changes wait to be published."""

from hub import pages
from hub.db import Connection
from hub.fleet.groups import places_and_tags
from hub.policy import group_store
from hub.policy import store as policy
from hub.rollout import progress, store
from hub.rollout.acts import Asked
from hub.rollout.plan import HOUR_MS, Candidate, Plan, propose
from hub.rollout.quiet import Quiet
from hub.signing import Signing
from hub.told import Told
from tests.ingest.parts import HEALTH
from tests.policy.hub_parts import add_devices
from wire import codec
from wire.messages import Reported

KINDS = (*["terminal"] * 5, *["access_point"] * 6, *["tablet"] * 12)


def fill(conn: Connection, signing: Signing) -> None:
    """Makes them."""
    now = pages.now_ms()
    add_devices(conn, KINDS)
    for number, kind in enumerate(KINDS, 1):
        name = f"{('genkan', 'toshokan-ap', 'tablet')[('terminal', 'access_point', 'tablet').index(kind)]}-{number}"
        conn.execute("UPDATE device SET name = ?, last_heard_ms = ? WHERE id = ?", (name, now - 5000, number))
    conn.execute("UPDATE device SET online = 0, last_heard_ms = ? WHERE id IN (5, 20)", (now - 7_200_000,))
    groups = [group_store.add_group(conn, "kind", kind, 5, now, "hanako") for kind in sorted(set(KINDS))]
    for group in groups:
        group_store.say(conn, group, {"contact": "総務課 0123-45-6789", "lease_days": 30}, now, "hanako")
    ids = range(1, len(KINDS) + 1)
    policy.publish_many(conn, signing, {id_: {"contact": "総務課"} for id_ in ids}, now - 90_000_000, "hanako")
    _stopped(conn, signing, now)
    for group in groups:
        group_store.say(conn, group, {"contact": "総務課 0123-45-6789", "lease_days": 14}, now, "hanako")


def _stopped(conn: Connection, signing: Signing, now: int) -> None:
    standing = places_and_tags(conn)
    devices = [
        Candidate(row[0], row[1], row[2], standing.get(row[0], ("", ()))[0], bool(row[3]))
        for row in conn.execute("SELECT id, name, kind, online FROM device WHERE id < 19")
    ]
    proposal = propose(devices, ["genkan-1", "toshokan-ap-6", "tablet-12"])
    plan = Plan(proposal.groups, quiet=Quiet(), soak_ms=0, deadline_ms=4 * HOUR_MS)
    folded = policy.folded(conn)
    entries = [
        store.Entry(one.id, one.place, proposal.group_of[one.id], {"contact": "総務課"}, folded[one.id].document)
        for one in devices
    ]
    number = store.make(conn, "連絡先の電話番号を載せる", plan, entries, now - 3_600_000, "hanako")
    progress.do(conn, signing, number, Asked("approve", "taro"), now - 3_500_000)
    for round_ in range(3):
        _answer(conn, number, now - 3_400_000 + round_ * 1000, failing=round_ == 2)
        progress.go_on(conn, signing, number, now - 3_399_000 + round_ * 1000)


def _answer(conn: Connection, number: int, at_ms: int, *, failing: bool) -> None:
    """Those under way report; of the third round one has gone back by itself, another is still at it."""
    course = store.course(conn, number)
    assert course is not None
    under_way = [one for one in course.members.values() if one.state == "released"]
    ordered = policy.ordered(conn)
    for place, one in enumerate(under_way):
        said = ordered[one.device]
        bad = failing and place == 0
        if failing and place == 1:
            continue
        report = Reported(
            said.incarnation,
            said.generation,
            said.generation - 1 if bad else said.generation,
            "rolled_back" if bad else "applied",
            "画面が表示されません" if bad else "",
            "" if bad else said.digest,
        )
        policy.take_reports(conn, [Told(one.device, one.name, 1, at_ms, at_ms, report, "b")])
        conn.execute(
            "INSERT INTO latest VALUES (?, 'health', 1, 0, ?, 0, ?, ?) "
            "ON CONFLICT DO UPDATE SET received_ms = excluded.received_ms",
            (one.device, at_ms, at_ms + 500, codec.encode_body(HEALTH)),
        )
