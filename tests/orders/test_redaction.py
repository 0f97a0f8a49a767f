"""A diagnostics file holds words and figures, and nothing that opens something."""

import base64
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.orders import diagnostics, redaction
from tests.clock.hand_time import HandTime
from tests.orders.parts import Desk, running
from wire import codec
from wire.messages import Bundle, Result
from wire.orders import BUNDLE_BYTES, PART_BYTES

PEM = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END PRIVATE KEY-----"
HIDDEN = [
    PEM,
    "012e4cd8a9b3c401",
    "01:2e:4c:d8:a9:b3:c4:01",
    "04a2b3c4",
    "0114B34D5E6F7081",
    "c" * 32,
    "4111111111111111",
    base64.b64encode(bytes(range(40))).decode(),
    base64.urlsafe_b64encode(bytes(range(100, 140))).decode(),
]
NAMED = [
    "password=hunter2",
    'psk="my wifi"',
    "token: abc",
    "PIN = 1234",
    "api_key=xyz",
    "Authorization: Basic aGk=",
    "enrol_code=AB-12",
]


@pytest.mark.parametrize("hidden", HIDDEN)
@given(before=st.text(alphabet=" \n,;:(=", max_size=5), after=st.text(alphabet=" \n,;:)", max_size=5))
def test_what_looks_like_a_secret_is_left_out(hidden: str, before: str, after: str) -> None:
    found = redaction.text(f"card read{before} {hidden} {after}in the morning")
    for line in hidden.splitlines():
        assert line not in found
    assert found.endswith("in the morning")


@pytest.mark.parametrize("named", NAMED)
def test_what_is_called_a_secret_is_left_out(named: str) -> None:
    value = named.replace('"', "").partition("=" if "=" in named.partition(":")[0] else ":")[2].strip()
    assert value.split()[-1] not in redaction.text(f"10:00 INFO {named}\nnext line")
    assert redaction.text(f"10:00 INFO {named}\nnext line").endswith("next line")


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(redaction.text(text), str)


def test_a_key_that_is_cut_off_is_left_out_to_the_end() -> None:
    assert "MIGH" not in redaction.text(PEM.partition("-----END")[0])


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-24 08:24:00,123 WARNING edge_agent.uplink: broker 10.1.2.3:8883: Connection refused",
        "the wall clock was set by -523 ms",
        "card reader: fault (the reader is gone)",
        "eth0: link up, 1000 Mbit/s; disk 12345678 bytes free",
    ],
)
def test_what_happened_stays(line: str) -> None:
    assert redaction.text(line) == line


def test_settings_lose_their_secrets_and_keep_the_rest() -> None:
    found = redaction.settings(
        {"device": "genkan-1", "broker": {"host": "hub", "password": "x"}, "card_key": "y", "list": ["a", "f" * 32]}
    )
    assert found == {
        "device": "genkan-1",
        "broker": {"host": "hub", "password": "[removed]"},
        "card_key": "[removed]",
        "list": ["a", "[removed]"],
    }


async def test_the_file_is_sent_in_parts_and_holds_no_secret(desk: Desk, state: Path, time: HandTime) -> None:
    logs = state.parent / "logs"
    logs.mkdir()
    for number in range(30):
        noise = "".join(f"{os.urandom(3).hex()} things happened, {n} of them\n" for n in range(2000))
        (logs / f"agent-{number}.log").write_text(noise + "\n".join([*HIDDEN, *NAMED]) + "\nthe end\n")
    (logs / "card.key").write_text("f" * 64)
    (logs / "link.log").symlink_to("/etc/passwd")
    order = desk.order("diagnostics")
    async with running(state, time, log_dirs=(str(logs), "/no/such/folder")) as device:
        device.orders.take(order)
        result = await device.end_of(order.id)
        records = await device.spool.recent("bundle", 1000)
    bodies: list[Bundle] = [codec.decode_body("bundle", record.body) for record in records]
    assert result == Result(order.id, "done", f"parts: {len(bodies)}")
    assert [(one.part, one.parts) for one in bodies] == [(n, len(bodies)) for n in range(len(bodies))]
    data = b"".join(base64.b64decode(one.data) for one in bodies)
    assert PART_BYTES < len(data) <= BUNDLE_BYTES
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        held = {entry.name: tar.extractfile(entry).read().decode() for entry in tar}  # type: ignore[union-attr]
    assert {"settings", "machine", "spool", "network", "processes"} <= {Path(name).stem for name in held}
    everything = "\n".join(held.values())
    assert "the end" in everything
    assert not any(secret in everything for secret in HIDDEN if secret != PEM)
    assert "hunter2" not in everything
    assert "PRIVATE KEY" not in everything
    assert "root:" not in everything
    assert desk.signing.public not in everything


def test_only_the_end_of_a_long_log_is_taken_from_a_whole_line_on(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("password=" + "secret " * 100_000 + "\nlast line\n")
    assert diagnostics._end_of(path) == "last line\n"
