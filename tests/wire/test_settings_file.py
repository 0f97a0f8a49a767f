"""Settings files: what is written is read, and what is wrong is said with file, key, found and allowed."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wire import settings_file
from wire.settings_file import BadSetting


class Reader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section."""

    kind: Literal["pn532", "pcsc"] = "pn532"
    wait_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 2
    tries: Annotated[int, msgspec.Meta(ge=1)] = 3


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A settings file as programs have it."""

    name: Annotated[str, msgspec.Meta(max_length=20)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="a TCP port")] = 1883
    loud: bool = False
    share: float = 0.5
    places: tuple[str, ...] = ()
    sizes: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)] = (1,)
    labels: dict[str, int] = {}
    reader: Reader = Reader()


def complaint(folder: Path, text: str | bytes) -> BadSetting:
    """What is said of a file."""
    file = folder / "example.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadSetting) as caught:
        settings_file.read(file, Example)
    error = caught.value
    assert error.file == str(file)
    assert str(error) == f"{file}: {error.key}: found {error.found}, expected {error.allowed}"
    assert "\n" not in str(error)
    return error


WRONG: list[tuple[str, str, str, str]] = [
    ('name = "a"\nport = "x"', "port", "'x'", "a TCP port"),
    ('name = "a"\nport = 70000', "port", "70000", "a TCP port"),
    ('name = "a"\nloud = 1', "loud", "1", "true or false"),
    ('name = "a"\nshare = "half"', "share", "'half'", "a number"),
    ("name = 7", "name", "7", "a text in quotes of at most 20 characters"),
    (f'name = "{"a" * 21}"', "name", repr("a" * 21), "a text in quotes of at most 20 characters"),
    ("port = 1", "name", "nothing", "a text in quotes of at most 20 characters"),
    ('name = "a"\ncolour = 1', "colour", "an unknown setting", "one of name, port, loud, share"),
    ('name = "a"\n[reader]\nkind = "nfc"', "reader.kind", "'nfc'", '"pn532" or "pcsc"'),
    ('name = "a"\n[reader]\nwait_s = 0', "reader.wait_s", "0", "a whole number from 1 to 60"),
    ('name = "a"\n[reader]\ntries = 0', "reader.tries", "0", "a whole number of at least 1"),
    ('name = "a"\n[reader]\nspeed = 0', "reader.speed", "an unknown setting", "one of kind, wait_s, tries"),
    ('name = "a"\nreader = 5', "reader", "5", "a section with kind, wait_s, tries"),
    ('name = "a"\nplaces = ["x", 2]', "places[1]", "2", "str"),
    ('name = "a"\nplaces = "x"', "places", "'x'", "array"),
    ('name = "a"\nsizes = []', "sizes", "[]", "array of length >= 1"),
    ('name = "a"\n[labels]\nx = "y"', "labels", "'y'", "int"),
    ('name = "a"\nport = 2024-01-01', "port", "2024", "a TCP port"),
]


@pytest.mark.parametrize(("text", "key", "found", "allowed"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_setting_is_said_in_one_sentence(tmp_path: Path, text: str, key: str, found: str, allowed: str) -> None:
    said = complaint(tmp_path, text)
    assert said.key.startswith(key)
    if key != "labels":
        assert found in said.found or "datetime" in said.found
    assert allowed in said.allowed


def test_a_file_that_is_none_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(BadSetting, match="a readable settings file") as caught:
            settings_file.read(path, Example)
        assert caught.value.key == "(file)"
    for text in (b"name = ", b"\xff\xfe", b'name = "a"\nname = "b"', b"a = " + b"[" * 5_000):
        assert complaint(tmp_path, text).allowed == "a TOML file in UTF-8"


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text('name = "a"\n', encoding="utf-8")
    assert settings_file.read(file, Example) == Example("a")


# ---- write and read

# A scalar of TOML: any text that UTF-8 can hold.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
examples = st.builds(
    Example,
    texts,
    st.integers(1, 65535),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(texts, max_size=3).map(tuple),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3).map(tuple),
    st.just({}),
    st.builds(Reader, st.sampled_from(["pn532", "pcsc"]), st.integers(1, 60), st.integers(1, 2**63 - 1)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(examples, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
def test_what_is_written_is_read(tmp_path: Path, example: Example, about: str) -> None:
    file = tmp_path / "example.toml"
    settings_file.write(file, msgspec.to_builtins(example), about=f"What it is for.\n{about}")
    assert file.read_text(encoding="utf-8").startswith("# What it is for.\n")
    assert settings_file.read(file, Example) == example


@pytest.mark.parametrize("point", [*range(0x20), 0x22, 0x5C, 0x7F, 0x80, 0x9F, 0x2028, 0xFEFF, 0x1F600])
def test_every_character_that_toml_minds_comes_back(tmp_path: Path, point: int) -> None:
    file = tmp_path / "example.toml"
    settings_file.write(file, {"name": f"a{chr(point)}b", "reader": {"kind": "pcsc"}}, about="x")
    assert settings_file.read(file, Example) == Example(f"a{chr(point)}b", reader=Reader("pcsc"))


def test_sections_come_after_the_settings_outside(tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    settings_file.write(file, {"reader": {"wait_s": 7}, "name": "a"}, about="One line.\n\nAnother.")
    assert file.read_text(encoding="utf-8") == '# One line.\n#\n# Another.\nname = "a"\n\n[reader]\nwait_s = 7\n'
    assert settings_file.read(file, Example).reader.wait_s == 7


toml_values: st.SearchStrategy[Any] = st.sampled_from(
    [
        "1",
        "-1",
        "1e400",
        "nan",
        "inf",
        '"x"',
        "true",
        "[]",
        "[[1]]",
        "{}",
        "{a = 1}",
        "1979-05-27",
        "07:32:00",
        str(2**70),
    ]
)
keys = st.sampled_from([*Example.__struct_fields__, "reader.kind", "reader.wait_s", "labels.a", '"odd key"', '"a`b"'])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, toml_values, max_size=4))
def test_any_file_is_read_or_complained_of(tmp_path: Path, lines: dict[str, str]) -> None:
    file = tmp_path / "example.toml"
    file.write_text("\n".join(f"{key} = {value}" for key, value in lines.items()), encoding="utf-8")
    try:
        example = settings_file.read(file, Example)
    except BadSetting as error:
        said = str(error)
    else:
        said = "read"
        assert example.name == tomllib.loads(file.read_text(encoding="utf-8"))["name"]
    assert said
    assert "\n" not in said
