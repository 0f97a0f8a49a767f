"""The operators' pages name every setting, in both languages, with the default that the code has."""

import re
from pathlib import Path

import msgspec
import pytest

from edge_agent.settings import Settings as AgentSettings
from hub.settings import Settings as HubSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _keys(type_: type[msgspec.Struct], prefix: str = "") -> dict[str, object]:
    """Every key of a settings file with its default; `…` for one that must be given."""
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(type_):
        if isinstance(field.default, msgspec.Struct):
            found |= _keys(type(field.default), f"{prefix}{field.encode_name}.")
        else:
            found[prefix + field.encode_name] = ... if field.default is msgspec.NODEFAULT else field.default
    return found


def _table(text: str, start: str) -> dict[str, str]:
    """Keys and defaults of the table that follows `start`; a row may name several keys."""
    rows = re.split(r"\n\n", text.split(start, 1)[1].split("|", 1)[1], maxsplit=1)[0]
    found: dict[str, str] = {}
    for row in rows.splitlines()[2:]:
        names, defaults = (cell.strip() for cell in row.strip("|").split("|")[:2])
        keys = re.findall(r"`([^`]+)`", names)
        values = [one.strip() for one in defaults.split(", ")]
        found |= dict(zip(keys, values if len(values) == len(keys) else values * len(keys), strict=True))
    return found


@pytest.mark.parametrize("page", ["operations.en.md", "operations.ja.md"])
@pytest.mark.parametrize(("start", "type_"), [("(`hub.toml`)", HubSettings), ("(`agent.toml`)", AgentSettings)])
def test_every_setting_is_told_with_its_default(page: str, start: str, type_: type[msgspec.Struct]) -> None:
    told = _table((DOCS / page).read_text(encoding="utf-8"), start)
    keys = _keys(type_)
    assert set(told) == set(keys)
    for key, default in keys.items():
        if isinstance(default, tuple):
            # A command or a list of folders: its first word.
            default = default[0] if default else ""  # noqa: PLW2901
        # Words (–, a sentence) stand where there is no default, or an empty one.
        if default not in (..., ""):
            assert told[key].strip("`").split("(")[0].split(" ")[0].strip("`") == str(default), key
