"""What the pages say exists: commands, files, links, the other language; and what must be in no file is in none."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Made by the set-up or by running, and not committed.
MADE = {"hub/static/vendor"}
FOLDERS = "wire|edge_agent|hub|provisioning|firmware_configs|ansible|tests|benchmarks|docs|requirements"


def _tracked() -> list[str]:
    """Every committed or added file."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        pytest.skip("not a git checkout")
    return [name for name in found.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")]
)


def _read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


# ---- commands


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", _read("Makefile"), re.MULTILINE))
    said = re.findall(r"(?:^    |`)make ([a-z]+)", _read(page), re.MULTILINE)
    assert set(said) <= targets


def test_both_readmes_tell_the_two_commands() -> None:
    for page in ("README.md", "README.ja.md"):
        assert {"    make run", "    make test"} <= {
            line[: line.find("#")].rstrip() for line in _read(page).splitlines()
        }


def test_every_program_that_is_named_is_installed() -> None:
    scripts = set(re.findall(r'^(machinaka-[a-z]+) = "', _read("pyproject.toml"), re.MULTILINE))
    for page in PAGES:
        said = set(re.findall(r"\b(?<![/\w.-])(machinaka-(?:agent|hub|provision)[a-z]*)\b", _read(page)))
        assert said <= scripts, page


# ---- files


def _expanded(path: str) -> list[str]:
    """`a/{b,c}/d` as `a/b/d` and `a/c/d`."""
    found = re.search(r"\{([^}]*)\}", path)
    if not found:
        return [path]
    return [
        each for part in found[1].split(",") for each in _expanded(path[: found.start()] + part + path[found.end() :])
    ]


def _paths(text: str) -> set[str]:
    """Files and folders of this repository that a page names in code, in a tree or between back-quotes."""
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^    +(.*)$", text, re.MULTILINE)
    named = {each for span in code for each in re.findall(rf"(?<![\w./<-])(?:{FOLDERS})/[\w./{{}},-]*", span)}
    return {one.rstrip("/.,") for each in named for one in _expanded(each)}


@pytest.mark.parametrize("page", ["README.md", "README.ja.md", "docs/architecture.md", "docs/protocol/README.md"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = _paths(_read(page))
    assert [path for path in sorted(named - MADE) if not _exists(path)] == []


def _exists(path: str) -> bool:
    # `wire/{messages,topics,codec}.py` and `hub/fleet/store` alike: a module may be named without its ending.
    return (ROOT / path).exists() or (ROOT / f"{path}.py").exists()


def test_the_way_of_a_datum_is_found_in_the_pages() -> None:
    for page in ("README.md", "docs/architecture.md"):
        assert {"edge_agent/spool.py", "edge_agent/uplink.py", "hub/ingest.py"} <= _paths(_read(page))
    assert _paths("`hub/{a,b}/store.py` and\n    wire/{x,y}.py   what") == {
        "hub/a/store.py",
        "hub/b/store.py",
        "wire/x.py",
        "wire/y.py",
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_link_resolves(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        if not found.exists() or (heading and found.suffix == ".md" and heading not in _headings(found)):
            broken.append(target)
    assert broken == []


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# ---- both languages


def test_what_is_written_for_people_is_there_in_both_languages() -> None:
    japanese = {page.replace(".ja.md", "") for page in PAGES if page.endswith(".ja.md")}
    english = {page.replace(".en.md", "").removesuffix(".md") for page in PAGES if not page.endswith(".ja.md")}
    assert japanese <= english
    assert {page.removesuffix(".en.md") for page in PAGES if page.endswith(".en.md")} <= japanese
    assert {"README", "docs/operations", "docs/protocol/README"} <= japanese & english


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".ja.md")])
def test_a_japanese_page_is_in_japanese(page: str) -> None:
    assert len(re.findall(r"[ぁ-んァ-ヶ一-龠]", _read(page))) > 200


# ---- every file


def test_no_file_holds_the_address_of_a_package_host() -> None:
    # In halves, or this file would hold them.
    halves = [
        ("pypi.", "org"),
        ("pythonhosted.", "org"),
        ("registry.npmjs.", "org"),
        ("registry.yarnpkg.", "com"),
        ("npmmirror.", "com"),
        ("unpkg.", "com"),
        ("jsdelivr.", "net"),
        ("cdnjs.", "cloudflare.com"),
        ("deb.debian.", "org"),
        ("security.debian.", "org"),
        ("archive.ubuntu.", "com"),
        ("archive.raspberrypi.", "com"),
        ("archive.raspberrypi.", "org"),
        ("piwheels.", "org"),
        ("crates.", "io"),
        ("proxy.golang.", "org"),
        ("docker.", "io"),
        ("ghcr.", "io"),
    ]
    hosts = re.compile("|".join(re.escape(one + other) for one, other in halves).encode())
    holding = {name: found[0] for name in _tracked() if (found := hosts.findall((ROOT / name).read_bytes()))}
    assert holding == {}


def test_no_third_party_or_made_file_is_tracked() -> None:
    foreign = re.compile(
        r"(^|/)(node_modules|vendor|\.venv|__pycache__|var|dist|build)/|\.(whl|min\.js|min\.css|pyc|db)$"
    )
    assert [name for name in _tracked() if foreign.search(name)] == []


def test_the_changelog_tells_of_something_that_is_to_come() -> None:
    assert re.search(r"^## .+\n\n- \S", _read("CHANGELOG.md"), re.MULTILINE)
