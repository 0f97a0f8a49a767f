"""A device gets its identity: real hub, real broker, the real agent and its command."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.identity.parts import NewDevice, OwnTown, ask_of, request_of, soon
from wire import enrolment, x509
from wire.enrolment import Given, Refusal


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnTown]:
    """One town for all of these: broker and hub run."""
    town = OwnTown(tmp_path_factory.mktemp("town"))
    with town.broker, town.hub:
        town.hub.wait_until_it_hears()
        yield town


def test_a_person_types_the_code_and_the_device_is_heard(town: OwnTown) -> None:
    device = NewDevice(town, "tablet-typed")
    invitation = town.invite(device.name)
    done = device.enrol("--hub", invitation.hub, "--code", invitation.code.lower(), "--root", invitation.root)
    assert done.returncode == 0, done.stderr
    assert "enrolled" in done.stdout
    assert device.identity.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in device.identity.iterdir()}
    expected = {"key.pem", "certificate.pem", "root.pem", "orders.pub", "hub.txt"}
    assert modes == dict.fromkeys(expected, 0o600)
    assert town.serials(device.name) == [device.serial]
    with device:
        assert soon(lambda: town.ledger.rows("SELECT 1 FROM device WHERE name = ? AND online = 1", device.name))


def test_an_invitation_on_the_card_is_used_while_the_device_works(town: OwnTown) -> None:
    device = NewDevice(town, "tablet-card")
    with device:
        # It runs without an identity, and what it measures waits on its disk.
        assert soon(lambda: "is not enrolled" in device.log.read_text())
        assert soon((device.state / "spool.db").exists)
        device.leave(town.invite(device.name))
        assert soon(lambda: town.ledger.rows("SELECT 1 FROM device WHERE name = ? AND online = 1", device.name))
        assert not (device.state / "enrol-code").exists()
        health = "SELECT 1 FROM latest l JOIN device d ON d.id = l.device_id WHERE d.name = ? AND l.kind = 'health'"
        assert soon(lambda: town.ledger.rows(health, device.name))
    assert device.log.read_text().count("an invitation belongs into") == 1


def test_a_device_believes_no_other_town(town: OwnTown) -> None:
    device = NewDevice(town, "tablet-other")
    invitation = town.invite(device.name)
    done = device.enrol("--hub", invitation.hub, "--code", invitation.code, "--root", "ab" * 32)
    assert done.returncode == 1
    assert "has another root than the code says" in done.stderr
    assert not (device.identity / "certificate.pem").exists()
    # Nothing was used up by it.
    assert device.enrol("--invitation", invitation.text).returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--hub", "http://192.0.2.7:8080", "--code", "{code}", "--root", "{root}"],
            "would carry the code in the clear",
        ),
        (["--hub", "ftp://x", "--code", "{code}", "--root", "{root}"], "hub: found 'ftp://x'"),
        (["--hub", "{hub}", "--code", "{code}", "--root", "12"], "root: found '12'"),
        (["--hub", "{hub}", "--code", "0000-0000", "--root", "{root}"], "found 8 characters"),
        (["--hub", "{hub}", "--code", "0" + "0000-" * 6 + "000", "--root", "{root}"], "one of its characters"),
        (["--invitation", "https://example.com"], "found no invitation"),
        (["--hub", "http://127.0.0.1:9", "--code", "{code}", "--root", "{root}"], "does not answer"),
    ],
)
def test_a_mistake_is_one_sentence(town: OwnTown, tmp_path: Path, words: list[str], sentence: str) -> None:
    device = NewDevice(town, f"tablet-{abs(hash(sentence)) % 10**8}")
    invitation = town.invite(device.name)
    place = {"code": invitation.code, "root": invitation.root, "hub": invitation.hub}
    done = device.enrol(*(word.format(**place) for word in words))
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_lost_answer_is_given_again_to_the_same_key_only(town: OwnTown) -> None:
    invitation = town.invite("tablet-again")
    ask = ask_of("tablet-again", invitation.code)
    first, again = town.ask(ask), town.ask(ask)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    other = town.ask(ask_of("tablet-again", invitation.code))
    assert other.status_code == 403
    assert len(town.serials("tablet-again")) == 1


def test_a_code_is_for_one_device_of_one_kind(town: OwnTown) -> None:
    invitation = town.invite("tablet-mine", "tablet", "--serial", "10000000a3f41b7c")
    for ask in (
        ask_of("tablet-yours", invitation.code),
        msgspec.structs.replace(ask_of("tablet-mine", invitation.code), kind="terminal"),
        ask_of("tablet-mine", invitation.code),
        ask_of("tablet-mine", invitation.code, serial="20000000a3f41b7c"),
    ):
        answer = town.ask(ask)
        assert answer.status_code == 403
        assert "this code is for the tablet tablet-mine" in msgspec.json.decode(answer.content, type=Refusal).error
    assert town.ask(ask_of("tablet-mine", invitation.code, serial="10000000a3f41b7c")).status_code == 200


def test_a_new_identity_of_the_same_name_withdraws_the_old_one(town: OwnTown) -> None:
    old = town.ask(ask_of("tablet-anew", town.invite("tablet-anew").code))
    new = town.ask(ask_of("tablet-anew", town.invite("tablet-anew").code))
    chain = msgspec.json.decode(new.content, type=Given).chain
    serials = {x509.serial_text(x509.read_leaf(chain.encode()))} ^ set(town.serials("tablet-anew"))
    gone = x509.read_leaf(msgspec.json.decode(old.content, type=Given).chain.encode())
    assert serials == {x509.serial_text(gone)}
    crl = town.authority.crl()
    assert crl is not None
    assert gone.serial_number in {one.serial for one in crl.withdrawn}
    # The broker was to be started anew for it.
    assert soon(town.restarts.exists)


def test_what_is_asked_is_bounded_and_typed(town: OwnTown) -> None:
    import httpx

    url = f"{town.hub.url}/device/enrol"
    json = {"content-type": "application/json"}
    assert httpx.post(url, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert httpx.post(url, content=b" " * 40_000, headers=json).status_code == 413
    for body in (b"", b"[]", b"{}", b'{"device": 1}', b"\xff", b'{"device":"\\ud800"}'):
        answer = httpx.post(url, content=body, headers=json)
        assert answer.status_code == 400, body
        assert msgspec.json.decode(answer.content, type=Refusal).error
    # A browser of another page is refused; other programs send no origin.
    other = {**json, "origin": "https://elsewhere.example"}
    assert httpx.post(url, content=b"{}", headers=other).status_code == 403
    root = httpx.get(f"{town.hub.url}/device/root")
    assert x509.fingerprint(x509.read_certificate(root.content)) == town.authority.root_fingerprint


def test_a_key_that_was_made_elsewhere_is_no_reason_to_wait(town: OwnTown) -> None:
    """A used key gets nothing, whatever the code: keys are not shared."""
    _, request = request_of("tablet-key")
    assert town.ask(ask_of("tablet-key", town.invite("tablet-key").code, request=request)).status_code == 200
    again = town.ask(ask_of("tablet-key", town.invite("tablet-key").code, request=request))
    assert "a new key is needed" in msgspec.json.decode(again.content, type=Refusal).error
    assert enrolment.read_code(town.invite("tablet-key").code)
