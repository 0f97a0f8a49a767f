"""Detail files: read once however the reader ends and the files are moved."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.db import Db
from hub.wifi import detail_file, radius_store
from tests.hub_process import Hub
from tests.wifi.radius import server
from tests.wifi.radius.parts import sessions
from tests.wifi.radius.server import packet, writing

ENTRY = """Wed Nov 25 01:41:44 2026
\tAcct-Status-Type = {kind}
\tAcct-Session-Id = "{session}"
\tNAS-Identifier = "library-ap"
\tEvent-Timestamp = "May 20 2026 00:00:00 UTC"
\tAcct-Input-Octets = {octets}
\tAcct-Input-Gigawords = 1
\tTimestamp = 1795570904

"""


def entry(number: int, kind: str = "Interim-Update") -> str:
    """One session's packet."""
    return ENTRY.format(kind=kind, session=f"S{number}", octets=number)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Settings and a database of a hub that does not run, with one access point added."""
    hub = Hub(tmp_path, 1)
    db = Db(hub.database)
    db.open()
    db.write_now(lambda conn: radius_store.make(conn, "library", "Library", 1, "hanako"))
    db.close()
    return hub


def command(hub: Hub, file: Path, *more: str) -> list[str]:
    """The command as it is typed."""
    words = ["radius-detail", str(file), "--client", "library", "--settings", str(hub.settings)]
    return [sys.executable, "-m", "hub", *words, *more]


def read(hub: Hub, file: Path, *more: str) -> tuple[int, str]:
    """Runs it to its end; its code, and what it said."""
    done = subprocess.run(command(hub, file, *more), capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def kept(hub: Hub) -> list[int]:
    """The octets of all sessions that are known, less the Gigaword."""
    db = Db(hub.database)
    found = sorted(row["up_bytes"] - 2**32 for row in sessions(db))
    db.close()
    return found


def test_entries_are_read_when_they_are_whole() -> None:
    whole = (entry(1) + entry(2)).encode()
    assert detail_file.entries(whole).read_bytes == len(whole)
    assert [one["acct-session-id"] for one in detail_file.entries(whole).found] == ["S1", "S2"]
    for cut in range(len(whole)):
        found, read_bytes = detail_file.entries(whole[:cut])
        assert len(found) == (cut >= len(entry(1)))
        assert detail_file.entries(whole[read_bytes:]).read_bytes + read_bytes == len(whole)


def test_values_are_unquoted_as_freeradius_quotes_them() -> None:
    text = 'x\n\tUser-Name = "a \\"b\\" \\\\ \\303\\n"\n\tClass = 0x1234\n\tUser-Name = "other"\n\n'
    (found,) = detail_file.entries(text.encode()).found
    assert found == {"user-name": 'a "b" \\ Ã\n', "class": "0x1234"}


def test_what_never_ends_is_passed_over() -> None:
    assert detail_file.entries(b"x" * 70_000) == ([], 70_000)
    assert detail_file.entries(b"x" * 60_000) == ([], 0)


def test_nothing_is_read_twice_and_the_rest_later(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "detail"
    file.write_text(entry(1) + "Wed Nov 25\n\tBogus = 1\n\n" + entry(2)[:100])
    assert read(hub, file) == (0, "taken in: 1; passed over: 1")
    file.write_text(entry(1) + "Wed Nov 25\n\tBogus = 1\n\n" + entry(2))
    assert read(hub, file) == (0, "taken in: 1; passed over: 0")
    assert read(hub, file) == (0, "taken in: 0; passed over: 0")
    assert kept(hub) == [1, 2]


def test_what_was_moved_away_is_read_to_its_end(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "detail"
    file.write_text(entry(1))
    assert read(hub, file)[1] == "taken in: 1; passed over: 0"
    with file.open("a") as more:
        more.write(entry(2))
    file.rename(tmp_path / "detail.1")
    file.write_text(entry(3).replace("01:41:44", "01:41:45"))
    assert read(hub, file)[1] == "taken in: 2; passed over: 0"
    # Cut to nothing in its place, and begun anew.
    file.write_text(entry(4).replace("01:41:44", "01:41:46"))
    (tmp_path / "detail.1").unlink()
    (tmp_path / "detail.2.gz").write_bytes(b"\x1f\x8b")
    assert read(hub, file)[1] == "taken in: 1; passed over: 0"
    assert kept(hub) == [1, 2, 3, 4]


def test_a_reader_that_is_killed_again_and_again_leaves_nothing_out(hub: Hub, tmp_path: Path) -> None:
    """Written, moved and read at once, with the reader killed at any moment."""
    file, numbers = tmp_path / "detail", iter(range(1, 1_000_000))
    written = 0
    for round_ in range(4):
        reader = subprocess.Popen(command(hub, file, "--follow"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end, before = time.monotonic() + 60, len(kept(hub))
            while len(kept(hub)) < before + 40:
                assert time.monotonic() < end
                with file.open("a") as out:
                    out.write("".join(entry(next(numbers)) for _ in range(20)))
                written += 20
                if written % 60 == 0:
                    file.rename(tmp_path / f"detail.{round_}.{written}")
                time.sleep(0.05)
        finally:
            reader.kill()
            reader.wait(30)
    code, said = read(hub, file)
    assert code == 0, said
    assert kept(hub) == list(range(1, written + 1))


def test_following_ends_when_it_is_told_to(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "detail"
    reader = subprocess.Popen(command(hub, file, "--follow"), stdout=subprocess.PIPE, text=True)
    file.write_text(entry(7))
    end = time.monotonic() + 60
    while kept(hub) != [7]:
        assert time.monotonic() < end
        time.sleep(0.05)
    reader.send_signal(signal.SIGTERM)
    out, _ = reader.communicate(timeout=60)
    assert (reader.returncode, out.strip()) == (0, "taken in: 1; passed over: 0")


def test_a_wrong_word_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "detail"
    code, said = read(hub, file)
    assert (code, said) == (2, f"machinaka-hub: radius-detail: {file}: no such file")
    file.write_text(entry(1))
    done = subprocess.run(
        [word if word != "library" else "nobody" for word in command(hub, file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "found 'nobody', expected the name" in done.stderr


@server.needs_freeradius
def test_a_file_that_freeradius_wrote(hub: Hub, tmp_path: Path) -> None:
    at_s, file = int(time.time()) - 300, tmp_path / "detail"
    with writing(tmp_path / "radius", file) as radius:
        packets = [
            packet("Start", "S1", at_s),
            packet("Stop", "S1", at_s + 60, Acct_Input_Octets=100, Acct_Input_Gigawords=1, Acct_Session_Time=60),
            packet("Accounting-On", "", at_s, Acct_Session_Id=None),
        ]
        assert radius.send(*packets)[0] == 3
    assert read(hub, file) == (0, "taken in: 3; passed over: 0")
    db = Db(hub.database)
    (row,) = sessions(db)
    db.close()
    assert row["up_bytes"] == 4_294_967_396
    assert row["ended_ms"] == (at_s + 60) * 1000
