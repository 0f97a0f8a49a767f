"""Messages to a real mail server and a real web receiver, through the process that sends them."""

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.alerts import post, tell
from hub.alerts.address import BadAddress, Mail, as_json, of_mail, of_web, shown_of_mail, shown_of_web
from hub.alerts.addresses import Addresses
from hub.alerts.child import FAILURES, Message, failure_of
from hub.alerts.post import Draft, Target
from hub.alerts.tell import Tell
from hub.db import Db
from hub.live import Live
from hub.words import WORDS
from tests.alerts.receivers import Receivers, receiving
from tests.broker import free_port

TITLE = "本庁の打刻機1 がつながりません(8:12から)"


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with receiving() as running:
        yield running


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    found = Db(tmp_path / "hub.db")
    found.open()
    yield found
    found.close()


def test_both_ways_take_a_message_as_it_was_written(receivers: Receivers) -> None:
    ways = [receivers.mail_address, receivers.web_address]
    failures = asyncio.run(tell.deliver([Message(way, TITLE, "何が: 打刻機\n次にすること: 電源\n") for way in ways]))
    assert failures == ["", ""]
    (mail,) = receivers.mails
    assert (mail.sender, mail.to, mail.subject) == ("hub@town.example", "it@town.example", TITLE)
    assert mail.text.splitlines()[:2] == ["何が: 打刻機", "次にすること: 電源"]
    (got,) = receivers.posts
    assert (got["path"], got["title"]) == ("/hook?key=secret", TITLE)


def test_what_goes_wrong_is_one_word(receivers: Receivers) -> None:
    receivers.refuse = True
    nobody = f"mailto://127.0.0.1:{free_port()}?smtp=127.0.0.1&from=a%40b.example&to=c%40d.example&mode=insecure"
    ways = [receivers.mail_address, receivers.web_address, nobody, "https://no-such-host.invalid/x", "nonsense://x"]
    failures = asyncio.run(tell.deliver([Message(way, "t", "b") for way in ways]))
    assert failures == ["receiver", "http", "refused", "unknown_host", "bad_address"]


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("(535, b'5.7.8 Authentication credentials invalid')", "login"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "certificate"),
        ("A Connection error occurred: timed out", "timeout"),
        ("[Errno -2] Name or service not known", "unknown_host"),
        ("", "other"),
    ],
)
def test_the_words_for_what_libraries_say(said: str, failure: str) -> None:
    assert failure_of(said) == failure


def test_each_failure_has_its_words() -> None:
    assert all(f"alert_send_{failure}" in WORDS for failure in (*FAILURES, "lost"))


def a_target(db: Db, addresses: Addresses, address: str, name: str = "it") -> Target:
    ref = addresses.add(address)
    target = Target(0, ref, name, "email", "it@town.example", "ja", False, "", 0)
    db.write_now(lambda conn: post.add_target(conn, target))
    return next(one for one in db.read(post.targets) if one.ref == ref)


async def until_sent(db: Db, addresses: Addresses, *, sent: int, within_s: float = 60) -> None:
    sender = asyncio.create_task(Tell(db, Live(), addresses).run())
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = await db.aread(lambda conn: post.latest(conn, 10))
                if sum(one.sent_ms is not None or one.attempts > 0 for one in found) >= sent:
                    return
                await asyncio.sleep(0.05)
    finally:
        sender.cancel()
        await asyncio.wait([sender])


async def test_what_waits_goes_and_a_failure_waits_for_its_turn(receivers: Receivers, db: Db, tmp_path: Path) -> None:
    addresses = Addresses(tmp_path)
    good = a_target(db, addresses, receivers.mail_address)
    bad = a_target(db, addresses, f"json://127.0.0.1:{free_port()}/", "chat")
    lost = a_target(db, addresses, "json://127.0.0.1:1/", "lost")
    addresses.remove(lost.ref)
    drafts = [Draft(one.id, TITLE, "body", urgent=False) for one in (good, bad, lost)]
    await db.write(lambda conn: post.put(conn, drafts, 1_000))
    await until_sent(db, addresses, sent=3)
    assert [mail.subject for mail in receivers.mails] == [TITLE]
    found = {one.target: one for one in await db.aread(lambda conn: post.latest(conn, 10))}
    # Made in 1970: a message of which a day has gone by is given up.
    assert {name: (one.state, one.error) for name, one in found.items()} == {
        "it": ("sent", ""),
        "chat": ("given_up", "refused"),
        "lost": ("given_up", "lost"),
    }
    told = {one.name: one.last_error for one in await db.aread(post.targets)}
    assert told == {"it": "", "chat": "refused", "lost": "lost"}
    assert await db.aread(post.failing) == (0, 2)


