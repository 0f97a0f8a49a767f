"""A table of payments against what is entered: what would be posted, and what is wrong with it (rule).

1. All rows or none.  A payment that is entered already is left as it is, so that a file can be taken in once more.
2. One that was taken back is not entered again by a file: a person does that, who knows why.
"""

from collections.abc import Iterable, Mapping

from hub.cells import Cells
from hub.staff.form import Wrong
from hub.staff.plan import Fate, Plan, Rows, finished
from hub.waiver.receipt import Receipt
from hub.waiver.receipt_form import Known, read


def plan(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    unknown: list[str],
    known: Known,
    entered: Mapping[str, tuple[Receipt, bool]],
) -> tuple[Plan, list[Receipt]]:
    """What these rows come to, and the payments that are new; `entered` by reference, and whether it was taken back."""
    gathered, fates, new = Rows(places), list[Fate](), list[Receipt]()
    seen: dict[str, int] = {}
    for cells in rows:
        values = gathered.values(cells)
        paid, problems = read(values, known)
        for one in problems:
            gathered.wrong(cells, one)
        if paid is None:
            continue
        if paid.reference in seen:
            gathered.wrong(cells, Wrong("receipt_reference", paid.reference, "once", seen[paid.reference]))
            continue
        seen[paid.reference] = cells.number
        before = entered.get(paid.reference)
        if before is None:
            new.append(paid)
        elif before[1] or before[0] != paid:
            expected = "not_taken_back" if before[1] else "not_taken"
            gathered.wrong(cells, Wrong("receipt_reference", paid.reference, expected))
            continue
        after = {} if before else {field: values[field] for field in places if values.get(field)}
        fates.append(Fate(cells.number, paid.reference, "same" if before else "new", {}, after))
    return finished(gathered, fates, unknown), [] if gathered.problems else new
