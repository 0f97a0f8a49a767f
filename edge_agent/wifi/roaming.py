"""Rule: guests that are known without asking them again: from another access point of the town, or from here.

1. A guest is known by the pseudonym of a day; a device that changes its address is somebody new, and nobody is
   followed beyond a day.
2. What is left of the time counts over, and what was used, and how often it was extended. A guest whose time and
   extensions are used up stays known until the day is over: agreeing anew does not begin a new count.
3. An end that was told in wall clock time is turned to the monotonic clock when it is learned: a clock set back later
   lengthens nothing. Over a restart of the machine the wall clock is all there is: it is asked once, as soon as it can
   be trusted, and never gives more than was left before.
4. Of two tellings the later made one counts; used bytes and extensions never fall within one origin.
5. There is room for so many; those whose time is over go first, then the longest known.
"""

from collections.abc import Iterable, Iterator

import msgspec

from edge_agent.clock import Stamp
from edge_agent.wifi import session as sessions
from edge_agent.wifi.session import Rules, Session
from wire.messages import Grant, Way

MOST = 20_000


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """One guest. `ends_mono_ms` is of `boot`; `most_ms` was left when this was learned. `welcome`: let in without the
    page; not after they left themselves, were ended by staff, or never confirmed an address (`whole_ms`: how long
    their session would have lasted then)."""

    guest: str
    day: str
    origin: str
    ends_ms: int
    boot: str = ""
    ends_mono_ms: int = 0
    most_ms: int = 0
    extensions: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    terms: str = ""
    way: Way = "click"
    voucher: str = ""
    made_ms: int = 0
    welcome: bool = True
    whole_ms: int = 0


def of_grant(grant: Grant, made_ms: int, now: Stamp) -> Known:
    """What the hub says. It is not earlier than when the grant was made, whatever the clock here says."""
    left = max(0, grant.ends_ms - max(now.at_ms, made_ms)) if grant.ends_ms else 0
    return Known(
        grant.guest,
        grant.day,
        grant.origin,
        grant.ends_ms,
        now.boot,
        now.mono_ms + left,
        left,
        grant.extensions,
        grant.up_bytes,
        grant.down_bytes,
        grant.terms,
        made_ms=made_ms,
        welcome=grant.ends_ms != 0,
    )


def of_session(session: Session, now: Stamp) -> Known:
    """What is known of a guest whose session here has ended."""
    here = session.boot == now.boot
    left = max(0, session.ends_mono_ms - (now.mono_ms if here else session.ended_mono_ms))
    # What a confirmed address would have given runs on from the beginning, however often a guest asks for a code.
    whole_ms = max(1, session.whole_ms - (session.ended_mono_ms - session.began_mono_ms)) if session.whole_ms else 0
    ends_ms = session.began_ms + session.ends_mono_ms - session.began_mono_ms
    return Known(
        session.guest,
        session.day,
        session.origin or session.id,
        ends_ms,
        now.boot if here else "",
        now.mono_ms + left if here else 0,
        left,
        session.extensions,
        session.before_up + session.usage.up_bytes,
        session.before_down + session.usage.down_bytes,
        session.terms,
        session.way,
        session.voucher,
        now.at_ms,
        session.cause not in ("user", "admin") and not session.provisional,
        whole_ms,
    )


def left_ms(known: Known, now: Stamp) -> int:
    """How much of the time is left; 0 where it is over, or nobody can say."""
    if known.boot == now.boot:
        return max(0, known.ends_mono_ms - now.mono_ms)
    return max(0, min(known.most_ms, known.ends_ms - now.at_ms)) if now.clock != "unset" else 0


def of_this_boot(known: Known, now: Stamp) -> Known:
    """The same by the monotonic clock of this boot, from now on."""
    left = left_ms(known, now)
    ends_ms = now.at_ms + left
    return msgspec.structs.replace(known, boot=now.boot, ends_mono_ms=now.mono_ms + left, most_ms=left, ends_ms=ends_ms)