def test_the_pauses_grow_until_it_is_given_up_after_a_day(db: Db, tmp_path: Path) -> None:
    target = a_target(db, Addresses(tmp_path), "json://x/")
    start_ms = now_ms = 1_790_000_000_000
    db.write_now(lambda conn: post.put(conn, [Draft(target.id, "t", "b", urgent=True)], start_ms))
    pauses = []
    while found := db.read(lambda conn, now_ms=now_ms: post.due(conn, now_ms, 5)):  # type: ignore[misc]
        db.write_now(lambda conn, now_ms=now_ms: post.note_failed(conn, found[0], "refused", now_ms))  # type: ignore[misc]
        (kept,) = db.read(lambda conn: post.latest(conn, 1))
        pauses.append((kept.next_ms - now_ms) // 60_000)
        assert not db.read(lambda conn, now_ms=now_ms: post.due(conn, now_ms, 5))  # type: ignore[misc]
        now_ms = kept.next_ms
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert kept.state == "given_up"
    assert (kept.given_up_ms or 0) - start_ms >= 24 * 3_600_000
    db.write_now(lambda conn: post.forget_old(conn, now_ms + 91 * 86_400_000))
    assert db.read(lambda conn: post.latest(conn, 1)) == []


async def test_a_server_that_never_answers_costs_only_its_own_message(receivers: Receivers) -> None:
    receivers.silent = True
    found = await tell.deliver([Message(receivers.mail_address, "t", "b")], begin_s=4, each_s=0.5)
    assert found == ["timeout"]


def test_addresses_lie_in_a_file_for_the_hub_alone(tmp_path: Path) -> None:
    addresses = Addresses(tmp_path / "state")
    ref = addresses.add("mailtos://user:secret@mail.example")
    other = addresses.add("json://x")
    path = tmp_path / "state" / "alert-addresses.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert Addresses(tmp_path / "state").of(ref) == "mailtos://user:secret@mail.example"
    addresses.remove(other)
    addresses.remove("unknown")
    assert (addresses.of(other), addresses.of(ref) is not None) == (None, True)
    path.write_bytes(b"{broken")
    assert addresses.of(ref) is None


MAIL = Mail("it@town.example", "hub@town.example", "mail.town.example", 587, "starttls", "u@x", "p:/?#@ss")


def test_an_e_mail_way_is_put_together_so_that_nothing_in_it_breaks_out() -> None:
    # apprise imports a module of Python's that is on its way out.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        made: Any = apprise.Apprise.instantiate(of_mail(MAIL))
    assert (made.user, made.password, made.port, made.smtp_host) == ("u@x", "p:/?#@ss", 587, "mail.town.example")
    assert made.secure_mode == "starttls"
    assert "ss" not in shown_of_mail(MAIL).replace("mail.town.example", "")
    assert of_mail(Mail("a@b.jp", "c@d.jp", "localhost", 25, "insecure")).startswith("mailto://localhost:25?")


@pytest.mark.parametrize("to", ["", "it", "a@b@c", "a b@c.jp", "a@c.jp,d@e.jp", "<a@b.jp>", "a@b.jp?x=1"])
def test_what_is_no_mail_address_is_refused(to: str) -> None:
    with pytest.raises(BadAddress, match="alert_bad_mail"):
        of_mail(Mail(to, "hub@town.example", "mail.example", 587))


@pytest.mark.parametrize(
    ("server", "port"), [("", 25), ("a b", 25), ("mail/x", 25), ("x@y", 25), ("mail", 0), ("m", 65_536)]
)
def test_what_is_no_server_is_refused(server: str, port: int) -> None:
    with pytest.raises(BadAddress, match="alert_bad_server"):
        of_mail(Mail("a@b.jp", "c@d.jp", server, port))


@pytest.mark.parametrize(
    "typed", ["", "hello", "https://", "syslog://x", "dbus://", "mailto://x@y", "https://a b/", "1://x"]
)
def test_what_is_no_web_address_is_refused(typed: str) -> None:
    with pytest.raises(BadAddress, match="alert_bad_web"):
        of_web(typed)


def test_of_a_web_address_only_its_host_is_shown() -> None:
    typed = of_web(" https://hooks.slack.example/services/T0/B0/secret?token=x ")
    assert shown_of_web(typed) == "https://hooks.slack.example/…"
    assert shown_of_web("slack://TokenA/TokenB") == "slack://…"
    assert as_json("https://a.example:8443/x?k=v&w=") == "jsons://a.example:8443/x?-k=v&-w="
