"""Guests are mailed their code through the town's own mail server, once, and nothing of them is in a log."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.alerts import post
from hub.alerts.addresses import Addresses
from hub.alerts.post import Target
from hub.alerts.town_mail import NO_WAY, TownMail
from hub.db import Db
from hub.live import Live
from hub.told import Told
from hub.wifi import consent_store, keys
from hub.wifi.confirm_letter import Letter, letter
from hub.wifi.confirm_mail import ConfirmMail
from tests.alerts.receivers import Receivers, receiving
from tests.orders.parts import until
from tests.wifi.hub.parts import now_ms
from wire import sealed, signed
from wire.messages import Consent, TermsLanguage

SESSION = "5" * 32
GUEST = "guest+wifi@example.org"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    db = Db(tmp_path / "hub.db")
    db.open()
    yield db
    db.close()


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    """A mail server."""
    with receiving() as one:
        yield one


def enter_way(db: Db, folder: Path, receivers: Receivers) -> Addresses:
    """Somebody has entered an e-mail way for alerts."""
    addresses = Addresses(folder)
    ref = addresses.add(receivers.mail_address)
    target = Target(0, ref, "IT", "email", "it@town.example", "ja", urgent_only=False, place="", created_ms=0)
    db.write_now(lambda conn: post.add_target(conn, target))
    return addresses


def consent(
    folder: Path, code: str = "042137", language: TermsLanguage = "ko", session: str = SESSION, email: str = GUEST
) -> Consent:
    """What an access point tells of a guest who typed an address."""
    key = keys.sealing_key(folder, "2026-11")
    to = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)
    plain = msgspec.json.encode({"email": email, "code": code, "language": language})
    closed = base64.urlsafe_b64encode(sealed.seal(to, plain, signed.contact_bytes(session))).decode().rstrip("=")
    return Consent(session, "v1", language, "email", contact=closed, contact_key=key.name)


def take(db: Db, *bodies: Consent, at_ms: int | None = None) -> None:
    """As the ingest does, one after the other."""
    for number, body in enumerate(bodies):
        when = (at_ms or now_ms()) + number
        told = [Told(1, "hall-ap", 1, when, when + 5, body)]
        db.write_now(partial(consent_store.take, told=told))


@asynccontextmanager
async def running(mail: ConfirmMail) -> AsyncIterator[ConfirmMail]:
    """It mails for the length of a `with`."""
    task = asyncio.create_task(mail.run())
    try:
        yield mail
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def mailed(db: Db) -> list[int | None]:
    """When, consent by consent."""
    return [row[0] for row in db.read(lambda conn: conn.execute("SELECT mailed_ms FROM wifi_consent").fetchall())]


async def test_a_guest_gets_the_code_in_their_language_and_no_log_knows_them(
    db: Db, tmp_path: Path, receivers: Receivers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    addresses = enter_way(db, tmp_path, receivers)
    take(db, consent(tmp_path))
    async with running(ConfirmMail(db, Live(), tmp_path, TownMail(db, addresses))):
        await until(lambda: all(mailed(db)))
    [mail] = receivers.mails
    assert (mail.sender, mail.to) == ("hub@town.example", GUEST)
    assert "042137" in mail.subject
    assert "인증번호는 042137입니다." in mail.text
    assert GUEST not in caplog.text
    assert "042137" not in caplog.text


async def test_another_code_is_mailed_too_and_a_late_or_confirmed_one_is_not(
    db: Db, tmp_path: Path, receivers: Receivers
) -> None:
    addresses = enter_way(db, tmp_path, receivers)
    take(db, consent(tmp_path, session="1" * 32), at_ms=now_ms() - 11 * 60_000)
    done = consent(tmp_path, session="2" * 32)
    take(db, done, Consent("2" * 32, "v1", "ja", "email", confirmed=True))
    take(db, consent(tmp_path, "111111"))
    async with running(ConfirmMail(db, Live(), tmp_path, TownMail(db, addresses))):
        await until(lambda: receivers.mails)
        await until(lambda: sum(one is not None for one in mailed(db)) == 1)
        take(db, consent(tmp_path, "222222"))
        await until(lambda: len(receivers.mails) == 2)
    assert ["111111" in receivers.mails[0].text, "222222" in receivers.mails[1].text] == [True, True]


async def test_without_a_mail_way_it_is_said_once_and_mailed_once_there_is_one(
    db: Db, tmp_path: Path, receivers: Receivers, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = Addresses(tmp_path)
    take(db, consent(tmp_path), consent(tmp_path, session="7" * 32))
    mail = ConfirmMail(db, Live(), tmp_path, TownMail(db, addresses))
    for _ in range(3):
        mail._note(await mail._look(now_ms()))
    assert mail.failure == NO_WAY
    assert caplog.text.count("not mailed") == 1
    assert mailed(db) == [None, None]
    enter_way(db, tmp_path, receivers)
    mail._note(await mail._look(now_ms()))
    assert mail.failure == ""
    assert len(receivers.mails) == 2
    assert all(mailed(db))


async def test_a_mailbox_that_is_refused_holds_up_nobody(db: Db, tmp_path: Path, receivers: Receivers) -> None:
    addresses = enter_way(db, tmp_path, receivers)
    receivers.refuse = True
    take(db, consent(tmp_path))
    mail = ConfirmMail(db, Live(), tmp_path, TownMail(db, addresses))
    assert await mail._look(now_ms()) == ""
    assert await mail._look(now_ms()) is None
    receivers.refuse = False
    take(db, consent(tmp_path, session="8" * 32))
    assert await mail._look(now_ms()) == ""
    assert len(receivers.mails) == 1


async def test_one_access_point_cannot_flood_mailboxes(db: Db, tmp_path: Path) -> None:
    sent: list[Letter] = []

    async def send(letters: object) -> list[str]:
        assert isinstance(letters, list)
        sent.extend(letters)
        return [""] * len(letters)

    mail = ConfirmMail(db, Live(), tmp_path, send)
    take(db, *(consent(tmp_path, session=f"{n:032x}") for n in range(310)))
    await mail._look(now_ms())
    assert len(sent) == 300
    # Nor does it hold up another one's guests.
    other = Told(2, "library-ap", 1, now_ms(), now_ms(), consent(tmp_path, session="f" * 32))
    db.write_now(partial(consent_store.take, told=[other]))
    await mail._look(now_ms())
    assert len(sent) == 301


@pytest.mark.parametrize(
    "contact",
    [
        b"",
        b"{}",
        b'{"email":"a@example.org,b@example.org","code":"123456"}',
        b'{"email":"a@example.org\\nBcc: b@example.org","code":"123456"}',
        b'{"email":"a@example.org","code":"buy now"}',
        b'{"email":"a@example.org?to=b@example.org&x=","code":"123456"}',
    ],
)
def test_what_is_no_address_and_code_is_no_letter(contact: bytes) -> None:
    assert letter(contact) is None


def test_there_is_a_text_in_every_language() -> None:
    languages: tuple[TermsLanguage, ...] = ("ja", "ja-easy", "en", "zh-Hans", "zh-Hant", "ko")
    found = [letter(msgspec.json.encode({"email": GUEST, "code": "123456", "language": one})) for one in languages]
    assert all(one is not None and "123456" in one.body and "123456" in one.title for one in found)
    assert len({one.body for one in found if one}) == 6


async def test_what_cannot_be_opened_is_not_tried_again(
    db: Db, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = msgspec.structs.replace(consent(tmp_path), contact="AAAA")
    take(db, *(msgspec.structs.replace(bad, session=f"{n:032x}") for n in range(45)))

    async def send(letters: object) -> list[str]:
        raise AssertionError("there is nobody to write to")

    mail = ConfirmMail(db, Live(), tmp_path, send)
    for _ in range(3):
        assert await mail._look(now_ms()) is None
    assert caplog.text.count("cannot be written to") == 45


def test_consents_in_any_order_leave_the_same_row(db: Db, tmp_path: Path) -> None:
    first, again = consent(tmp_path, "111111"), consent(tmp_path, "222222")
    confirmed = Consent(SESSION, "v1", "ko", "email", confirmed=True)
    now = now_ms()
    told = [Told(1, "hall-ap", n, now + n, now + 99, body) for n, body in enumerate((first, again, confirmed))]
    rows = []
    for groups in (
        [told],
        [told[::-1]],
        [[one] for one in told],
        [[one] for one in (told[2], told[1], told[0], told[1])],
    ):
        for group in groups:
            db.write_now(partial(consent_store.take, told=group))
        rows.append(
            db.read(
                lambda conn: conn.execute(
                    "SELECT contact, contact_ms, at_ms, confirmed_ms FROM wifi_consent"
                ).fetchall()
            )
        )
        db.write_now(lambda conn: conn.execute("DELETE FROM wifi_consent"))
    assert rows[0] == [(again.contact, now + 1, now, now + 2)]
    assert all(one == rows[0] for one in rows)
