"""A month's vouchers as a file for the finance system, by a layout that the town writes down (rule).

1. A layout is plain JSON: encoding, line ends, quoting, heading, columns; a column is a field or a constant.
2. A line's budget code is that of its expense; `budgets` are those of accounts that have none of their own (fees).
3. `codes` are what the finance system calls our accounts, kinds and periods; without one our own word stands there.
4. What the encoding cannot write is told, and then nothing is written.  A text that a spreadsheet would take for a
   formula gets an apostrophe.
"""

import csv
import io
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from hub.case_fields import BadCase, Fields
from hub.sheet import guarded
from hub.waiver.ledger import ACCOUNTS
from hub.waiver.rules.months import last_day
from hub.waiver.voucher import Period, Voucher
from hub.writable import ENCODINGS, Encoding, unwritable

Newline = Literal["crlf", "lf"]
Field = Literal[
    "number",
    "month",
    "day",
    "kind",
    "account",
    "budget_code",
    "fiscal_year",
    "budget_year",
    "period",
    "debit_yen",
    "credit_yen",
    "yen",
    "entries",
    "hash",
]
FIELDS: tuple[Field, ...] = get_args(Field)
_COLUMNS, _LENGTH = 60, 20_000
_KEYS = frozenset(
    {"title", "encoding", "newline", "quoting", "header", "columns", "codes", "budgets", "file_name", "days"}
)
_COLUMN = frozenset({"heading", "field", "constant"})
_CODES = frozenset({*ACCOUNTS, *get_args(Period), "bill", "assess", "waive", "receipt", "pay", "difference"})


class BadLayout(BadCase):
    """A layout that cannot be read, or a file that it cannot write; one plain sentence."""

    def __init__(self, sentence: str) -> None:
        """The sentence as it is."""
        ValueError.__init__(self, sentence)


class Column(NamedTuple):
    """A column: its heading, and the field or the constant that stands in it."""

    heading: str
    field: Field | None
    constant: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What a file looks like."""

    title: str
    encoding: Encoding
    newline: Newline
    quoting: Literal["minimal", "all"]
    header: bool
    days: Literal["2026-11-30", "2026/11/30", "20261130"]
    file_name: str
    columns: tuple[Column, ...]
    codes: dict[str, str]
    budgets: dict[str, str]


def read(text: str) -> Layout:
    """The layout in a JSON text. Raises BadLayout."""
    if len(text) > _LENGTH:
        raise BadLayout(f"layout: expected at most {_LENGTH} characters, found {len(text)}")
    try:
        return _layout(Fields(msgspec.json.decode(text), "layout", _KEYS))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadLayout(f"layout: expected JSON ({error})") from error
    except BadCase as error:
        raise BadLayout(str(error)) from error


def _layout(fields: Fields) -> Layout:
    columns = tuple(_column(one) for one in fields.objects("columns", _COLUMN))
    if not 1 <= len(columns) <= _COLUMNS:
        raise BadCase(fields.place("columns"), f"1 to {_COLUMNS} columns", len(columns))
    codes = Fields(fields.get("codes") or {}, fields.place("codes"))
    budgets = Fields(fields.get("budgets") or {}, fields.place("budgets"))
    header = fields.get("header")
    if header is not None and not isinstance(header, bool):
        raise BadCase(fields.place("header"), "true or false", header)
    chosen: dict[str, Any] = {
        name: fields.choice(name, *choices)
        for name, choices in (
            ("encoding", sorted(ENCODINGS, key=lambda one: one != "utf-8-sig")),
            ("newline", ("crlf", "lf")),
            ("quoting", ("minimal", "all")),
            ("days", ("2026-11-30", "2026/11/30", "20261130")),
        )
    }
    found = Layout(
        title=fields.text("title"),
        header=header is not False,
        file_name=_file_name(fields),
        columns=columns,
        codes={name: codes.text(name) for name in codes.values},
        budgets={name: budgets.text(name) for name in budgets.values},
        **chosen,
    )
    _check(found)
    return found


def _file_name(fields: Fields) -> str:
    name = fields.text("file_name") or "vouchers-{month}.csv"
    plain = name.replace("{month}", "")
    if not plain.isascii() or len(name) > 60 or not all(one.isalnum() or one in "._-" for one in plain):
        raise BadCase(fields.place("file_name"), "letters, figures, . _ - and {month}", name)
    return name


def _column(fields: Fields) -> Column:
    if fields.has("field") == fields.has("constant"):
        raise BadCase(fields.where, "a field or a constant, one of the two")
    if fields.has("constant"):
        return Column(fields.text("heading"), None, fields.text("constant"))
    field: Field = fields.choice("field", *FIELDS)  # type: ignore[assignment]
    return Column(fields.text("heading"), field, "")


def _check(layout: Layout) -> None:
    for name, code in layout.codes.items():
        if name not in _CODES:
            raise BadCase("layout.codes", f"only {', '.join(sorted(_CODES))}", name)
        _check_text(layout, f"layout.codes.{name}", code)
    for name, code in layout.budgets.items():
        if name not in ACCOUNTS:
            raise BadCase("layout.budgets", f"only {', '.join(ACCOUNTS)}", name)
        _check_text(layout, f"layout.budgets.{name}", code)
    for at, one in enumerate(layout.columns):
        _check_text(layout, f"layout.columns[{at}]", one.heading + one.constant)


def _check_text(layout: Layout, where: str, text: str) -> None:
    letters = unwritable(text, layout.encoding)
    if letters:
        raise BadCase(where, f"letters that {layout.encoding} can write", letters)


class File(NamedTuple):
    """A file that can leave the house."""

    name: str
    content: bytes
    rows: int


def file(layout: Layout, vouchers: list[Voucher], month: str, hashed: str) -> File:
    """The file of a month; the same month and layout give the same bytes. Raises BadLayout."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        quoting=csv.QUOTE_ALL if layout.quoting == "all" else csv.QUOTE_MINIMAL,
        lineterminator="\r\n" if layout.newline == "crlf" else "\n",
    )
    if layout.header:
        writer.writerow(guarded(one.heading) for one in layout.columns)
    for one in vouchers:
        cells = [_cell(layout, column, one, hashed) for column in layout.columns]
        letters = unwritable("".join(cells), layout.encoding)
        if letters:
            raise BadLayout(f"row {one.number}: {layout.encoding} cannot write {letters}; expected other letters")
        writer.writerow(cells)
    name = layout.file_name.replace("{month}", month)
    return File(name, text.getvalue().encode(layout.encoding), len(vouchers))


