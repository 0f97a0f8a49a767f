"""A case of metering in, an answer out (rule): the same fold that a loan's months are worked out with.

A month in which there are samples is told also when nothing was used in it.
"""

from typing import Any, Literal

from hub.case_fields import BadCase, Fields, day, time, whole
from hub.tablet.metering import Kind, Loan, Sample, meter, month_of

_CASE = frozenset({"samples", "counter_bits", "loan", "title", "note"})
_SAMPLE = frozenset(
    {"boot", "seq", "bytes", "iface", "kind", "at", "bits", "sim", "iccid", "device", "boot_at", "last", "note"}
)
_LOAN = frozenset({"from", "to", "device", "resident", "number", "note"})
_MOST_SEQ = 2**63 - 1
_MOST_BYTES = {32: 2**32 - 1, 64: 2**64 - 1}
_OFFSET_MS = 9 * 3_600_000
_DAY_MS = 86_400_000
# Days since year 1 to milliseconds since 1970.
_EPOCH_DAY = 719_163


def metering(value: object) -> dict[str, Any]:
    """The answer to a case of metering. Raises BadCase."""
    fields = Fields(value, "given", _CASE)
    if not isinstance(fields.get("samples"), list):
        raise BadCase("samples", "a list of samples", fields.get("samples"))
    bits = _bits(fields, "counter_bits", 64)
    samples = [_sample(one, bits) for one in fields.objects("samples", _SAMPLE)]
    loan = _loan(fields)
    found = meter(samples, loan)
    nothing = dict.fromkeys(sorted({month_of(one.at_ms) for one in samples}), 0)
    return {
        "billable_bytes": nothing | found.billable,
        "wifi_bytes": nothing | found.wifi,
        "by_sim": found.by_sim,
        "flags": list(found.flags),
        "flags_by_month": {month: list(flags) for month, flags in found.flags_by_month.items()},
    }


def _sample(fields: Fields, bits: Literal[32, 64]) -> Sample:
    its_bits = _bits(fields, "bits", bits)
    kind: Kind = fields.choice("kind", "sim", "wifi", "tunnel")  # type: ignore[assignment]
    if not fields.has("kind"):
        raise BadCase(fields.place("kind"), "sim or wifi or tunnel")
    last = fields.get("last")
    if last is not None and not isinstance(last, bool):
        raise BadCase(fields.place("last"), "true or false", last)
    return Sample(
        boot=_name(fields, "boot"),
        seq=whole(fields.get("seq"), fields.place("seq"), _MOST_SEQ),
        bytes=whole(fields.get("bytes"), fields.place("bytes"), _MOST_BYTES[its_bits]),
        iface=_name(fields, "iface"),
        kind=kind,
        at_ms=fields.time("at"),
        bits=its_bits,
        sim=fields.text("sim") or fields.text("iccid"),
        boot_ms=fields.time("boot_at") if fields.has("boot_at") else None,
        last=bool(last),
    )


def _name(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not value:
        raise BadCase(fields.place(name), "a name", fields.get(name))
    return value


def _bits(fields: Fields, name: str, default: Literal[32, 64]) -> Literal[32, 64]:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or value not in (32, 64):
        raise BadCase(fields.place(name), "32 or 64", value)
    return 32 if value == 32 else 64


def _loan(fields: Fields) -> Loan:
    if not fields.has("loan"):
        return Loan()
    loan = Fields(fields.get("loan"), "loan", _LOAN)
    found = Loan(_end(loan, "from", 0), _end(loan, "to", 1))
    if found.from_ms is not None and found.to_ms is not None and found.to_ms < found.from_ms:
        raise BadCase("loan.to", "a time after the loan's beginning", loan.get("to"))
    return found


def _end(fields: Fields, name: str, days_later: int) -> int | None:
    """A time; a day alone is its beginning in Japan, as an end the beginning of the next one."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str) and "T" not in value:
        return (day(value, fields.place(name)).toordinal() - _EPOCH_DAY + days_later) * _DAY_MS - _OFFSET_MS
    return time(value, fields.place(name))
