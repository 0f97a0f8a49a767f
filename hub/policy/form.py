"""Typed fields of a layer as fields of a form, and back (rule).

1. Each field has a choice (`say.…`): not said here, a value, back to the default; what is typed lies in `value.…`.
2. Who types something new means it, also when the choice still says "not said here".
3. One section is one form: the others of the layer stay as they are.
4. Ranges and choices come from the types in `wire/policy.py`: there is one truth about what may be said.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from hub.policy import merge
from hub.policy.merge import Document, Path
from wire import policy

Kind = Literal["number", "time", "text", "choice", "yes_no", "hours", "days", "pages", "names"]
Section = Literal["common", "opening", "terminal", "tablet", "access_point"]
SECTIONS: tuple[Section, ...] = get_args(Section)
UNSAID, VALUE, DEFAULT, CLOSED = "unsaid", "value", "default", "closed"

# Units of numbers (`policy_unit_…` in the words).
_UNITS = {"health_every_s": "s", "usage_every_s": "s", "bulk_every_s": "s", "debounce_s": "s", "lease_days": "days"}
_UNITS |= {"volume": "percent", "session_minutes": "minutes", "idle_minutes": "minutes", "extensions": "times"}
_UNITS |= {"down_kbit": "kbit", "up_kbit": "kbit", "slow_kbit": "kbit", "quota_mb": "mb"}
_UNITS |= {"content_mb": "mb", "light": "percent"}
_LINES: dict[str, Kind] = {"closed_days": "days", "open_days": "days", "home": "pages", "garden": "names"}
_LINES |= {"allowed": "names"}
_TABLES: dict[Section, type[msgspec.Struct]] = {
    "common": policy.Layer,
    "opening": policy.Opening,
    "terminal": policy.Terminal,
    "tablet": policy.Tablet,
    "access_point": policy.AccessPoint,
}
# What the hub writes itself, and the tables, are no fields.
_NO_FIELDS = {"holidays", *SECTIONS}


class Field(msgspec.Struct, frozen=True):
    """One field: where it lies, what may be said, and what `policy_<name>` in the words calls it."""

    path: Path
    kind: Kind
    low: int = 0
    high: int = 0
    options: tuple[str, ...] = ()
    unit: str = ""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path[-1]

    @property
    def key(self) -> str:
        """The path as it stands in the form."""
        return ".".join(self.path)


class Filled(msgspec.Struct, frozen=True):
    """A field with what is said: `say` is the choice, `value` what stands in its box."""

    field: Field
    say: str
    value: str


class Wrong(Exception):
    """A field that cannot be read: its name, and the sentence (`policy_wrong_…`) that says what was expected."""

    def __init__(self, field: Field, why: str) -> None:
        super().__init__(f"{field.key}: {why}")
        self.field, self.why = field, why


def _fields(section: Section) -> tuple[Field, ...]:
    table = _TABLES[section]
    under: Path = () if section == "common" else (section,)
    hints = get_type_hints(table, include_extras=True)
    return tuple(_field((*under, name), hints[name]) for name in table.__struct_fields__ if name not in _NO_FIELDS)


def _field(path: Path, hint: object) -> Field:
    name = path[-1]
    meta = msgspec.Meta()
    plain: Any = get_args(hint)[0]
    if get_origin(plain) is Annotated:
        plain, meta = get_args(plain)[:2]
    if name in _LINES:
        return Field(path, _LINES[name], high=meta.max_length or 0)
    if get_origin(plain) is Literal:
        return Field(path, "choice", options=get_args(plain))
    if plain is bool:
        return Field(path, "yes_no", options=("yes", "no"))
    if plain is int:
        return Field(path, "number", int(meta.ge or 0), int(meta.le or 0), unit=_UNITS[name])
    if get_origin(plain) is list:
        return Field(path, "hours", high=meta.max_length or 0)
    return Field(path, "time" if meta.max_length == 5 else "text", meta.min_length or 0, meta.max_length or 0)


FIELDS: dict[Section, tuple[Field, ...]] = {section: _fields(section) for section in SECTIONS}
NAMES = frozenset(field.name for fields in FIELDS.values() for field in fields) | {"holidays"}
BY_KEY: dict[str, Field] = {field.key: field for fields in FIELDS.values() for field in fields}


_PLACES = {path: place for place, path in enumerate(field.path for fields in FIELDS.values() for field in fields)}


def place_of(path: Path) -> tuple[int, Path]:
    """Where a setting stands in the forms: what is listed is listed in their order."""
    return _PLACES.get(path, len(_PLACES)), path


def section_of(name: str | None) -> Section:
    """The section of that name; the first for a name that is none."""
    return next((known for known in SECTIONS if known == name), SECTIONS[0])


def sections_of(kind: str) -> tuple[Section, ...]:
    """The sections that mean something for a kind of device; all of them for a group of several kinds."""
    return tuple(one for one in SECTIONS if one in ("common", "opening", kind) or kind not in policy.KINDS)


def filled(layer: Document, section: Section) -> list[Filled]:
    """The form of a section as it stands."""
    said = merge.leaves(layer)
    return [_filled(field, said) for field in FIELDS[section]]


def _filled(field: Field, said: Mapping[Path, Any]) -> Filled:
    if field.path not in said:
        return Filled(field, UNSAID, "")
    value = said[field.path]
    if value is None:
        return Filled(field, DEFAULT, "")
    if field.kind == "yes_no":
        return Filled(field, "yes" if value else "no", "")
    if field.kind == "choice":
        return Filled(field, str(value), "")
    if field.kind == "hours" and value == []:
        return Filled(field, CLOSED, "")
    return Filled(field, VALUE, written(value))


def written(value: object) -> str:
    """A value as it is typed."""
    if isinstance(value, list):
        return "\n".join(str(one) for one in value) if value and "://" in str(value[0]) else ", ".join(map(str, value))
    return str(value)


def taken(layer: Document, section: Section, form: Mapping[str, str]) -> Document:
    """The layer with a section as it was filled in; a field that was not sent stays as it is. Raises Wrong."""
    said = merge.leaves(layer)
    for before in filled(layer, section):
        key = before.field.key
        if f"say.{key}" not in form and f"value.{key}" not in form:
            continue
        say, typed = form.get(f"say.{key}", before.say), form.get(f"value.{key}", "").strip()
        if say == UNSAID and typed and typed != before.value:
            say = VALUE
        said.pop(before.field.path, None)
        if say != UNSAID:
            said[before.field.path] = _value(before.field, say, typed)
    return merge.planted(sorted(said.items()))


def _value(field: Field, say: str, typed: str) -> Any:
    if say == DEFAULT:
        return None
    if field.kind == "hours" and say == CLOSED:
        return []
    if field.options:
        if say not in field.options:
            raise Wrong(field, "choice")
        return say == "yes" if field.kind == "yes_no" else say
    if say != VALUE:
        raise Wrong(field, "choice")
    return _typed(field, typed)


def _typed(field: Field, typed: str) -> Any:
    if field.kind == "number":
        # Full-width digits are digits too, for people and for int().
        if not typed.isdecimal() or len(typed) > 6 or not field.low <= int(typed) <= field.high:
            raise Wrong(field, "number")
        return int(typed)
    value: Any = typed
    if field.kind in ("hours", "days", "pages", "names"):
        value = typed.replace("、", " ").replace(",", " ").replace("〜", "-").replace("～", "-").split()
        if not value:
            raise Wrong(field, field.kind)
    try:
        policy.read_layer(merge.planted([(field.path, value)]))
    except policy.BadDocument as error:
        raise Wrong(field, field.kind) from error
    return value