def _cell(layout: Layout, column: Column, one: Voucher, hashed: str) -> str:
    if column.field is None:
        return guarded(column.constant)
    if column.field == "hash":
        return hashed
    if column.field == "yen":
        return str(one.debit_yen - one.credit_yen)
    if column.field == "budget_code":
        return guarded(one.budget_code or layout.budgets.get(one.account, ""))
    if column.field == "day":
        return last_day(one.month).strftime(_DAYS[layout.days])
    value = getattr(one, column.field)
    return str(value) if isinstance(value, int) else guarded(layout.codes.get(value, value))


_DAYS = {"2026-11-30": "%Y-%m-%d", "2026/11/30": "%Y/%m/%d", "20261130": "%Y%m%d"}

# The layouts that come with the hub; the town copies one under a name of its own and changes it.
_PLAIN = [
    ("番号", "number"),
    ("計上月", "month"),
    ("計上日", "day"),
    ("年度", "fiscal_year"),
    ("予算年度", "budget_year"),
    ("期間区分", "period"),
    ("伝票区分", "kind"),
    ("予算科目", "budget_code"),
    ("勘定科目", "account"),
    ("借方金額", "debit_yen"),
    ("貸方金額", "credit_yen"),
    ("件数", "entries"),
    ("締めのハッシュ", "hash"),
]
CODES = {
    "expense": "役務費（通信運搬費）",
    "payable": "未払金",
    "suspense": "照会中",
    "receivable": "未収金",
    "fee": "使用料",
    "waived": "減免",
    "cash": "現金・預り",
    "treasury": "歳計現金",
    "aid": "扶助費",
    "overpaid": "過誤納金",
    "written_off": "不納欠損",
    "bill": "請求",
    "assess": "調定",
    "waive": "減免",
    "receipt": "収納",
    "pay": "支払",
    "difference": "差額",
    "in_year": "年度内",
    "settling": "出納整理期間",
    "past": "過年度",
}
SHIPPED: dict[str, dict[str, Any]] = {
    "generic": {
        "title": "汎用（UTF-8、Excelで開けます）",
        "encoding": "utf-8-sig",
        "file_name": "denpyo-{month}.csv",
        "columns": [{"heading": heading, "field": field} for heading, field in _PLAIN],
        "codes": CODES,
        "budgets": {"fee": "", "receivable": "", "waived": "", "cash": ""},
    },
    "shift-jis": {
        "title": "財務会計取込（Shift_JIS、見出しなし、全項目を引用符で囲む）",
        "encoding": "cp932",
        "quoting": "all",
        "header": False,
        "days": "20261130",
        "file_name": "denpyo-{month}.csv",
        "columns": [
            {"constant": "1"},
            *(
                {"heading": heading, "field": field}
                for heading, field in _PLAIN
                if field not in ("month", "hash", "entries")
            ),
        ],
        "codes": CODES,
    },
}
