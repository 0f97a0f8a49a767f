"""The vouchers of the kit and their uses, in memory; lives on the event loop. Codes are never kept."""

from collections.abc import Iterable, Sequence

from edge_agent.clock import Stamp
from edge_agent.wifi import voucher_use
from edge_agent.wifi.admission import Refused
from edge_agent.wifi.session import Session
from edge_agent.wifi.voucher_use import Use
from wire.kit import KitContent, Voucher, code_hash


class VoucherDesk:
    """Gives a use for a code, once for each device."""

    def __init__(self) -> None:
        self._key = b""
        self._vouchers: dict[str, Voucher] = {}
        self._uses: dict[str, list[Use]] = {}
        self._restored = False

    def take_kit(self, content: KitContent | None) -> None:
        """The vouchers that count from now on."""
        self._key = content.voucher_key if content else b""
        self._vouchers = {voucher.code: voucher for voucher in content.vouchers} if content else {}

    def restore(self, uses: Iterable[Use]) -> None:
        """Uses that the disk knew."""
        for one in uses:
            self._uses.setdefault(one.voucher, []).append(one)
        self._restored = True

    def turn_to_this_boot(self, now: Stamp) -> None:
        """Asks the wall clock about uses of another boot, once, when it can be trusted."""
        if now.clock != "unset" and self._restored:
            self._restored = False
            for id_, uses in self._uses.items():
                self._uses[id_] = [one if one.boot == now.boot else voucher_use.of_this_boot(one, now) for one in uses]

    def use(self, code: str, names: Sequence[tuple[str, str]], now: Stamp, sessions: Iterable[Session]) -> Use:
        """What a code gives to a device of these (day, pseudonym). Raises Refused."""
        voucher = self._vouchers.get(code_hash(self._key, code)) if self._key else None
        if voucher is None:
            raise Refused("voucher_unknown")
        busy = frozenset(one.guest for one in sessions if one.voucher == voucher.id)
        found = voucher_use.use(voucher, self._uses.get(voucher.id, []), names, now, busy=busy)
        if isinstance(found, str):
            raise Refused(found)
        return found

    def note(self, use: Use) -> list[Use]:
        """At once, before it is on disk: two who type the same code at the same time are two. The uses before."""
        before = self._uses.get(use.voucher, [])
        self._uses[use.voucher] = [*(one for one in before if one.place != use.place), use]
        return before

    def put_back(self, use: Use, before: list[Use]) -> None:
        """Nothing came of it."""
        self._uses[use.voucher] = before

    def forget_over(self, now: Stamp) -> set[str]:
        """Vouchers that no kit names any more and whose time is over; their ids."""
        named = {voucher.id for voucher in self._vouchers.values()}
        over = {
            id_
            for id_, uses in self._uses.items()
            if id_ not in named and not any(voucher_use.left_ms(use, now) for use in uses)
        }
        for id_ in over:
            del self._uses[id_]
        return over
