"""Settings files (TOML): provisioning writes them, agent and hub read them once at start.

A wrong setting names the file, the key, what was found and what is allowed.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(path, "(file)", str(error), "a TOML file in UTF-8") from error
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError as error:
        raise _explain(path, raw, str(error)) from error


def _explain(path: Path, raw: dict[str, Any], message: str) -> BadSetting:
    """Turns msgspec's sentence (`Expected ..., got ... - at `$.a.b``) into file, key, found, allowed."""
    where = re.search(r" - at `\$\.?(.*)`$", message)
    key = where.group(1) if where else ""
    text = message[: where.start()] if where else message
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", text):
        return BadSetting(path, _join(key, match[1]), "an unknown setting", "one that the manual lists")
    if match := re.fullmatch(r"Object missing required field `(.+)`", text):
        return BadSetting(path, _join(key, match[1]), "nothing", "a value")
    allowed = text.removeprefix("Expected ").split(", got ")[0].replace("`", "")
    allowed = re.sub(r"^Invalid enum value '.*'$", "one of the values that the manual lists", allowed)
    return BadSetting(path, key or "(file)", repr(_at(raw, key)), allowed)


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