def merged(kept: Known | None, told: Known) -> Known:
    """What is known once this was learned as well."""
    if kept is None:
        return told
    if kept.origin != told.origin:
        return told if told.made_ms >= kept.made_ms else kept
    later = told if told.made_ms >= kept.made_ms else kept
    return msgspec.structs.replace(
        later,
        extensions=max(kept.extensions, told.extensions),
        up_bytes=max(kept.up_bytes, told.up_bytes),
        down_bytes=max(kept.down_bytes, told.down_bytes),
        voucher=later.voucher or kept.voucher or told.voucher,
    )


def going_on(drawn: Session, known: Known | None, rules: Rules, now: Stamp, *, asks: bool) -> Session | None:
    """A session that begins now, with its time: a new one, the rest of what is left, or an extension of what is over;
    None where extensions are used up. `asks`: an address is asked for, and until it is confirmed there is little."""
    whole_ms = rules.session_minutes * sessions.MINUTE_MS
    left = left_ms(known, now) if known is not None else 0
    if known is None or (not left and (known.day != drawn.day or known.voucher)):
        return _ending(drawn, whole_ms, asks=asks)
    if not left and known.extensions >= rules.extensions:
        return None
    drawn = msgspec.structs.replace(
        drawn,
        origin=known.origin,
        extensions=known.extensions + (not left),
        before_up=known.up_bytes,
        before_down=known.down_bytes,
        terms=known.terms,
        voucher=known.voucher if left else "",
    )
    return _ending(drawn, (known.whole_ms or left) if left else whole_ms, asks=asks)


def _ending(drawn: Session, whole_ms: int, *, asks: bool) -> Session:
    lasts_ms = min(sessions.PROVISIONAL_MINUTES * sessions.MINUTE_MS, whole_ms) if asks else whole_ms
    ends_mono_ms = drawn.began_mono_ms + lasts_ms
    return msgspec.structs.replace(drawn, ends_mono_ms=ends_mono_ms, whole_ms=whole_ms if asks else 0)


def grant_of(known: Known) -> Grant:
    """The same as the wire says it."""
    return Grant(
        known.origin,
        known.guest,
        known.day,
        known.ends_ms,
        known.extensions,
        known.up_bytes,
        known.down_bytes,
        known.terms,
    )


class KnownGuests:
    """Those that are known, by pseudonym; which of them changed since they were last asked for."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: dict[str, Known] = {}
        self._changed: set[str] = set()
        self._of_another_boot: set[str] = set()

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[Known]:
        return iter(self._of.values())

    def restore(self, kept: Iterable[Known]) -> None:
        """Those that the disk knew."""
        self._of = {one.guest: one for one in kept}
        self._of_another_boot = set(self._of)

    def turn_to_this_boot(self, now: Stamp) -> None:
        """Asks the wall clock about those of another boot, once, when it can be trusted."""
        if now.clock == "unset":
            return
        waiting, self._of_another_boot = self._of_another_boot, set()
        for guest in waiting:
            one = self._of.get(guest)
            if one is not None and one.boot != now.boot:
                self._of[guest] = of_this_boot(one, now)
                self._changed.add(guest)

    def get(self, guest: str) -> Known | None:
        """Who that is, if it is known."""
        return self._of.get(guest)

    def learn(self, told: Known, now: Stamp) -> Known:
        """One more, or more of one."""
        found = merged(self._of.pop(told.guest, None), told)
        self._of[told.guest] = found
        self._changed.add(told.guest)
        self._of_another_boot.add(told.guest)
        if len(self._of) > self._most:
            self._make_room(now)
        return found

    def forget_days_before(self, day: str) -> None:
        """Those of days that are over: their pseudonyms cannot come again."""
        for guest in [guest for guest, one in self._of.items() if one.day < day]:
            self._forget(guest)

    def take_changed(self) -> set[str]:
        """Whose entries changed since the last call; one that is not known any more has gone."""
        changed, self._changed = self._changed, set()
        return changed

    def give_back(self, changed: set[str]) -> None:
        """They could not be kept: they count as changed still."""
        self._changed |= changed

    def _make_room(self, now: Stamp) -> None:
        over = [guest for guest, one in self._of.items() if not left_ms(one, now)]
        # A tenth at once: room for one at a time would look through all of them each time.
        for guest in (over or list(self._of))[: max(1, self._most // 10)]:
            self._forget(guest)

    def _forget(self, guest: str) -> None:
        del self._of[guest]
        self._changed.add(guest)
