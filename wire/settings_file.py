"""Settings files (TOML): provisioning writes them, agent and hub read them once at start.

A wrong setting names the file, the key, what was found and what is allowed.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class BadSetting(Exception):
    """One plain sentence for the person who wrote the file; the program exits with code 2."""

    def __init__(self, file: Path | str, key: str, found: str, allowed: str) -> None:
        super().__init__(f"{file}: {key}: found {found}, expected {allowed}")
        self.file, self.key, self.found, self.allowed = str(file), key, found, allowed


def read(path: Path, type_: type[T]) -> T:
    """The settings in a TOML file as `type_`. Raises BadSetting for whatever a person got wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(path, "(file)", error.strerror or "no file", "a readable settings file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSetting(path, "(file)", str(error), "a TOML file in UTF-8") from error
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError as error:
        raise _explain(path, raw, type_, str(error)) from error


def _explain(path: Path, raw: dict[str, Any], type_: type[msgspec.Struct], message: str) -> BadSetting:
    """Turns msgspec's sentence (`Expected ..., got ... - at `$.a.b``) into file, key, found, allowed."""
    where = re.search(r" - at `\$\.?(.*)`$", message)
    key = where.group(1) if where else ""
    text = message[: where.start()] if where else message
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", text):
        return BadSetting(path, _join(key, match[1]), "an unknown setting", _fields(_hint_at(type_, key)))
    if match := re.fullmatch(r"Object missing required field `(.+)`", text):
        key = _join(key, match[1])
        return BadSetting(path, key, "nothing", _allowed(_hint_at(type_, key)) or "a value")
    said = text.removeprefix("Expected ").split(", got ")[0].replace("`", "")
    return BadSetting(path, key or "(file)", repr(_at(raw, key)), _allowed(_hint_at(type_, key)) or said)


def _hint_at(type_: type[msgspec.Struct], key: str) -> object:
    """The annotation of a key such as `broker.port`; None below a list or a table that has no type of its own."""
    hint: object = type_
    for part in key.split("."):
        if part:
            hint = get_type_hints(hint, include_extras=True).get(part) if _is_section(hint) else None
    return hint


def _is_section(hint: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _fields(hint: object) -> str:
    return f"one of {', '.join(hint.__struct_fields__)}" if _is_section(hint) else "a setting of this program"


_WORDS = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}


def _allowed(hint: object) -> str:
    """What an annotation allows, in words; empty when msgspec's own words must do."""
    if get_origin(hint) is Literal:
        return " or ".join(f'"{value}"' for value in get_args(hint))
    if _is_section(hint):
        return "a section with " + ", ".join(hint.__struct_fields__)
    if get_origin(hint) is Annotated:
        plain, meta = get_args(hint)[:2]
        return meta.description or _WORDS.get(plain, "") + _bounds(meta)
    return _WORDS.get(hint, "") if isinstance(hint, type) else ""


def _bounds(meta: msgspec.Meta) -> str:
    if meta.max_length is not None:
        return f" of at most {meta.max_length} characters"
    if meta.ge is not None and meta.le is not None:
        return f" from {meta.ge} to {meta.le}"
    return f" of at least {meta.ge}" if meta.ge is not None else ""


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _at(raw: object, key: str) -> object:
    for part in re.findall(r"[^.\[\]]+", key):
        if isinstance(raw, dict):
            raw = raw.get(part)
        elif isinstance(raw, list) and part.isdigit():
            raw = raw[int(part)]
    return raw


def write(path: Path, settings: dict[str, Any], *, about: str) -> None:
    """Writes a settings file, opening with a comment that says what it is for."""
    lines = [f"# {line}".rstrip() for line in about.splitlines()]
    lines += [f"{key} = {_value(value)}" for key, value in settings.items() if not isinstance(value, dict)]
    for section, values in settings.items():
        if isinstance(values, dict):
            lines += ["", f"[{section}]", *(f"{key} = {_value(value)}" for key, value in values.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _value(value: object) -> str:
    """JSON strings, numbers, booleans and lists are TOML's too (control characters and DEL are escaped)."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
