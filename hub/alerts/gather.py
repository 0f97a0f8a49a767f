"""SQL and files: everything that is wrong now, from what every domain keeps.  A few statements for the whole fleet.

One function a domain; each gives facts, and none decides when an alert begins (`rule.py`).
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from hub import shown
from hub.alerts import gone, signs
from hub.alerts.gone import Absent
from hub.alerts.kinds import ABSENCE, MINUTE_MS, Kind
from hub.alerts.rule import Fact, Seen
from hub.alerts.store import AlertSettings
from hub.attendance import close_store
from hub.attendance import request_store as requests
from hub.attendance.rules.calendar import month_after, month_span
from hub.db import Connection
from hub.fleet import groups, outbox, store
from hub.fleet.condition import DISK_FREE_PERMILLE, DISK_WELL_PERMILLE
from hub.fleet.late import late_after_ms
from hub.fleet.store import DeviceRow
from hub.papers import store as papers
from hub.staff import roster_store
from hub.tablet import tablet_store
from hub.wifi import certificate, keys, kit_store, point_store
from wire import ca_folder, purse, shelf, x509

DAY_MS = 24 * 60 * MINUTE_MS
# A fortnight before something ends, somebody should know (and a day longer keeps what is open).
_BEFORE_END_MS = 14 * DAY_MS
# A request that waits longer is told of, and a month that is not closed after this day of the next.
_UNDECIDED_MS = 3 * DAY_MS
_CLOSED_BY_DAY = 3
_JAPAN = timezone(timedelta(hours=9))
# A card that was refused so long ago is no news any more.
_REFUSED_MS = 60 * MINUTE_MS
# The will of a connection that was ended as a device was marked as stolen comes a moment later.
_STOLEN_AFTER_MS = 2 * MINUTE_MS


class Surroundings(msgspec.Struct, frozen=True):
    """What the database does not say. `hearing_since_ms`: since when the hub hears its broker without a break."""

    hearing_since_ms: int | None
    deaf_since_ms: int
    disk_total: int = 0
    disk_free: int = 0
    # What ends when, of the town's own: subject of `town_certificate` and UTC ms.
    certificates: tuple[tuple[str, int], ...] = ()
    crl_end_ms: int | None = None
    # Until when the certificate is good that was brought for the Wi-Fi's portal (UTC ms).
    portal_end_ms: int | None = None
    # What the last look at the broker's rules found wrong, and when; empty: nothing.
    broker_fault: tuple[str, int] = ("", 0)


def gather(conn: Connection, around: Surroundings, settings: AlertSettings, now_ms: int) -> Seen:
    """One look at everything."""
    rows = store.devices(conn)
    places = {id_: place for id_, (place, _) in groups.places_and_tags(conn).items()}
    held = outbox.held(conn)
    facts = [fact for row in rows for fact in signs.signs(row, places.get(row.id, ""), now_ms)]
    facts += _messages(conn, now_ms)
    facts += _holds(conn, rows, places)
    facts += _policy(conn, places)
    facts += _certificates(conn, places, held, now_ms)
    facts += _rollouts(conn)
    facts += _backup(conn, settings, now_ms)
    facts += attendance(conn, now_ms)
    facts += cards(conn, places, now_ms)
    facts += access_points(conn, places)
    facts += tablets(conn, places, now_ms)
    facts += town(around, now_ms)
    if around.hearing_since_ms is None:
        return Seen(facts, ABSENCE)
    ordered = _ordered_intervals(conn)
    fleet = [
        _absent(row, places.get(row.id, ""), around.hearing_since_ms, ordered.get(row.id, 0), settings, now_ms)
        for row in rows
        if held.get(row.id) is None
    ]
    return Seen(facts + gone.absences(fleet))


def _absent(
    row: DeviceRow, place: str, hearing_since_ms: int, ordered_ms: int, settings: AlertSettings, now_ms: int
) -> Absent:
    """Silence counts from when the hub began to hear: what it missed itself is not the device's fault."""
    after_ms = late_after_ms(max(row.report_every_ms, ordered_ms), online=row.online)
    if row.kind == "tablet":
        # People switch a lent tablet off; that is no fault.
        after_ms = max(after_ms, settings.tablet_days * DAY_MS)
    late = now_ms - max(row.last_heard_ms, hearing_since_ms) > after_ms
    # That the hub hears again is noticed a little after the first thing that it heard.
    unsure = row.last_heard_ms < hearing_since_ms - MINUTE_MS and not late
    return Absent(row.name, place, row.last_heard_ms, late=late, away=_is_away(row), unsure=unsure)


def _is_away(row: DeviceRow) -> bool:
    return not row.online and row.kind != "tablet"


def _messages(conn: Connection, now_ms: int) -> Iterator[Fact]:
    """Whole messages that could not be read: they say nothing that could be trusted, not even whose they are."""
    (n,) = conn.execute("SELECT coalesce(sum(n), 0) FROM unreadable").fetchone()
    if n:
        yield Fact("unreadable_messages", "", now_ms, n=n)


