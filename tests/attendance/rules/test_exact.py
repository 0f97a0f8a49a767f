"""No float anywhere: not in the rules' source, not in a result."""

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from hub.attendance import rules
from hub.attendance.rules.given import Given
from hub.attendance.rules.month import month
from tests.attendance.rules.test_properties import months

SOURCES = sorted(Path(rules.__file__).parent.glob("*.py"))


def inexact(tree: ast.AST) -> list[str]:
    """What makes or rounds floats."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"{node.lineno}: {node.value}")
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"{node.lineno}: /")
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("round", "float", "divmod")
        ):
            found.append(f"{node.lineno}: {node.func.id}")
        if isinstance(node, ast.Attribute) and node.attr in ("timestamp", "total_seconds"):
            found.append(f"{node.lineno}: {node.attr}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_source_of_a_rule_has_no_float(path: Path) -> None:
    assert inexact(ast.parse(path.read_text())) == []


def test_what_is_inexact_is_found() -> None:
    assert len(inexact(ast.parse("a = 1.5\nb = a / 2\nc = round(b)\nd = float(c)\ne /= 2\nf = g.timestamp()"))) == 6


def walk(value: object) -> None:
    assert not isinstance(value, float)
    if isinstance(value, dict):
        for key, inner in value.items():
            walk(key)
            walk(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            walk(inner)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            walk(getattr(value, name))


@settings(deadline=None)
@given(months())
def test_a_result_has_no_float(given_month: Given) -> None:
    walk(month(given_month))
