"""The ledger as text for others (rule): beancount, which re-adds it, and rows of a table.

1. An entry is a transaction of its effective day; number, key and hash go with it, lines and residents with its legs.
2. At the end stands each account's balance: whoever reads the file finds the same, or says where it is otherwise.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from hub.waiver import ledger
from hub.waiver.ledger import Booked

_NAMES: Mapping[str, str] = {
    ledger.EXPENSE: "Expenses:Communication",
    ledger.PAYABLE: "Liabilities:Payable",
    ledger.SUSPENSE: "Assets:Suspense",
    ledger.RECEIVABLE: "Assets:Receivable",
    ledger.FEE: "Income:Fee",
    ledger.WAIVED: "Expenses:Waived",
    ledger.CASH: "Assets:Cash",
    ledger.TREASURY: "Assets:Treasury",
    ledger.AID: "Expenses:Aid",
    ledger.OVERPAID: "Liabilities:Overpaid",
    ledger.WRITTEN_OFF: "Expenses:WrittenOff",
}
HEAD = (
    "seq",
    "n",
    "key",
    "kind",
    "area",
    "month",
    "effective_day",
    "booked",
    "entered_by",
    "approved_by",
    "reverses",
    "corrects",
    "note",
    "account",
    "yen",
    "phone",
    "resident",
    "ground",
    "decision",
    "budget_code",
    "fiscal_year",
    "of_month",
    "hash",
)


def beancount(entries: Iterable[Booked]) -> Iterator[str]:
    """The lines of a beancount file, without line ends."""
    yield 'option "title" "machinaka ledger"'
    yield 'option "operating_currency" "JPY"'
    for name in _NAMES.values():
        yield f"1900-01-01 open {name} JPY"
    balances: dict[str, int] = defaultdict(int)
    last = "1900-01-01"
    for one in entries:
        last = max(last, one.entry.effective_day)
        for leg in one.entry.legs:
            balances[leg.account] += leg.yen
        yield from _transaction(one)
    after = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    for account, name in _NAMES.items():
        yield f"{after} balance {name} {balances[account]} JPY"


def _transaction(one: Booked) -> Iterator[str]:
    entry = one.entry
    yield f"{entry.effective_day} * {_quoted(entry.kind)} {_quoted(entry.note)}"
    yield f"  seq: {one.seq}"
    yield f"  key: {_quoted(entry.key)}"
    yield f"  booked: {_quoted(entry.month)}"
    for name, seq in (("reverses", entry.reverses), ("corrects", entry.corrects)):
        if seq is not None:
            yield f"  {name}: {seq}"
    yield f"  hash: {_quoted(one.hash.hex())}"
    for leg, about in zip(entry.legs, one.written.names, strict=True):
        yield f"  {_NAMES[leg.account]} {leg.yen} JPY"
        for name, text in (
            ("phone", about.phone),
            ("resident", about.resident),
            ("ground", leg.ground),
            ("decision", leg.decision),
            ("budget", leg.budget_code),
            ("use", leg.of_month),
        ):
            if text:
                yield f"    {name}: {_quoted(text)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def rows(entries: Iterable[Booked]) -> Iterator[list[str]]:
    """A row a leg, under `HEAD`."""
    for one in entries:
        entry = one.entry
        booked = datetime.fromtimestamp(one.written.booked_ms / 1000, UTC).isoformat(timespec="milliseconds")
        about = ["" if number is None else str(number) for number in (entry.reverses, entry.corrects)]
        for n, (leg, name) in enumerate(zip(entry.legs, one.written.names, strict=True), 1):
            yield [
                str(one.seq),
                str(n),
                entry.key,
                entry.kind,
                entry.area,
                entry.month,
                entry.effective_day,
                booked,
                one.written.by,
                one.written.approved_by,
                *about,
                entry.note,
                leg.account,
                str(leg.yen),
                name.phone,
                name.resident,
                leg.ground,
                leg.decision,
                leg.budget_code,
                str(leg.fiscal_year),
                leg.of_month,
                one.hash.hex(),
            ]
