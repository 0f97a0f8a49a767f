"""What is known of a Wi-Fi session, folded from what was told of it: in whatever order, however often (rule).

1. `merged` is a join: of the same tellings every order, every repeat and every way of grouping gives the same.
2. Counters and the last sign of life only grow: the greatest that was told counts.  The beginning is the earliest that
   was told; of an access point of ours what its newest telling says, for it corrects it once its clock is right.
3. The first end stands: the one with the lowest number, and of one number the earliest.  What is told after an end
   opens nothing again; bytes that flowed before it and come late still count.
4. What a session is (network, way, whether it is slowed, when its time is over) is what the newest telling says.
5. Where it was (`device_id`, `place`) is what the hub found when it first heard of it, and stays.
"""

import msgspec

from wire.messages import Cause, Way, WifiSession

# A wall clock of another century was never set; one ahead of the hub's tells of what has not happened.
_EARLIEST_MS = 1_577_836_800_000
_AHEAD_MS = 5 * 60_000
# A petabyte: no session has more, and the sums of many stay whole numbers of 64 bits.
MOST_BYTES = 10**15


class Told(msgspec.Struct, frozen=True, gc=False):
    """A session as far as it was told: one telling, or all of them folded.

    `told_by` is `device:<id>` for an access point of ours, `radius:<id>` for another maker's; with `boot` and `session`
    it is the session's name for ever. `ended_ms` is when it ended, None while it has not; `end_number` the number of
    the telling that said so (of a single telling its own, left at 0). `guest` is a pseudonym, of the `day` in Japan.
    """

    told_by: str
    boot: str
    session: str
    number: int
    began_ms: int
    last_ms: int
    up_bytes: int
    down_bytes: int
    ended_ms: int | None = None
    cause: Cause = ""
    guest: str | None = None
    day: str = ""
    network: str = ""
    way: Way = "click"
    extensions: int = 0
    slowed: bool = False
    origin: str = ""
    ends_ms: int = 0
    device_id: int | None = None
    place: str = ""
    end_number: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """Its name for ever."""
        return self.told_by, self.boot, self.session

    @property
    def agreed_in(self) -> str:
        """The session in which the guest agreed: this one, or another access point's."""
        return self.origin or self.session


def merged(kept: Told, told: Told) -> Told:
    """Both as one; of the same session. See the rules above."""
    newest = _newer(kept, told)
    end_number, ended_ms, cause = _first_end(kept, told)
    began_ms = newest.began_ms
    if kept.device_id is None and (kept if newest is told else told).began_ms < began_ms:
        began_ms = (kept if newest is told else told).began_ms
    # Written out: this runs once a telling, and `max` takes as long as the rest.
    return Told(
        kept.told_by,
        kept.boot,
        kept.session,
        newest.number,
        began_ms,
        kept.last_ms if kept.last_ms > told.last_ms else told.last_ms,
        kept.up_bytes if kept.up_bytes > told.up_bytes else told.up_bytes,
        kept.down_bytes if kept.down_bytes > told.down_bytes else told.down_bytes,
        ended_ms,
        cause,
        newest.guest,
        newest.day,
        newest.network,
        newest.way,
        kept.extensions if kept.extensions > told.extensions else told.extensions,
        newest.slowed,
        newest.origin,
        newest.ends_ms,
        kept.device_id,
        kept.place,
        end_number,
    )


def alone(told: Told) -> Told:
    """One telling as if it were all that was told: the same as folding it with itself."""
    return told if told.ended_ms is None or told.end_number else merged(told, told)


def bounded(told: Told) -> Told:
    """The same, with counters that a session can have."""
    if told.up_bytes <= MOST_BYTES and told.down_bytes <= MOST_BYTES:
        return told
    up_bytes, down_bytes = min(told.up_bytes, MOST_BYTES), min(told.down_bytes, MOST_BYTES)
    return msgspec.structs.replace(told, up_bytes=up_bytes, down_bytes=down_bytes)


def of_record(body: WifiSession, device_id: int, place: str, arrived_ms: int) -> Told:
    """What a record of an access point of ours says. Times that cannot be are taken for the time of arrival."""
    last_ms = plausible_ms(body.last_ms, arrived_ms)
    return Told(
        told_by=f"device:{device_id}",
        boot=body.boot,
        session=body.session,
        number=body.number,
        began_ms=min(plausible_ms(body.began_ms, arrived_ms), last_ms),
        last_ms=last_ms,
        up_bytes=body.up_bytes,
        down_bytes=body.down_bytes,
        ended_ms=last_ms if body.cause else None,
        cause=body.cause,
        guest=body.guest,
        day=body.day,
        network=body.network,
        way=body.way,
        extensions=body.extensions,
        slowed=body.slowed,
        origin=body.origin,
        ends_ms=max(body.ends_ms, 0),
        device_id=device_id,
        place=place,
    )


def plausible_ms(at_ms: int, arrived_ms: int) -> int:
    """An event's time as it was told, or when it came if that cannot be: before 2020, or still ahead."""
    return at_ms if _EARLIEST_MS <= at_ms <= arrived_ms + _AHEAD_MS else arrived_ms


def _newer(one: Told, other: Told) -> Told:
    if one.number != other.number:
        return one if one.number > other.number else other
    return max(one, other, key=_newness)


def _newness(one: Told) -> tuple[object, ...]:
    """Of equal numbers (which a device never gives) one is still always the newer: no order may matter."""
    known = (one.network, one.way, one.origin, one.day, one.guest is not None, one.guest or "")
    return (one.slowed, one.ends_ms, -one.began_ms, *known)


def _first_end(one: Told, other: Told) -> tuple[int, int | None, Cause]:
    if one.ended_ms is None and other.ended_ms is None:
        return 0, None, ""
    return min(filter(None, (_end(one), _end(other))))


def _end(one: Told) -> tuple[int, int, Cause] | None:
    return None if one.ended_ms is None else (one.end_number or one.number, one.ended_ms, one.cause)