def _holds(conn: Connection, rows: list[DeviceRow], places: Mapping[int, str]) -> Iterator[Fact]:
    """Devices that were cloned, and stolen ones that were heard since."""
    by_id = {row.id: row for row in rows}
    for id_, reason, since_ms in conn.execute("SELECT device_id, reason, since_ms FROM hold"):
        row = by_id.get(id_)
        if row is None:
            continue
        if reason == "clone":
            yield Fact("clone", row.name, since_ms, device=row.name, place=places.get(id_, ""))
        elif reason == "stolen" and row.last_heard_ms > since_ms + _STOLEN_AFTER_MS:
            yield Fact("stolen_seen", row.name, row.last_heard_ms, device=row.name, place=places.get(id_, ""))


def _policy(conn: Connection, places: Mapping[int, str]) -> Iterator[Fact]:
    """Settings that are not as ordered, or that a device could not follow."""
    for id_, name, result, drift, received_ms in conn.execute(
        "SELECT r.device_id, d.name, r.result, r.drift, r.received_ms FROM policy_report r "
        "JOIN device d ON d.id = r.device_id WHERE r.drift <> '[]' OR r.result <> 'applied'"
    ):
        place = places.get(id_, "")
        if result != "applied":
            yield Fact("unapplied", name, received_ms, device=name, place=place, detail=result)
        elif n := len(msgspec.json.decode(drift)):
            yield Fact("drift", name, received_ms, device=name, place=place, n=n)


def _ordered_intervals(conn: Connection) -> dict[int, int]:
    """How far apart the ordered settings let reports come, in ms; 0 where they say nothing."""
    found: dict[str, int] = {}
    for hash_, body in conn.execute(
        "SELECT hash, body FROM policy_document WHERE hash IN (SELECT hash FROM desired)"
    ).fetchall():
        document = msgspec.json.decode(body)
        every = [document.get(key) for key in ("health_every_s", "bulk_every_s")]
        found[hash_] = max((value * 1000 for value in every if isinstance(value, int)), default=0)
    return {id_: found[hash_] for id_, hash_ in conn.execute("SELECT device_id, hash FROM desired")}


def _certificates(conn: Connection, places: Mapping[int, str], held: Mapping[int, str], now_ms: int) -> Iterator[Fact]:
    """Devices whose certificate ends within a fortnight: renewal at two thirds of its life did not come about.

    The register says until when the newest one is good; of a device that is not in it, what it told itself.
    """
    before_ms = now_ms + _BEFORE_END_MS + DAY_MS
    for id_, name, end_ms in conn.execute(
        "SELECT d.id, d.name, max(c.end_ms) FROM certificate c JOIN device d ON d.id = c.device_id "
        "WHERE c.revoked_ms IS NULL GROUP BY d.id, d.name HAVING max(c.end_ms) < ? UNION ALL "
        "SELECT d.id, d.name, f.certificate_end_ms FROM device_fact f JOIN device d ON d.id = f.device_id "
        "WHERE f.certificate_end_ms < ? AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.device_id = d.id)",
        (before_ms, before_ms),
    ):
        if id_ not in held:
            yield _ending("certificate", name, end_ms, now_ms, device=name, place=places.get(id_, ""))


def _rollouts(conn: Connection) -> Iterator[Fact]:
    """Roll-outs that stopped by themselves: too many of a group failed."""
    for id_, title, changed_ms in conn.execute("SELECT id, title, changed_ms FROM rollout WHERE status = 'stopped'"):
        yield Fact("rollout", str(id_), changed_ms, detail=title)


