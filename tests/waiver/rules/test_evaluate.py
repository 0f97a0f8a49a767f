"""The command and what it reads: bad input in one sentence, whatever it is."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.case_fields import BadCase
from hub.waiver.rules import evaluate
from tests.attendance.rules.test_evaluate import answered, anything
from tests.attendance.rules.test_exact import inexact
from tests.waiver.rules.test_cases import cases, holds

CASE: dict[str, Any] = cases()[0]["given"]
LINE: dict[str, Any] = CASE["lines"][0]


def run(kind: str, file: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "hub", "evaluate", kind, file]
    return subprocess.run(command, input=text, capture_output=True, check=False, timeout=60)


def told(case: object) -> str:
    with pytest.raises(BadCase) as error:
        evaluate.waiver(case)
    return str(error.value)


def test_the_command_answers_a_file_and_standard_input(tmp_path: Path) -> None:
    case = next(one for one in cases() if one["id"] == "C05-by_day")
    (tmp_path / "case.json").write_text(json.dumps(case["given"]))
    from_file, from_input = run("waiver", str(tmp_path / "case.json")), run("waiver", "-", json.dumps(case).encode())
    assert (from_file.returncode, from_file.stderr) == (0, b"")
    assert from_file.stdout == from_input.stdout
    answer = json.loads(from_file.stdout)
    assert holds(case["expect"], answer)
    assert "減免 1,142円" in "".join(step["ja"] for step in answer["lines"]["L001"]["steps"])


def test_the_command_says_what_is_wrong_in_one_sentence() -> None:
    found = run("waiver", "-", json.dumps(CASE | {"lines": [LINE | {"waiver": []}]}).encode())
    assert (found.returncode, found.stdout) == (2, b"")
    assert found.stderr.decode().startswith("machinaka-hub: -: lines[0]: expected only")
    assert found.stderr.decode().count("\n") == 1


def with_line(**changes: object) -> dict[str, Any]:
    return CASE | {"lines": [LINE | {name.rstrip("_"): value for name, value in changes.items()}]}


def with_waiver(**changes: object) -> dict[str, Any]:
    return with_line(waivers=[LINE["waivers"][0] | changes])


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ([], "given: expected an object, found a list"),
        (CASE | {"month": "2026-1"}, "month: expected a month from 2000-01 to 2099-12, found '2026-1'"),
        (CASE | {"line": []}, "given: expected only"),
        (CASE | {"lines": {}}, "lines: expected a list of at most"),
        (CASE | {"lines": [LINE, LINE]}, "lines[1].id: expected another line's id, found 'L001'"),
        (CASE | {"tariff": None}, "tariff: expected an object, found null"),
        (CASE | {"tariffs": {}}, "given: expected tariff or tariffs, not both"),
        (CASE | {"tariff": None, "tariffs": {"x": {}}}, "tariffs.x.base_yen: expected a whole number"),
        (CASE | {"rules": {"full": {"amount": 2}}}, "rules.full.amount: expected full or a fraction"),
        (with_line(id_=""), "lines[0].id: expected the line's id, a text, found ''"),
        (with_line(tariff="x"), "lines[0].tariff: expected '', found 'x'"),
        (with_line(used_bytes=-1), "lines[0].used_bytes: expected a whole number"),
        (with_line(from_="2026-11-31"), "lines[0].from: expected a day such as 2026-11-18, found '2026-11-31'"),
        (with_line(from_="2026-11-12", to="2026-11-11"), "lines[0].to: expected 2026-11-12 or later"),
        (with_line(other_charges=[{"name": "x"}]), "lines[0].other_charges[0].yen: expected a whole number"),
        (with_line(waivers={}), "lines[0].waivers: expected a list, found an object"),
        (with_waiver(rule="x"), "lines[0].waivers[0].rule: expected full or half, found 'x'"),
        (with_waiver(applied=None), "lines[0].waivers[0].applied: expected a day such as 2026-11-18, found null"),
        (with_waiver(end="2026-11-20"), "lines[0].waivers[0]: expected only"),
        (
            CASE | {"rules": {"full": {"amount": "full", "start": "acceptance_month"}}},
            "lines[0].waivers[0].accepted: expected the day of acceptance, with which the rule starts",
        ),
    ],
)
def test_bad_input_is_told_with_its_place(case: object, sentence: str) -> None:
    assert told(case).startswith(sentence)


def test_what_only_tells_who_it_is_is_let_pass() -> None:
    assert evaluate.waiver(with_line(phone="020-1234-5678", note="x"))["resident"] == 0
    accepted = {"amount": "full", "start": "acceptance_month"}
    case = with_waiver(accepted="2026-12-01") | {"rules": {"full": accepted}}
    assert evaluate.waiver(case)["waived"] == 0


def test_a_charge_is_stated_as_its_tariff_is_unless_told() -> None:
    charge = {"name": "content", "yen": 110}
    assert evaluate.waiver(with_line(other_charges=[charge]))["lines"]["L001"]["total"] == 1483 + 148 + 110 + 11
    inside = evaluate.waiver(with_line(other_charges=[charge | {"tax_included": True}]))
    assert inside["lines"]["L001"]["other_ex_tax"] == 100
    assert inside["invoice"]["total"] == 1631 + 110


NAMES = ("id", "used_bytes", "from", "to", "other_charges", "waivers", "billed_ex_tax", "list_price_yen")
bad_cases = st.fixed_dictionaries(
    {},
    optional={
        "month": st.just("2026-11") | anything,
        "tariff": st.just(CASE["tariff"])
        | anything
        | st.dictionaries(st.sampled_from(sorted(CASE["tariff"])), anything),
        "rules": anything | st.fixed_dictionaries({"full": anything | st.fixed_dictionaries({"amount": anything})}),
        "lines": anything
        | st.lists(st.dictionaries(st.sampled_from(NAMES), anything) | st.just(LINE), max_size=2)
        | st.lists(st.dictionaries(st.sampled_from(["rule", "applied", "decided", "ended"]), anything), max_size=2).map(
            lambda grants: [LINE | {"waivers": grants}]
        ),
    },
)


@settings(max_examples=120, deadline=None)
@given(bad_cases | anything)
def test_whatever_is_given_there_is_an_answer_or_a_sentence(value: object) -> None:
    text = answered(evaluate.waiver, value)
    assert text.startswith("{") or "expected" in text
    assert "\n" not in text
    assert text.encode()


@pytest.mark.parametrize("path", sorted(Path(evaluate.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_the_source_of_a_rule_has_no_float(path: Path) -> None:
    assert inexact(ast.parse(path.read_text())) == []
