"""The pages of new devices and certificates, as an IT officer uses them."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hub.identity import enrol_store, store
from provisioning import ca
from tests.identity.conftest import NOW
from tests.identity.parts import ask_of, soon
from tests.login.parts import Browser, Town, running_town
from wire import ca_folder, enrolment, x509
from wire.enrolment import Given


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Town]:
    """A hub without issuers."""
    with running_town(tmp_path) as town:
        yield town


@pytest.fixture
def office(bare: Town) -> Town:
    """A hub with issuers, which it finds while it runs."""
    stick = bare.settings.ca.parent.parent / "stick"
    ca.make_root(stick, "Town", b"", NOW)
    ca.issue(ca.read_root(stick, None), bare.settings.ca, ["127.0.0.1"], NOW)
    return bare


def _officer(town: Town, name: str = "hanako") -> Browser:
    town.add(name, "it")
    browser = Browser(town)
    assert browser.sign_in(name).status_code == 303
    assert browser.get("/language/en").status_code == 303
    return browser


def _ask(town: Town, device: str, code: str = "", serial: str = "", request: str = "") -> httpx.Response:
    body = msgspec.json.encode(ask_of(device, code, serial=serial, request=request))
    return httpx.post(town.url + "/device/enrol", content=body, headers={"content-type": "application/json"})


def test_without_issuers_the_pages_say_what_to_do(bare: Town) -> None:
    browser = _officer(bare)
    for path in ("/devices/enrol", "/settings/identity"):
        assert "machinaka-provision ca issue" in browser.get(path).text
    answer = browser.send("/devices/enrol/codes", {"device": "t1", "kind": "tablet"})
    assert answer.status_code == 400
    assert _ask(bare, "t1", enrolment.make_code()).status_code == 503
    assert bare.read(lambda conn: enrol_store.open_codes(conn, 0)) == []


def test_a_code_is_shown_once_and_enrols(office: Town) -> None:
    browser = _officer(office)
    page = browser.send("/devices/enrol/codes", {"device": "Tablet-1 ", "kind": "tablet", "serial": ""})
    assert page.status_code == 200
    code = re.search(r'class="big">([0-9A-Z-]{34})<', page.text)
    assert code
    assert "no-store" in page.headers["cache-control"]
    assert 'src="data:image/svg+xml' in page.text
    line = re.search(r"machinaka:enrol\?[^<]+", page.text)
    assert line
    invitation = enrolment.read_invitation(line[0].replace("&amp;", "&"))
    assert (invitation.hub, invitation.code) == (office.url, code[1])
    listed = browser.get("/devices/enrol").text
    assert "tablet-1" in listed
    assert code[1] not in listed
    given = _ask(office, "tablet-1", code[1])
    assert given.status_code == 200
    chain = msgspec.json.decode(given.content, type=Given).chain
    assert x509.common_name(x509.read_leaf(chain.encode())) == "tablet-1"
    assert "Codes not used yet" not in browser.get("/devices/enrol").text
    assert office.did()[-2:] == ["enrol_code", "enrol"]
    # The device is in the list before it was heard over MQTT.
    assert "tablet-1" in browser.get("/devices").text


def test_a_code_is_taken_back(office: Town) -> None:
    browser = _officer(office)
    page = browser.send("/devices/enrol/codes", {"device": "t1", "kind": "tablet"})
    code = re.search(r'class="big">([0-9A-Z-]{34})<', page.text)
    assert code
    assert browser.send("/devices/enrol/back", {"device": "t1"}).headers["location"].endswith("did=back&name=t1")
    assert "The code of t1 was taken back." in browser.get("/devices/enrol?did=back&name=t1").text
    assert _ask(office, "t1", code[1]).status_code == 403
    assert "did=gone" in browser.send("/devices/enrol/back", {"device": "t1"}).headers["location"]


@pytest.mark.parametrize(
    ("path", "form", "status", "sentence"),
    [
        ("codes", {"device": "Up/Down", "kind": "tablet"}, 400, "small letters, digits and hyphens"),
        ("codes", {"device": "t1", "kind": "toaster"}, 400, "Choose the kind"),
        ("codes", {}, 400, "small letters"),
        ("expected", {"device": "t1", "kind": "tablet", "serial": " "}, 400, "Give a serial number"),
        ("expected", {"device": "t1", "kind": "tablet", "serial": "x" * 101}, 400, "Give a serial number"),
        ("requests", {"do": "think", "key": "x"}, 400, ""),
    ],
)
def test_a_mistake_is_one_sentence(office: Town, path: str, form: dict[str, str], status: int, sentence: str) -> None:
    answer = _officer(office).send(f"/devices/enrol/{path}", form)
    assert answer.status_code == status
    assert sentence in answer.text


def test_a_waiting_device_is_compared_and_approved(office: Town) -> None:
    browser = _officer(office)
    form = {"device": "t1", "kind": "tablet", "serial": "S1"}
    assert browser.send("/devices/enrol/expected", form).status_code == 303
    assert browser.send("/devices/enrol/expected", form).status_code == 409
    ask = ask_of("t1", serial="S1")
    first = _ask(office, "t1", serial="S1", request=ask.request)
    assert first.status_code == 202
    compare = msgspec.json.decode(first.content, type=enrolment.Waiting).compare
    page = browser.get("/devices/enrol").text
    assert compare in page
    key = re.search(r'name="key" value="([0-9a-f]{64})"', page)
    assert key
    assert browser.send("/devices/enrol/requests", {"do": "approve", "key": key[1]}).status_code == 303
    assert "did=gone" in browser.send("/devices/enrol/requests", {"do": "refuse", "key": key[1]}).headers["location"]
    assert _ask(office, "t1", serial="S1", request=ask.request).status_code == 200
    # Off the list, and back again.
    gone = browser.send("/devices/enrol/forget", {"serial": "S1"})
    assert "t1 was removed from the list." in gone.text
    assert office.read(enrol_store.everyone_expected) == []
    assert browser.send("/devices/enrol/expected", form).status_code == 303
    assert "did=gone" in browser.send("/devices/enrol/forget", {"serial": "none"}).headers["location"]
    words = ["expect_device", "approve_enrolment", "enrol", "forget_device", "expect_device"]
    assert [did for did in office.did() if did in words] == words


def test_a_certificate_is_revoked_after_one_question(office: Town) -> None:
    browser = _officer(office)
    page = browser.send("/devices/enrol/codes", {"device": "t1", "kind": "tablet"})
    code = re.search(r'class="big">([0-9A-Z-]{34})<', page.text)
    assert code
    assert _ask(office, "t1", code[1]).status_code == 200
    assert "t1" in browser.get("/settings/identity").text
    assert "t1" not in browser.get("/settings/identity?show=ended").text.partition("<table")[2]
    path = "/settings/identity/t1/revoke"
    assert browser.send(path, {"reason": "because"}).status_code == 400
    asked = browser.send(path, {"reason": "lost"})
    assert "Revoke the certificate of t1?" in asked.text
    assert office.read(store.withdrawn) == []
    assert browser.send(path, {"reason": "lost", "confirm": "yes"}).status_code == 303
    (gone,) = office.read(store.withdrawn)
    crl = ca_folder.read_crl(office.settings.ca)
    assert crl is not None
    assert gone.serial in {one.serial for one in crl.withdrawn}
    shown = browser.get("/settings/identity/t1?did=revoked").text
    # Nothing restarts a broker here: the page does not say that it is done when it is not.
    assert "the broker could not be told" in shown
    assert "revoked" in shown
    assert browser.send("/settings/identity/none/revoke", {"reason": "lost", "confirm": "yes"}).status_code == 404
    assert browser.send("/settings/identity/none/revoke", {"reason": "lost"}).status_code == 404
    assert office.did()[-1] == "revoke"


def test_a_list_that_grows_old_is_seen(office: Town) -> None:
    browser = _officer(office)
    assert soon(lambda: "List of the revoked, good until" in browser.get("/settings/identity").text)
    (office.settings.ca / "crl.pem").unlink()
    assert "There is no list of the revoked" in browser.get("/settings/identity").text
