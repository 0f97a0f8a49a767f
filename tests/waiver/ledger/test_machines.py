"""Two machines, other numbers, any order of arrival, repeats: the same hash of a closed month (I11, I10)."""

import random
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Db
from hub.waiver import ledger_check, ledger_store
from hub.waiver.ledger import Entry
from hub.waiver.ledger_store import Closing
from tests.waiver.ledger.parts import LINES, NOW_MS, assess, bill, enter_registers, waive

Facts = list[tuple[str, int, str, int]]
_MAKE = {"bill": bill, "assess": assess, "waive": waive}


def machine(folder: Path, seed: int, facts: Facts, *, note: str = "") -> tuple[Closing, dict[str, int], Closing]:
    """A machine that gives its own numbers, hears the facts in an order of its own and some of them twice.

    The second month puts an entry of the first right, and takes another back.
    """
    chance = random.Random(seed)
    ids = tuple(chance.sample(range(1, 1000), LINES))
    db = Db(folder / f"{seed}.db")
    db.open()
    try:
        db.write_now(partial(enter_registers, ids=ids))
        entries = [
            msgspec.structs.replace(
                _MAKE[kind](ids[line - 1], month, yen), key=f"{seed}-{kind}-{line}-{month}", note=note
            )
            for kind, line, month, yen in facts
        ]
        heard = chance.sample(entries, len(entries)) + chance.choices(entries, k=3)
        while heard:
            part, heard = heard[:4], heard[4:]
            _post(db, part, chance.randrange(10**12))
        first = _close(db, "2026-10", f"closer{seed}")
        correct(db, seed, ids[0])
        second = _close(db, "2026-11", f"closer{seed}")
        assert db.read(ledger_check.verify) is None
        return first, db.read(ledger_store.balances), second
    finally:
        db.close()


def correct(db: Db, seed: int, line: int) -> None:
    """What became known about the first line's month after it was closed."""
    found = {one.entry.key: one for one in db.read(partial(ledger_store.after, seq=0, limit=1000))}
    wrong = found[f"{seed}-assess-1-2026-10"]
    right = msgspec.structs.replace(
        assess(line, "2026-10", 1000, booked="2026-11"), key=f"{seed}-right", kind="correction", corrects=wrong.seq
    )
    db.write_now(
        partial(
            ledger_store.reverse, seqs=[wrong.seq], month="2026-11", day="2026-11-28", note="x", now_ms=seed, by="saki"
        )
    )
    _post(db, [right], seed)


def _post(db: Db, entries: list[Entry], now_ms: int) -> None:
    db.write_now(partial(ledger_store.post, entries=entries, now_ms=now_ms, by="hanako"))


def _close(db: Db, month: str, by: str) -> Closing:
    return db.write_now(partial(ledger_store.close, area="line", month=month, now_ms=NOW_MS, by=by, approved_by="jiro"))


FACTS: Facts = [(kind, line, "2026-10", 1600 + line) for line in range(1, LINES + 1) for kind in ("bill", "assess")]
FACTS += [("waive", line, "2026-10", 800) for line in (1, 2, 5)] + [("assess", 3, "2026-11", 1631)]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
def test_i11_the_same_facts_give_the_same_hash(tmp_path_factory: pytest.TempPathFactory, seeds: list[int]) -> None:
    folder = tmp_path_factory.mktemp("machines")
    found = [machine(folder, seed, FACTS) for seed in seeds]
    assert found[0][0].content_hash == found[1][0].content_hash
    assert found[0][1] == found[1][1]
    assert found[0][2].content_hash == found[1][2].content_hash
    # Who closed and when, and the order of the chain, are each machine's own.
    assert found[0][0].chain_hash != found[1][0].chain_hash


def test_i11_any_other_fact_gives_another(tmp_path: Path) -> None:
    known = {machine(tmp_path, 1, FACTS)[0].content_hash}
    others = [
        FACTS[:-2] + FACTS[-1:],
        [*FACTS, ("waive", 6, "2026-10", 1)],
        [*FACTS[:-2], ("waive", 5, "2026-10", 801), FACTS[-1]],
        [*FACTS[:-2], ("waive", 6, "2026-10", 800), FACTS[-1]],
    ]
    for seed, facts in enumerate(others, 2):
        known.add(machine(tmp_path, seed, facts)[0].content_hash)
    known.add(machine(tmp_path, 9, FACTS, note="other")[0].content_hash)
    assert len(known) == 6


def test_i10_the_lines_of_a_bill_come_to_the_bill(tmp_path: Path) -> None:
    (_, balances, _) = machine(tmp_path, 1, FACTS)
    billed = sum(yen for kind, _, _, yen in FACTS if kind == "bill")
    assert (balances["expense"], balances["payable"]) == (billed, -billed)
