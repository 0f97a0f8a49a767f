"""`join-names`: names into a payroll file, offline."""

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.payroll import layout, sample, store
from hub.payroll.cell import Letters
from hub.payroll.export import export
from hub.payroll.name_file import CannotJoin, join, read_names
from tests.payroll.parts import entry, month, person

NAMES = "職員番号,氏名\r\n000123,髙橋 花子\r\n000124,=佐藤\r\n000999,別人\r\n"
BARE = month(person("000123", entries=[entry("W125", 60)]), person("000124"))


def made(name: str) -> bytes:
    """The file of a month without names."""
    return export(layout.read(store.shipped()[name].text, name), BARE, Letters()).content


def run(tmp_path: Path, export_file: bytes, names: bytes, *more: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The command, as the payroll's side calls it."""
    (tmp_path / "export.csv").write_bytes(export_file)
    (tmp_path / "names.csv").write_bytes(names)
    out = tmp_path / "out.csv"
    files = ("--file", tmp_path / "export.csv", "--names", tmp_path / "names.csv", "--out", out)
    command = [sys.executable, "-m", "hub", "join-names", *map(str, files), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False), out


@pytest.mark.parametrize("name", ["generic", "generic-classes", "freee", "kyuryo-rakuda"])
def test_only_the_names_change_and_the_digest_with_them(name: str) -> None:
    """Encoding, line ends and quotes stay; as if the hub had known the names."""
    names = read_names("names.csv", NAMES.encode("cp932"))
    found = join(f"{name}.csv", made(name), names)
    lines = tuple(person(one.number, names[one.number], one.entries) for one in BARE.lines)
    whole = export(layout.read(store.shipped()[name].text, name), month(*lines), Letters())
    assert found.content == whole.content
    assert found.without == []


def test_a_number_without_a_name_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """Unless somebody says that this is as it should be."""
    names = "番号外,氏名\n1,a\n".encode()
    done, out = run(tmp_path, made("freee"), "職員番号,氏名\n000123,山田\n".encode())
    assert done.returncode == 2
    assert "no name for staff number 000124" in done.stderr
    assert not out.exists()
    done, out = run(tmp_path, made("freee"), "職員番号,氏名\n000123,山田\n".encode(), "--leave-empty")
    assert done.returncode == 0, done.stderr
    assert out.read_text(encoding="utf-8").splitlines()[1].startswith("000123,山田,")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run(tmp_path, made("freee"), NAMES.encode())[0].stderr.endswith("expected a name that is free\n")
    out.unlink()
    done, _ = run(tmp_path, made("freee"), names)
    assert done.returncode == 2
    assert "names.csv, row 1: 番号外, 氏名; expected a column called one of" in done.stderr


def test_a_file_that_was_changed_since_is_refused() -> None:
    """Its digest says so."""
    with pytest.raises(CannotJoin, match="changed since"):
        join("x.csv", made("generic").replace(b",60,", b",61,"), {})
    assert hashlib.sha256(b"").hexdigest() not in made("generic").decode()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("職員番号,氏名\n1,a\n1,b\n", "row 3: staff number 1 has two names"),
        ("職員番号,氏名\n1\n", "row 2: expected a staff number and a name"),
        ("職員番号,氏名\n", "1 rows; expected headings and rows"),
        ("職員番号,職員番号,氏名\n1,2,3\n", "expected a column called one of"),
        ('職員番号,氏名\n"1,a', "expected CSV"),
    ],
)
def test_lists_of_names_that_are_none(names: str, says: str) -> None:
    """One sentence."""
    with pytest.raises(CannotJoin, match=says):
        read_names("names.csv", names.encode())


def test_a_name_that_the_file_cannot_hold() -> None:
    """Said with the number and the letter; columns of other headings can be named."""
    with pytest.raises(CannotJoin, match="row 2: the name of staff number 000123 has 𠮷"):
        join("x.csv", made("kyuryo-rakuda"), {"000123": "𠮷野"})
    text = "番,名\n1,\n".encode()
    assert join("x.csv", text, {"1": "a"}, "番", "名").content == "番,名\n1,a\n".encode()
    with pytest.raises(CannotJoin, match="expected one column 数"):
        join("x.csv", text, {}, "数", "名")
    for content in (b"PK\x03\x04", b"\x81\xff\xfe"):
        with pytest.raises(CannotJoin, match=r"x\.csv"):
            join("x.csv", content, {})
    assert sample.TABLE.lines[0].name == "山田 花子"
