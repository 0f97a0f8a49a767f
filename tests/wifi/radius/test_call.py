"""The call and the page: who may, what is refused, what is answered, and that the token is shown once."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.login.parts import Browser, Town
from tests.wifi.radius.parts import sessions

BODY = {
    "Acct-Status-Type": {"type": "integer", "value": ["Interim-Update"]},
    "Acct-Session-Id": {"type": "string", "value": ["S1"]},
    "NAS-Identifier": {"type": "string", "value": ["library-ap"]},
    "Calling-Station-Id": {"type": "string", "value": ["02-00-5E-10-00-01"]},
    "Acct-Input-Octets": {"type": "integer", "value": [100]},
    "Acct-Input-Gigawords": {"type": "integer", "value": [1]},
    "Acct-Session-Time": {"type": "integer", "value": [60]},
}
PATH = "/radius/accounting"


def token_of(admin: Browser, name: str = "library", place: str = "Library") -> str:
    """Adds one on the page, as a person does."""
    answer = admin.send("/wifi/radius", {"name": name, "place": place})
    assert answer.status_code == 200
    found = re.search(r'id="token">([^<]+)<', answer.text)
    assert found
    return found[1]


def post(town: Town, token: str, body: object = BODY, **headers: str) -> httpx.Response:
    """A packet with a token."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"authorization": f"Bearer {token}", "content-type": "application/json", **headers}
    return httpx.post(town.url + PATH, content=content, headers=given, timeout=60)


def test_a_packet_is_answered_when_it_is_in_the_database(town: Town, admin: Browser) -> None:
    token = token_of(admin)
    assert token not in admin.get("/wifi/radius").text
    basic = base64.b64encode(f"machinaka:{token}".encode()).decode()
    assert post(town, token).status_code == 204
    assert post(town, token, authorization=f"Basic {basic}").status_code == 204
    (row,) = sessions(town.db)
    assert (row["up_bytes"], row["place"], row["told_by"]) == (2**32 + 100, "Library", "radius:1")
    shown = admin.get("/wifi/radius").text
    assert "たったいま" in shown
    assert "radius_client" in town.did()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Bearer radius_1_" + "a" * 43, "Basic", "Basic !", "Basic eDp5", "Digest x", "Bearer é"],
)
def test_without_the_token_nothing_is_taken(town: Town, admin: Browser, header: str) -> None:
    token_of(admin)
    answer = httpx.post(town.url + PATH, json=BODY, headers={b"authorization": header.encode()}, timeout=60)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]
    assert sessions(town.db) == []


def test_a_token_with_another_end_is_another_one(town: Town, admin: Browser) -> None:
    token = token_of(admin)
    assert post(town, token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 401
    assert post(town, token.replace("radius_1_", "radius_2_")).status_code == 401
    assert sessions(town.db) == []


def test_a_token_that_was_withdrawn_is_good_for_nothing_at_once(town: Town, admin: Browser) -> None:
    token = token_of(admin)
    assert post(town, token).status_code == 204
    assert admin.send("/wifi/radius/1/withdraw").status_code == 303
    assert post(town, token).status_code == 401
    assert "radius_client_withdrawn" in town.did()
    assert admin.send("/wifi/radius/7/withdraw").status_code == 404


def test_what_is_no_packet_is_refused_in_a_sentence(town: Town, admin: Browser) -> None:
    token = token_of(admin)
    for body in (b"", b"{}", b"[]", {**BODY, "Acct-Status-Type": "Bogus"}, {**BODY, "Acct-Input-Octets": "many"}):
        answer = post(town, token, body)
        assert answer.status_code == 400
        assert "expected" in answer.text
    assert post(town, token, b" " * 40_000).status_code == 413
    assert post(town, token, origin="https://elsewhere.example").status_code == 403
    assert sessions(town.db) == []


def test_a_name_is_wanted_and_given_once(town: Town, admin: Browser) -> None:
    token_of(admin)
    for form, said in (({"name": " "}, "名前を書いてください"), ({"name": "library"}, "もう使われています")):
        answer = admin.send("/wifi/radius", form)
        assert answer.status_code == 422
        assert said in answer.text
    assert admin.send("/wifi/radius", {"name": "x", "more": "x"}).status_code == 400


def test_many_at_once_are_all_taken(town: Town, admin: Browser) -> None:
    token = token_of(admin)
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=town.url, headers=headers, timeout=60) as client, ThreadPoolExecutor(16) as pool:
        bodies = [{**BODY, "Acct-Session-Id": f"S{number}"} for number in range(200)]
        codes = list(pool.map(lambda body: client.post(PATH, json=body).status_code, bodies))
    assert set(codes) == {204}
    assert len(sessions(town.db)) == 200
