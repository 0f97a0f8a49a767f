"""What comes in is looked at strictly, what goes out can do no harm: forms, headers, files, SQL."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from hub import app, pages
from tests.login.parts import PASSWORD, Browser, Town, running_town
from tests.login.test_roles import PLACES, TABLE

ROOT = Path(app.__file__).parents[1]
# Pages of people, sessions and the audit log; the other domains have bodies and tests of their own.
STRICT = [
    ("/sign-in", {"name": "hanako", "password": PASSWORD, "next": "/"}),
    ("/sign-out", {"everywhere": "no"}),
    ("/confirm", {"next": "/"}),
    ("/settings/password", {"now": "x", "password": "x"}),
    ("/settings/code", {"code": "000000", "next": ""}),
    ("/settings/code/off", {}),
    ("/settings/recovery", {}),
    ("/settings/people", {"name": "taro", "role": "clerk", "shown": ""}),
    ("/settings/people/1", {"do": "new_link"}),
]


@pytest.mark.parametrize(("path", "form"), STRICT)
def test_d9_a_field_that_is_not_known_is_refused(town: Town, admin: Browser, path: str, form: dict[str, str]) -> None:
    before = town.did()
    for more in ({"admin": "yes"}, {"role ": "x"}, {"": ""}, {"NAME": "x"}):
        answer = admin.send(path, {**form, **more})
        assert answer.status_code == 400
        assert "何も変えていません" in answer.text
    assert town.did() == before
    assert admin.signed_in()


def test_d9_no_body_is_larger_than_64_kib(town: Town, admin: Browser) -> None:
    csrf, kind = admin.csrf(), "application/x-www-form-urlencoded"
    for path, _ in STRICT:
        assert admin.raw(path, b"name=" + b"x" * (65_536 - 5 + 1), kind, csrf) == 413
        assert admin.raw(path, iter([b"name=", b"x" * 40_000, b"x" * 40_000]), kind, csrf) == 413
    assert admin.raw("/sign-in", b"name=" + b"x" * (65_536 - 5), kind, csrf) == 401


def everything(town: Town) -> Iterator[tuple[str, str]]:
    """Each route's method and an address of it, those of others included."""
    for route in app.routes(town.app):
        if isinstance(route, APIRoute):
            path = route.path
            for place, value in PLACES.items():
                path = path.replace(place, value)
            path = re.sub(r"\{\w+\}", "x", path)
            for method in route.methods or ():
                yield method, path


def test_d7_every_route_carries_the_headers(tmp_path: Path) -> None:
    with running_town(tmp_path, public_url="https://hub.example") as town:
        browser = Browser(town)
        addresses = [*everything(town), ("GET", "/nowhere"), ("DELETE", "/"), ("OPTIONS", "/"), ("HEAD", "/sign-in")]
        addresses += [("GET", "/static/hub.css"), ("GET", "/static/none"), ("POST", "/sign-in?x=%ff")]
        for method, path in addresses:
            answer = browser._http.request(method, path, headers={"origin": "https://hub.example"})
            headers = answer.headers
            assert headers["content-security-policy"].startswith("default-src 'self'"), (method, path)
            assert "unsafe" not in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert ("no-store" in headers.get("cache-control", "")) == (not path.startswith("/static/"))
            assert "server" not in headers
        assert len(addresses) > len(TABLE)


def test_d7_the_cookie_and_the_pages_without_inline_code(tmp_path: Path) -> None:
    with running_town(tmp_path, public_url="https://hub.example") as town:
        town.add("taro", "clerk")
        form = {"name": "taro", "password": PASSWORD}
        answer = Browser(town).post("/sign-in", form, origin="https://hub.example")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-machinaka=")
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    for template in (ROOT / "hub" / "templates").glob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), template
        plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
        assert not re.search(r"<[^>]*\s(on[a-z]+|style)\s*=", plain), template
        # Every form that changes something carries the token.
        for post in re.findall(r'<form method="post".*?</form>', text, re.DOTALL):
            public = re.search(r'action="/(sign-in|welcome)"', post)
            assert public or "csrf" in post or "caller()" in post, (template, post[:120])


CELL = (
    st.one_of(
        st.text(max_size=12), st.sampled_from(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=";'])
    )
    | st.integers()
)


@given(st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=4))
def test_d11_no_cell_of_a_file_begins_a_formula(rows: list[list[object]]) -> None:
    body = pages.table_file("x.csv", ["名前"], rows).body
    text = bytes(body).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["名前"]
    for given_row, row in zip(rows, read[1:], strict=True):
        for given_cell, cell in zip(given_row, row, strict=True):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
            assert cell in (str(given_cell), f"'{given_cell}")


@given(st.text(max_size=40))
def test_d11_a_page_shows_text_as_text(text: str) -> None:
    shown = pages.fragment("_macros.html", "ja")
    assert "<script" not in shown
    environment = pages._environment
    assert environment.autoescape is True
    rendered = environment.from_string('<p title="{{ text }}">{{ text }}</p>').render(text=text)
    assert rendered.count("<") == 2
    assert rendered.count('"') == 2


# ---- SQL


