"""What the API does: each thing that a page does, done by a program, with its line in the audit log."""

import gzip
from typing import Any

import pytest

from hub.alerts import store as alerts
from hub.db import Connection
from hub.fleet import outbox
from hub.identity import enrol_store
from hub.identity.enrol_store import Pending
from tests.api.parts import Api, hear, problem
from tests.login.parts import Town
from wire import codec
from wire.messages import Order

DAY = "2099-01-31"


def done(town: Town) -> list[str]:
    """What stands in the audit log."""
    return town.did()


def everything(api: Api, path: str, limit: int, **query: object) -> list[Any]:
    """A list, part by part."""
    items, cursor = [], None
    for _ in range(100):
        page = api.get(path, limit=limit, **({"cursor": cursor} if cursor else {}), **query)
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
    raise AssertionError("the list has no end")


# ---- devices


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_devices_come_in_parts_each_once_by_name(town: Town, api: Api, limit: int) -> None:
    names = ["a-1", "a-2", "b", "c", "d-10", "d-9"]
    hear(town, *names)
    assert [one["name"] for one in everything(api, "/devices", limit)] == names


def test_devices_are_filtered(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2")
    hear(town, "tablet-1", kind="tablet")
    changed = api.ask("PATCH", "/devices/tablet-1/inventory", {"place": "図書館", "tags": "lent new"})
    assert changed.status_code == 200, changed.text

    def names(**query: object) -> list[str]:
        return [one["name"] for one in api.get("/devices", **query)["items"]]

    assert names(kind="tablet") == names(place="図書館") == names(tag="new") == names(q="tab") == ["tablet-1"]
    assert names(online="true", kind="terminal") == ["terminal-1", "terminal-2"]
    assert names(online="false") == names(condition="fault") == names(tag="ne") == []
    assert "expected one of" in problem(api.ask("GET", "/devices?knid=tablet"), 422)


def test_one_device_tells_all_of_it(town: Town, api: Api) -> None:
    hear(town, "terminal-1")
    found = api.get("/devices/terminal-1")
    assert found["device"]["health"]["cpu_permille"] == 100
    assert found["fact"]["model"] == "Pi"
    assert (found["hold"], found["loan"]) == (None, None)
    problem(api.ask("GET", "/devices/no-such"), 404)
    assert "name" in problem(api.ask("GET", "/devices/NO"), 422)


def test_a_device_is_lent_and_comes_back(town: Town, api: Api) -> None:
    hear(town, "tablet-1", kind="tablet")
    lending = {"number": "K-12", "until": DAY}
    assert api.ask("PUT", "/devices/tablet-1/loan", lending).json()["loan"]["until"] == DAY
    assert "lent until" in problem(api.ask("PUT", "/devices/tablet-1/loan", lending), 409)
    with Api(town, ["devices:read"]) as other:
        assert other.get("/devices/tablet-1")["loan"] is None, "who has it is for those who lend"
        assert other.get("/devices/tablet-1")["device"]["loan"] == "lent"
    assert api.ask("POST", "/devices/tablet-1/loan/return", {"condition": "scratched"}).json()["loan"] is None
    problem(api.ask("POST", "/devices/tablet-1/loan/return", {}), 409)
    assert {"lend", "take_back"} <= set(done(town))


@pytest.mark.parametrize(
    ("lending", "said"),
    [
        ({"number": "K", "until": "2026-02-30"}, "until: found"),
        ({"number": "K", "until": "2026-01-01", "since": "2026-01-02"}, "from 2026-01-02 on"),
        ({"number": "", "until": DAY}, "number"),
        ({"number": "K"}, "until"),
        ({"number": "K", "until": DAY, "to": "x"}, "to"),
        ({"number": 7, "until": DAY}, "number"),
    ],
)
def test_a_loan_that_cannot_be_is_refused_whole(town: Town, api: Api, lending: dict[str, Any], said: str) -> None:
    hear(town, "tablet-1", kind="tablet")
    assert said in problem(api.ask("PUT", "/devices/tablet-1/loan", lending), 422)
    assert "lend" not in done(town)


def test_what_people_know_is_changed_field_by_field(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2")
    path = "/devices/terminal-1/inventory"
    api.ask("PATCH", path, {"asset": "A-1", "place": "本庁舎"})
    found = api.ask("PATCH", path, {"note": "new battery"}).json()["inventory"]
    assert (found["asset"], found["place"], found["note"]) == ("A-1", "本庁舎", "new battery")
    assert "another thing" in problem(api.ask("PATCH", "/devices/terminal-2/inventory", {"asset": "A-1"}), 409)
    assert "says itself" in problem(api.ask("PATCH", path, {"kind": "tablet"}), 409)
    before = done(town)
    assert api.ask("PATCH", path, {"note": "new battery"}).status_code == 200
    assert done(town) == before, "nothing changed"


# ---- punches, alerts, audit, people


def test_punches_come_in_parts_newest_first(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2", punches=5)
    every = everything(api, "/punches", 3)
    assert len(every) == 10
    assert [one["id"] for one in every] == sorted((one["id"] for one in every), reverse=True)
    assert len(everything(api, "/punches", 3, device="terminal-1")) == 5
    assert everything(api, "/punches", 3, card="d") == []
    assert len(every[0]["card"]) == 32


def test_an_alert_is_seen_to(town: Town, api: Api) -> None:
    def begin(conn: Connection) -> None:
        conn.execute(
            "INSERT INTO alert (kind, subject, device, place, detail, n, begun_ms, noticed_ms) "
            "VALUES ('disk', 'terminal-1', 'terminal-1', '', '', 0, 1, 1)"
        )

    town.write(begin)
    (number,) = [one.id for one in town.read(alerts.open_alerts) if one.kind == "disk"]
    assert "disk" in [one["kind"] for one in api.get("/alerts")["items"]]
    assert api.get("/alerts", kind="drift")["items"] == api.get("/alerts", state="ended")["items"] == []
    assert api.ask("PUT", f"/alerts/{number}/taken", {"taken": True}).json()["taken_by"] == "hanako"
    assert api.ask("PUT", f"/alerts/{number}/taken", {"taken": False}).json()["taken_ms"] is None
    assert done(town)[-2:] == ["alert_take", "alert_untake"]
    problem(api.ask("PUT", "/alerts/999/taken", {"taken": True}), 404)
    problem(api.ask("PUT", f"/alerts/{number}/taken", {"taken": 1}), 422)
    hushed = api.ask("PUT", f"/alerts/{number}/hush", {"until_ms": 2_000_000_000_000}).json()
    assert (hushed["hushed_until_ms"], hushed["hushed_by"]) == (2_000_000_000_000, "hanako")
    assert api.ask("PUT", f"/alerts/{number}/hush", {"until_ms": None}).json()["hushed_by"] == ""
    assert done(town)[-2:] == ["alert_hush", "alert_unhush"]
    problem(api.ask("PUT", "/alerts/999/hush", {"until_ms": None}), 404)


def test_the_audit_log_is_read_and_verified(town: Town, api: Api) -> None:
    hear(town, "terminal-1")
    for _ in range(5):
        api.ask("POST", "/orders", {"device": "terminal-1", "order": {"name": "ping"}})
    every = everything(api, "/audit", 2)
    assert [one["did"] for one in every] == ["order"] * 5
    assert everything(api, "/audit", 2, who="nobody") == []
    assert api.get("/audit/verification")["whole"] is True
    town.write(lambda conn: conn.execute("DROP TRIGGER IF EXISTS audit_no_update"))
    for trigger in town.read(
        lambda conn: conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    ):
        town.write(lambda conn, trigger=trigger: conn.execute(f"DROP TRIGGER {trigger[0]}"))  # type: ignore[misc]
    town.write(lambda conn: conn.execute("UPDATE audit SET who = 'somebody' WHERE id = 3"))
    verified = api.get("/audit/verification")
    assert (verified["whole"], verified["entries"]) == (False, 2)


def test_people_are_read_without_what_is_secret(town: Town, api: Api) -> None:
    (person,) = api.get("/people")["items"]
    assert (person["name"], person["role"], person["has_second_factor"]) == ("hanako", "administrator", True)
    assert api.get(f"/people/{person['id']}") == person
    assert "password" not in person
    problem(api.ask("GET", "/people/999"), 404)


# ---- orders


def test_an_order_is_given_followed_and_taken_back(town: Town, api: Api) -> None:
    hear(town, "terminal-1")
    answer = api.ask("POST", "/orders", {"device": "terminal-1", "order": {"name": "identify", "seconds": 20}})
    assert answer.status_code == 201
    order = answer.json()
    assert (order["state"], order["arguments"], order["who"]) == ("made", {"seconds": 20}, "hanako")
    (message,) = [
        codec.decode_down(row)
        for (row,) in town.read(lambda conn: conn.execute("SELECT message FROM outbox").fetchall())
    ]
    assert isinstance(message, Order)
    assert message.id == order["id"]
    assert api.get(f"/orders/{order['id']}") == order
    assert api.ask("DELETE", f"/orders/{order['id']}").json()["state"] == "expired"
    problem(api.ask("DELETE", f"/orders/{order['id']}"), 409)
    problem(api.ask("GET", f"/orders/{'0' * 32}"), 404)
    assert done(town) == ["order", "withdraw"]


def test_an_order_under_one_key_is_given_once(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2")
    ask = {"device": "terminal-1", "order": {"name": "ping"}}
    first = api.ask("POST", "/orders", ask, **{"Idempotency-Key": "k-1"})
    again = api.ask("POST", "/orders", ask, **{"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = {**ask, "device": "terminal-2"}
    assert "another order" in problem(api.ask("POST", "/orders", other, **{"Idempotency-Key": "k-1"}), 409)
    assert api.ask("POST", "/orders", ask, **{"Idempotency-Key": "k-2"}).json()["id"] != first.json()["id"]
    with Api(town) as elsewhere:
        assert elsewhere.ask("POST", "/orders", ask, **{"Idempotency-Key": "k-1"}).status_code == 201
    assert done(town) == ["order"] * 3
    problem(api.ask("POST", "/orders", ask, **{"Idempotency-Key": "k 1"}), 422)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"name": "explode"}, 422),
        ({"name": "ping", "seconds": 5}, 422),
        ({"name": "identify", "seconds": 61}, 422),
        ({"name": "identify", "seconds": True}, 422),
        ({"name": "identify", "seconds": "5"}, 422),
        ({"name": "restart"}, 422),
        ({"name": "restart", "process": "a b"}, 422),
        ({"name": "lock"}, 409),
        ({}, 422),
        (None, 422),
    ],
)
def test_d9_an_order_that_cannot_be_is_refused(town: Town, api: Api, order: object, status: int) -> None:
    hear(town, "ap-1", kind="access_point")
    problem(api.ask("POST", "/orders", {"device": "ap-1", "order": order}), status)
    assert done(town) == []


def test_a_device_on_hold_gets_no_order(town: Town, api: Api) -> None:
    hear(town, "terminal-1")
    town.write(lambda conn: outbox.hold(conn, 1, "clone", 1, "x"))
    assert "hold" in problem(api.ask("POST", "/orders", {"device": "terminal-1", "order": {"name": "ping"}}), 409)
    assert api.get("/devices/terminal-1")["hold"] == "clone"


# ---- settings and roll-outs


def group(api: Api, document: dict[str, Any]) -> int:
    """A group of all terminals that says something."""
    made = api.ask("POST", "/policy/groups", {"kind": "kind", "name": "terminal"})
    assert made.status_code == 201, made.text
    number: int = made.json()["id"]
    said = api.ask("PUT", f"/policy/groups/{number}/document", {"document": document})
    assert said.status_code == 200, said.text
    return number


def test_settings_are_said_looked_at_and_published(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2")
    number = group(api, {"health_every_s": 30})
    problem(api.ask("POST", "/policy/groups", {"kind": "kind", "name": "terminal"}), 409)
    assert "document" in problem(
        api.ask("PUT", f"/policy/groups/{number}/document", {"document": {"health_every_s": 0}}), 422
    )
    preview = api.get("/policy/preview", group=number)
    assert preview["devices"] == 2
    assert {"key": "health_every_s", "before": None, "after": 30} in preview["alike"][0]["changes"]
    asked = {"fingerprint": preview["fingerprint"], "group": number}
    problem(api.ask("POST", "/policy/publications", {**asked, "fingerprint": "0" * 64}), 409)
    assert api.ask("POST", "/policy/publications", asked).json() == {"devices": 2}
    problem(api.ask("POST", "/policy/publications", asked), 409)
    (first, second) = everything(api, "/policy/devices", 1)
    assert (first["device"], first["word"], first["generation"]) == ("terminal-1", "waiting", 1)
    assert first["document"]["health_every_s"] == 30
    assert api.get("/policy/devices/terminal-2") == second
    problem(api.ask("GET", "/policy/devices/no-such"), 404)
    assert api.ask("DELETE", f"/policy/groups/{number}").status_code == 204
    assert api.get("/policy/groups")["items"] == []
    assert {"policy_group", "policy_publish", "policy_group_removed"} <= set(done(town))


def test_a_roll_out_needs_a_second_person_and_is_steered(town: Town, api: Api) -> None:
    hear(town, *(f"terminal-{n}" for n in range(1, 6)))
    number = group(api, {"health_every_s": 30})
    fingerprint = api.get("/policy/preview", group=number)["fingerprint"]
    new = {"title": "every 30 s", "fingerprint": fingerprint, "group": number, "first": ["terminal-3"]}
    problem(api.ask("POST", "/rollouts", {**new, "fingerprint": "0" * 64}), 409)
    answer = api.ask("POST", "/rollouts", new)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    id_ = made["rollout"]["id"]
    assert (made["rollout"]["status"], made["rollout"]["counts"]) == ("proposed", {"waiting": 5})
    assert [one["device"] for one in made["members"] if one["group"] == 0] == ["terminal-3"]
    assert "in another roll-out" in problem(api.ask("POST", "/rollouts", new), 409)
    assert "whoever made" in problem(api.ask("PUT", f"/rollouts/{id_}/approval", {"approved": True}), 409)
    with Api(town, ["rollouts:approve"], name="jiro", role="approver") as second:
        assert second.ask("PUT", f"/rollouts/{id_}/approval", {"approved": True}).status_code == 200
    assert api.ask("POST", f"/rollouts/{id_}/acts", {"act": "pause"}).json()["rollout"]["status"] == "paused"
    problem(api.ask("POST", f"/rollouts/{id_}/acts", {"act": "pause"}), 409)
    skipped = api.ask("POST", f"/rollouts/{id_}/acts", {"act": "skip_device", "device": "terminal-5"}).json()
    assert {one["device"]: one["state"] for one in skipped["members"]}["terminal-5"] == "skipped"
    assert [one["id"] for one in api.get("/rollouts")["items"]] == [id_]
    problem(api.ask("GET", "/rollouts/999"), 404)
    assert {"rollout_make", "rollout_approve", "rollout_pause", "rollout_skip_device"} <= set(done(town))


# ---- identities


def test_a_device_is_invited_and_let_in(town: Town, api: Api) -> None:
    answer = api.ask("POST", "/enrolment/codes", {"device": "terminal-9", "kind": "terminal"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["code"]
    key = "ab" * 32
    pending = Pending(key, "s-1", "terminal-8", "terminal", "192.168.1.9", 1, 1, "waiting", "")
    town.write(lambda conn: enrol_store.ask(conn, pending))
    assert [one["device"] for one in api.get("/enrolment/requests")["items"]] == ["terminal-8"]
    path = f"/enrolment/requests/{key}/decision"
    assert api.ask("PUT", path, {"approved": True}).json()["state"] == "approved"
    problem(api.ask("PUT", path, {"approved": False}), 404)
    assert done(town) == ["enrol_code", "approve_enrolment"]


def test_a_device_is_expected_by_its_serial_number_and_no_longer(town: Town, api: Api) -> None:
    new = {"serial": "PF-1234", "device": "tablet-7", "kind": "tablet"}
    assert api.ask("POST", "/enrolment/expected", new).json()["at_once"] is False
    problem(api.ask("POST", "/enrolment/expected", new), 409)
    assert [one["device"] for one in api.get("/enrolment/expected")["items"]] == ["tablet-7"]
    assert api.ask("DELETE", "/enrolment/expected/tablet-7").json()["serial"] == "PF-1234"
    problem(api.ask("DELETE", "/enrolment/expected/tablet-7"), 404)
    assert done(town)[-2:] == ["expect_device", "forget_device"]


def test_an_identity_is_taken_away_and_a_device_is_stolen(town: Town, api: Api) -> None:
    hear(town, "terminal-1", "terminal-2")
    assert api.ask("POST", "/devices/terminal-1/identity/revocation", {"reason": "lost"}).json()["hold"] == "revoked"
    assert api.ask("POST", "/devices/terminal-2/stolen").json()["hold"] == "stolen"
    assert api.get("/devices/terminal-2/identity")["certificates"] == []
    problem(api.ask("POST", "/devices/terminal-2/stolen"), 409)
    problem(api.ask("POST", "/enrolment/codes", {"device": "terminal-2", "kind": "terminal"}), 409)
    problem(api.ask("POST", "/devices/no-such/stolen"), 404)
    assert api.get("/orders", device="terminal-2")["items"][0]["name"] == "wipe"
    assert {"revoke", "stolen"} <= set(done(town))


# ---- what is no good request


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"\xff", 400),
        (b'{"device": "terminal-1", "order": {"name": "ping"}, "order": 7}', 422),
        (b'{"device": "\\ud800", "order": {"name": "ping"}}', 422),
        (b"[" * 60_000, 400),
        (b" " * 65_537, 413),
        (gzip.compress(b"{}", mtime=0), 400),
    ],
)
def test_d9_bytes_that_are_no_request_are_a_problem_and_no_fault(api: Api, content: bytes, status: int) -> None:
    found = api.raw("POST", "/orders", content)
    assert found.status_code in (status, 400, 422) if status != 413 else found.status_code == 413
    problem(found, found.status_code)


def test_an_address_or_method_that_is_not_there_is_a_problem(api: Api) -> None:
    problem(api.ask("GET", "/nowhere"), 404)
    problem(api.ask("GET", "/devices/"), 404)
    problem(api.ask("GET", "/devices/a%0Ab/identity"), 404)
    answer = api.ask("PATCH", "/orders")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


def test_every_answer_carries_the_headers(api: Api) -> None:
    for path in ("/devices", "/nowhere"):
        headers = api.ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'self'" in headers["content-security-policy"]
