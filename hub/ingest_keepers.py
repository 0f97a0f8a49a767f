"""Which domain keeps which kind of record, besides the fleet's own: called in the group's transaction."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from hub.benefit import use_store as benefits
from hub.db import Connection
from hub.identity import store as identity
from hub.inventory import store as inventory
from hub.orders import store as orders
from hub.papers import store as papers
from hub.policy import store as policy
from hub.staff import roster_store
from hub.tablet import answer_store, content_store, tablet_store, usage_store
from hub.told import Told
from hub.wifi import consent_store, disaster_store, kit_store, roam_store, session_store, state_store


def _take_inventories(conn: Connection, told: Sequence[Told]) -> None:
    inventory.take(conn, told)
    # Also the answer to a certificate that was sent: when the device's own ends.
    identity.take_ends(conn, told)


def _take_presences(conn: Connection, told: Sequence[Told]) -> None:
    policy.take_presences(conn, told)
    # What an access point goes by is a kit, and stands in the same fields.
    roster_store.take_presences(conn, [one for one in told if one.body.device_kind != "access_point"])
    kit_store.take_presences(conn, [one for one in told if one.body.device_kind == "access_point"])
    roam_store.take_presences(conn, told)
    papers.take_presences(conn, told)


def _take_paper_reports(conn: Connection, told: Sequence[Told]) -> None:
    papers.take_reports(conn, told)
    # What a purse tells binds its device from now on.
    benefits.take_reports(conn, told)


# `presence` is no record but comes the same way: a device that was heard anew.
KEEPERS: dict[str, Callable[[Connection, Sequence[Told]], None]] = {
    "reported": policy.take_reports,
    "presence": _take_presences,
    "roster_report": roster_store.take_reports,
    "result": orders.take_results,
    "bundle": orders.take_bundles,
    "renewal": identity.take_renewals,
    "inventory": _take_inventories,
    "wifi_session": session_store.take_records,
    "consent": consent_store.take,
    "wifi_state": state_store.take,
    "kit_report": kit_store.take_reports,
    "disaster_report": disaster_store.take,
    "paper_report": _take_paper_reports,
    "content": content_store.take,
    "answer": answer_store.take,
    "help_ask": tablet_store.take_asks,
    "tablet_state": tablet_store.take_states,
    "benefit_use": benefits.take_uses,
    # Read by the fleet as well; of lent tablets only, and with their clock readings among them (`ingest_bodies.py`).
    "usage": usage_store.take,
}


class Keeping:
    """What one group has for the keepers, kind by kind."""

    def __init__(self) -> None:
        self._told: dict[str, list[Told]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._told)

    def add(self, kind: str, told: Told) -> None:
        """Adds one."""
        self._told[kind].append(told)

    def keep(self, conn: Connection) -> None:
        """Hands everything over."""
        for kind, told in self._told.items():
            KEEPERS[kind](conn, told)
