"""What people and files write of a payment, field by field (rule)."""

from collections.abc import Mapping

import msgspec

from hub.staff.form import Wrong, WrongValue
from hub.waiver.receipt import WAYS, Receipt
from hub.waiver.register_form import a_day, a_month, phone, plain, wrong

FIELDS = (
    "receipt_reference",
    "receipt_resident",
    "receipt_day",
    "receipt_yen",
    "receipt_way",
    "receipt_phone",
    "receipt_month",
)
NEEDED = ("receipt_reference", "receipt_resident", "receipt_day", "receipt_yen")
# Ten years of the dearest tariff: whatever is more is a slip of the hand.
MOST_YEN = 1_000_000
_REFERENCE_LENGTH = 60
_WAY_WORDS = {
    "": "counter",
    "窓口": "counter",
    "現金": "counter",
    "cash": "counter",
    "振込": "transfer",
    "banktransfer": "transfer",
    "口座振替": "debit",
    "口座": "debit",
    "directdebit": "debit",
    "納付書": "slip",
    "paymentslip": "slip",
    "その他": "other",
}


class Known(msgspec.Struct, frozen=True):
    """Who and what there is: ids by resident number and by phone number; `today` as YYYY-MM-DD."""

    residents: dict[str, int]
    lines: dict[str, int]
    today: str


def read(values: Mapping[str, str], known: Known) -> tuple[Receipt | None, list[Wrong]]:
    """The payment, or what is wrong with its fields."""
    problems: list[Wrong] = []
    found: dict[str, object] = {}
    for field in FIELDS:
        try:
            found[field] = _READ[field](field, values.get(field, ""), known)
        except WrongValue as error:
            problems.append(error.wrong)
    if problems:
        return None, problems
    names = ("reference", "resident_id", "day", "yen", "way", "line_id", "of_month")
    return Receipt(**dict(zip(names, found.values(), strict=True))), []  # type: ignore[arg-type]


def _reference(field: str, value: str, _known: Known) -> str:
    value = plain(value)
    if not value:
        raise wrong(field, "", "something")
    if len(value) > _REFERENCE_LENGTH:
        raise wrong(field, value, "shorter", _REFERENCE_LENGTH)
    if not value.isprintable() or "#" in value:
        raise wrong(field, value, "reference")
    return value


def _resident(field: str, value: str, known: Known) -> int:
    number = plain(value)
    if number not in known.residents:
        raise wrong(field, value, "resident_number")
    return known.residents[number]


def _day(field: str, value: str, known: Known) -> str:
    found = a_day(field, value, needed=True)
    if found > known.today:
        raise wrong(field, value, "no_later", known.today)
    return found


def _yen(field: str, value: str, _known: Known) -> int:
    figures = plain(value).removesuffix("円").removeprefix("¥").replace(",", "")
    # What Python calls a digit is more than the ten that a sum is written with.
    if not (figures.isascii() and figures.isdigit() and len(figures) <= 9 and 0 < int(figures) <= MOST_YEN):
        raise wrong(field, value, "yen", f"{MOST_YEN:,}")
    return int(figures)


def _way(field: str, value: str, _known: Known) -> str:
    word = plain(value).lower().replace(" ", "")
    way = _WAY_WORDS.get(word, word)
    if way not in WAYS:
        raise wrong(field, value, "receipt_way")
    return way


def _line(field: str, value: str, known: Known) -> int:
    if not plain(value):
        return 0
    figures = phone(field, value)
    if figures not in known.lines:
        raise wrong(field, value, "line_phone")
    return known.lines[figures]


def _month(field: str, value: str, _known: Known) -> str:
    return a_month(field, value)


_READ = {
    "receipt_reference": _reference,
    "receipt_resident": _resident,
    "receipt_day": _day,
    "receipt_yen": _yen,
    "receipt_way": _way,
    "receipt_phone": _line,
    "receipt_month": _month,
}