def _backup(conn: Connection, settings: AlertSettings, now_ms: int) -> Iterator[Fact]:
    """A town whose database was not copied for days; one that never was counts from its first device."""
    (last_ms,) = conn.execute(
        "SELECT coalesce((SELECT at_ms FROM backup), (SELECT min(first_heard_ms) FROM device))"
    ).fetchone()
    if last_ms is None or not settings.backup_days:
        return
    due_ms = last_ms + settings.backup_days * DAY_MS
    if due_ms <= now_ms:
        yield Fact("backup", "", due_ms, n=(now_ms - last_ms) // DAY_MS)


def attendance(conn: Connection, now_ms: int) -> Iterator[Fact]:
    """Requests that nobody decides, and a month that is not closed by the third of the next one's days."""
    n, since_ms = requests.waiting_since(conn, now_ms - _UNDECIDED_MS)
    if n and since_ms is not None:
        yield Fact("requests", "", since_ms + _UNDECIDED_MS, n=n)
    today = shown.moment(now_ms)
    month = month_after(f"{today:%Y-%m}", -1)
    if today.day > _CLOSED_BY_DAY and month not in close_store.first_closed(conn) and _worked(conn, month):
        due = today.replace(day=_CLOSED_BY_DAY + 1, hour=0, minute=0, second=0)
        yield Fact("month_open", "", int(due.timestamp()) * 1000, detail=month)


def cards(conn: Connection, places: Mapping[int, str], now_ms: int) -> Iterator[Fact]:
    """Cards that a terminal has refused in the last hour, lost ones or copies; terminals or access points that cannot
    be told."""
    for device_id, name, n, last_ms in conn.execute(
        "SELECT p.device_id, d.name, count(*), max(p.received_ms) FROM punch p JOIN device d ON d.id = p.device_id "
        "WHERE p.standing = 'refused' AND p.received_ms > ? GROUP BY p.device_id",
        (now_ms - _REFUSED_MS,),
    ):
        yield Fact("card_refused", name, last_ms, device=name, place=places.get(device_id, ""), n=n)
    untold: tuple[tuple[Kind, str], ...] = (("roster", roster_store.error(conn)), ("kit", kit_store.error(conn)))
    for kind, error in untold:
        if error:
            yield Fact(kind, "", now_ms, detail=error)


def access_points(conn: Connection, places: Mapping[int, str]) -> Iterator[Fact]:
    """Access points that told of a fault, or whose check of themselves failed."""
    for device_id, name, n, received_ms in point_store.troubled(conn):
        yield Fact("access_point", name, received_ms, device=name, place=places.get(device_id, ""), n=n)


def tablets(conn: Connection, places: Mapping[int, str], now_ms: int) -> Iterator[Fact]:
    """Residents who wait for help, one alert a tablet; what devices cannot be told of content or benefits."""
    waiting: dict[str, Fact] = {}
    for one in tablet_store.asking(conn):
        since_ms = min(one.asked_ms, now_ms)
        waiting.setdefault(
            one.device, Fact("help", one.device, since_ms, device=one.device, place=places.get(one.device_id, ""))
        )
    yield from waiting.values()
    for kind in (shelf.KIND, purse.KIND):
        if error := papers.error(conn, kind):
            yield Fact("paper", kind, now_ms, detail=error)


def _worked(conn: Connection, month: str) -> bool:
    """Whether anybody was employed in a month; staff who are entered later than that do not make it due."""
    first, last = month_span(month)
    row = conn.execute(
        "SELECT 1 FROM staff WHERE since <= ? AND (left_day IS NULL OR left_day >= ?) LIMIT 1",
        (last.isoformat(), first.isoformat()),
    ).fetchone()
    return row is not None


def town(around: Surroundings, now_ms: int) -> Iterator[Fact]:
    """What concerns the hub itself."""
    if around.hearing_since_ms is None:
        yield Fact("broker", "", around.deaf_since_ms)
    if around.broker_fault[0]:
        fault, since_ms = around.broker_fault
        yield Fact("broker_rules", "", since_ms, detail=fault[:200])
    if around.disk_total:
        free = around.disk_free * 1000
        if free < around.disk_total * DISK_WELL_PERMILLE:
            yield Fact("hub_disk", "", now_ms, firm=free < around.disk_total * DISK_FREE_PERMILLE)
    for subject, end_ms in around.certificates:
        if end_ms < now_ms + _BEFORE_END_MS + DAY_MS:
            yield _ending("town_certificate", subject, end_ms, now_ms)
    if around.portal_end_ms is not None and around.portal_end_ms < now_ms + _BEFORE_END_MS + DAY_MS:
        yield _ending("portal_certificate", "", around.portal_end_ms, now_ms)
    if around.crl_end_ms is not None and around.crl_end_ms < now_ms + _BEFORE_END_MS + DAY_MS:
        yield _ending("crl", "", around.crl_end_ms, now_ms)


def _ending(kind: Kind, subject: str, end_ms: int, now_ms: int, *, device: str = "", place: str = "") -> Fact:
    day = f"{datetime.fromtimestamp(end_ms / 1000, _JAPAN):%Y-%m-%d}"
    firm = end_ms < now_ms + _BEFORE_END_MS
    return Fact(kind, subject, end_ms - _BEFORE_END_MS, firm, device, place, day)


# ---- files


def around(state_dir: Path, ca: Path, hearing_since_ms: int | None, deaf_since_ms: int) -> Surroundings:
    """Looks at the hub's disk and at the town's certificates; what cannot be read is left out."""
    total = free = 0
    try:
        figures = os.statvfs(state_dir)
        total, free = figures.f_blocks * figures.f_frsize, figures.f_bavail * figures.f_frsize
    except OSError:
        pass
    certificates, crl_end_ms = _town_certificates(ca)
    portal_end_ms = certificate.brought_end_ms(keys.folder_of(state_dir))
    return Surroundings(hearing_since_ms, deaf_since_ms, total, free, certificates, crl_end_ms, portal_end_ms)


def _town_certificates(ca: Path) -> tuple[tuple[tuple[str, int], ...], int | None]:
    found: list[tuple[str, int]] = []
    try:
        folder = ca_folder.read(ca)
        found += [
            ("ca", x509.end_ms(folder.root)),
            ("devices", min(x509.end_ms(one.certificate) for one in (folder.devices, folder.servers))),
        ]
        found += [(name, ca_folder.leaf(ca, name).end_ms) for name in ("hub", "broker")]
        crl = ca_folder.read_crl(ca)
    except (ca_folder.BadFolder, OSError, ValueError):
        return tuple(found), None
    return tuple(found), crl.end_ms if crl else None