# What is put into a statement otherwise than as a value: looked at one by one, and each time it is one of a few
# texts written beside it (a condition, a table of ours, a name of a column, question marks).  Whoever adds one
# looks at where it comes from, and adds it here.
REVIEWED = {
    "edge_agent/spool_file.py": {"statement", "max(64, max_bytes // PAGE_BYTES)"},
    "edge_agent/spool_room.py": {"which", "text"},
    "edge_agent/wifi/session_store.py": {"_MOST_BYTES // _PAGE_BYTES"},
    "hub/alerts/store.py": {"rest", "statement"},
    "hub/attendance/close_store.py": {"which"},
    "hub/attendance/punch_intake_store.py": {"query"},
    # Of fixed pieces, one a filter that was asked for; what is looked for are values.
    "hub/attendance/request_store.py": {"of_staff", "order", "where", "where_id"},
    "hub/attendance/store.py": {"which"},
    "hub/attendance/tap_store.py": {"query"},
    "hub/attendance/timesheet_store.py": {"column"},
    "hub/db.py": {"_statement(into, size)", "_selection(select, size)", "pragma"},
    "hub/fleet/groups.py": {"which"},
    "hub/fleet/known.py": {"table"},
    "hub/fleet/listing.py": {"query"},
    "hub/fleet/record_store.py": {"migrations.event_table(month)", "month"},
    "hub/fleet/store.py": {"where", "also", "query", "table", "where.replace('device_id', 'id')"}
    | {"where.replace('device_id', 'd.id')"},
    # Names of columns out of the list of fields that may be edited.
    "hub/inventory/store.py": {"column", "source", "which", "''.join((f'{field} = ?, ' for field in columns))"},
    "hub/migrations.py": {"statement"},
    "hub/orders/store.py": {"where"},
    "hub/policy/group_store.py": {"select", "column"},
    "hub/policy/store.py": {"select", "column"},
    # One of two columns, and conditions that stand in that file.
    "hub/wifi/disaster_store.py": {"column", "where"},
    # Months of event tables, as the database itself names them; steps are statements of the module.
    "hub/wifi/purge_store.py": {"late", "month", "span.month", "step.due", "step.take"},
    "hub/staff/rows.py": {"column", "places", "select", "which"},
    "hub/waiver/ledger_store.py": {"which"},
    # One of a few fixed queries, each over a month.
    "hub/waiver/month_seen.py": {"query"},
    "hub/waiver/month_store.py": {"query"},
    "hub/waiver/report_store.py": {"query"},
    "hub/waiver/ledger_sums.py": {"which", "one", "other"},
    "hub/waiver/receipt_store.py": {"which"},
    "hub/rollout/store.py": {"which", "_words(OPEN)", "_words(ACTIVE)"},
    # One of the statements written there, with what is looked for as values.
    "hub/waiver/bill_store.py": {"query"},
}
_QUESTION_MARKS = re.compile(r"','\.join\('\?' \* len\(\w+\)\)")
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def statements() -> Iterator[tuple[str, int, ast.expr]]:
    """The first argument of every call that runs SQL."""
    for folder in ("hub", "edge_agent", "provisioning"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("execute", "executemany", "executescript")
                    and node.args
                ):
                    yield str(path.relative_to(ROOT)), node.lineno, node.args[0]


def foreign(expression: ast.expr) -> list[str]:
    """What of a statement is neither written there, nor a constant of the module, nor question marks."""
    match expression:
        case ast.Constant():
            return []
        case ast.Name(id=name) | ast.Attribute(attr=name) if _CONSTANT.fullmatch(name):
            return []
        case ast.JoinedStr(values=parts):
            return [bad for part in parts for bad in foreign(part)]
        case ast.FormattedValue(value=inner):
            return foreign(inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right) | ast.IfExp(body=left, orelse=right):
            return foreign(left) + foreign(right)
    text = ast.unparse(expression)
    return [] if _QUESTION_MARKS.fullmatch(text) else [text]


def test_d12_no_value_is_built_into_sql() -> None:
    """Ruff (S608) finds statements that are put together; what it is told to let pass is looked at here."""
    found = {(path, bad) for path, _, expression in statements() for bad in foreign(expression)}
    assert sorted(one for one in found if one[1] not in REVIEWED.get(one[0], set())) == []
    assert len(list(statements())) > 100


def test_d12_a_statement_that_is_put_together_is_found() -> None:
    bad = ("f'SELECT {name}'", "'SELECT ' + name", "'SELECT %s' % name", "'SELECT {}'.format(name)", "f'{_A} {b}'", "x")
    for text in bad:
        assert foreign(ast.parse(text, mode="eval").body), text
    for text in ("'SELECT 1'", "f'SELECT {_COLUMNS} FROM x'", 'f\'IN ({",".join("?" * len(ids))})\'', "A + 'x'"):
        assert not foreign(ast.parse(text, mode="eval").body), text


@pytest.mark.parametrize(
    "odd",
    ["' OR 1=1 --", '"; DROP TABLE audit; --', "%", "_", "\\", "\x00", "ﾃ'", "1) UNION SELECT password FROM person"],
)
def test_d12_what_is_typed_is_a_value(town: Town, admin: Browser, odd: str) -> None:
    before = len(town.did())
    for path in ("/devices", "/taps", "/settings/audit"):
        for name in ("q", "find", "card", "by", "device", "group"):
            answer = admin._http.get(path, params={name: odd})
            assert answer.status_code in (200, 303, 400)
    assert Browser(town).half_sign_in(odd, odd).status_code == 401
    assert admin.get("/settings/people").status_code == 200
    assert len(town.did()) == before + 1
