"""SQL of the terms: the one draft, and what was published, which is never changed.

A consent names the version that its guest saw; so every version stays as long as the database.  The newest is the one
with the highest number, whatever the clock said.
"""

from functools import cache
from importlib import resources

import msgspec

from hub.db import Connection
from hub.wifi import terms
from hub.wifi.terms import KEEP_DAYS, LANGUAGES, SHIPPED, Operator
from wire.kit import Terms
from wire.messages import TermsLanguage

Texts = dict[TermsLanguage, str]
_TEXTS = msgspec.json.Decoder(Texts)


class Draft(msgspec.Struct, frozen=True):
    """The texts that somebody is at work on."""

    texts: Texts
    saved_ms: int
    saved_by: str


class Version(msgspec.Struct, frozen=True):
    """A version that was published, without its texts."""

    version: str
    published_ms: int
    published_by: str


@cache
def shipped_texts() -> Texts:
    """The texts that come with the program, with places for the town's name, the days and the contact."""
    folder = resources.files("hub.wifi") / "default_terms"
    return {language: (folder / f"{language}.txt").read_text("utf-8").strip() for language in LANGUAGES}


def shipped(days: int = KEEP_DAYS) -> Terms:
    """What guests see while the town has published nothing; its name tells for how long it says records are kept."""
    return Terms(f"{SHIPPED}-{days}", terms.filled(shipped_texts(), Operator(), days))


def keep_days(conn: Connection) -> int:
    """For how many days personal fields are kept, as the shipped texts say it."""
    row = conn.execute("SELECT keep_days FROM wifi_setting WHERE id = 1").fetchone()
    return int(row[0]) if row else KEEP_DAYS


def current(conn: Connection) -> Terms:
    """What guests see now."""
    row = conn.execute(
        "SELECT version, texts FROM wifi_terms WHERE published_ms IS NOT NULL ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return Terms(row[0], _TEXTS.decode(row[1])) if row else shipped(keep_days(conn))


def published(conn: Connection, version: str) -> Terms | None:
    """A version that was published, or the shipped one; None when there is none of that name."""
    days = version.removeprefix(f"{SHIPPED}-")
    if days != version and days.isascii() and days.isdecimal():
        return shipped(int(days))
    row = conn.execute(
        "SELECT version, texts FROM wifi_terms WHERE version = ? AND published_ms IS NOT NULL", (version,)
    ).fetchone()
    return Terms(row[0], _TEXTS.decode(row[1])) if row else None


def history(conn: Connection) -> list[Version]:
    """What was published, newest first."""
    rows = conn.execute(
        "SELECT version, published_ms, published_by FROM wifi_terms WHERE published_ms IS NOT NULL ORDER BY id DESC"
    )
    return [Version(*row) for row in rows]


def draft(conn: Connection) -> Draft | None:
    """What somebody is at work on; None when nobody is."""
    row = conn.execute("SELECT texts, saved_ms, saved_by FROM wifi_terms WHERE version = ''").fetchone()
    return Draft(_TEXTS.decode(row[0]), row[1], row[2]) if row else None


def save_draft(conn: Connection, texts: Texts, who: str, now_ms: int) -> None:
    """Keeps the draft; the one before it is gone."""
    conn.execute(
        "INSERT INTO wifi_terms (version, texts, saved_ms, saved_by) VALUES ('', ?, ?, ?) ON CONFLICT (version) "
        "DO UPDATE SET texts = excluded.texts, saved_ms = excluded.saved_ms, saved_by = excluded.saved_by",
        (msgspec.json.encode(texts).decode(), now_ms, who),
    )


def drop_draft(conn: Connection) -> bool:
    """Throws the draft away; whether there was one."""
    return conn.execute("DELETE FROM wifi_terms WHERE version = ''").rowcount > 0


def publish_draft(conn: Connection, version: str, who: str, now_ms: int) -> None:
    """The draft becomes a version of that name."""
    conn.execute(
        "UPDATE wifi_terms SET version = ?, published_ms = ?, published_by = ? WHERE version = ''",
        (version, now_ms, who),
    )


def versions(conn: Connection) -> set[str]:
    """The names that are taken."""
    return {version for (version,) in conn.execute("SELECT version FROM wifi_terms WHERE version <> ''")}


def seen_between(conn: Connection, from_ms: int, until_ms: int) -> list[tuple[str, str]]:
    """Which versions guests agreed to in a time, and in which languages they read them. Nobody is counted."""
    rows = conn.execute(
        "SELECT DISTINCT terms, language FROM wifi_consent WHERE at_ms >= ? AND at_ms < ? ORDER BY terms, language",
        (from_ms, until_ms),
    )
    return [(version, language) for version, language in rows]
