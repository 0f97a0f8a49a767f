"""Addresses that apprise understands, from what a person types (rule).

An e-mail way is typed as a server and an address; anything else is the web address that a chat or another system gave
(Slack, Teams, LINE WORKS and others are known by theirs), or an address as apprise writes it.
"""

import re
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

Way = Literal["email", "web"]
Security = Literal["starttls", "ssl", "insecure"]

_MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,250}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
# These speak to the desktop or the log of the machine they run on, and would reach nobody.
_LOCAL = frozenset({"dbus", "qt", "glib", "gnome", "kde", "macosx", "windows", "syslog", "file", "memory"})


class BadAddress(Exception):
    """What was typed is no address; the text names the word that says so (`alert_bad_…`)."""


class Mail(msgspec.Struct, frozen=True):
    """How e-mail leaves the house: the server, and who writes to whom."""

    to: str
    sender: str
    server: str
    port: int
    security: Security = "starttls"
    user: str = ""
    password: str = ""


def of_mail(mail: Mail) -> str:
    """The address of an e-mail way. Raises BadAddress."""
    if not _MAIL.fullmatch(mail.to) or not _MAIL.fullmatch(mail.sender):
        raise BadAddress("alert_bad_mail")
    if not _HOST.fullmatch(mail.server) or not 1 <= mail.port <= 65535:
        raise BadAddress("alert_bad_server")
    login = f"{quote(mail.user, safe='')}:{quote(mail.password, safe='')}@" if mail.user else ""
    fields = {
        "smtp": mail.server,
        "from": mail.sender,
        "to": mail.to,
        "mode": mail.security,
        "format": "text",
    }
    scheme = "mailto" if mail.security == "insecure" else "mailtos"
    return f"{scheme}://{login}{mail.server}:{mail.port}?{urlencode(fields)}"


def mailed_to(address: str, to: str) -> str:
    """The same e-mail way to somebody else."""
    parts = urlsplit(address)
    fields = {**dict(parse_qsl(parts.query, keep_blank_values=True)), "to": to}
    return parts._replace(query=urlencode(fields)).geturl()


def of_web(typed: str) -> str:
    """The address of any other way, as it was typed. Raises BadAddress."""
    scheme, sign, rest = typed.strip().partition("://")
    if not sign or not rest or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{1,30}", scheme) or re.search(r"\s", rest):
        raise BadAddress("alert_bad_web")
    if scheme.lower() in _LOCAL or scheme.lower().startswith("mailto"):
        raise BadAddress("alert_bad_web")
    return typed.strip()


def as_json(typed: str) -> str:
    """The address that posts JSON to a web address (`jsons://` for https); its query stays a query."""
    parts = urlsplit(typed)
    query = urlencode([(f"-{name}", value) for name, value in parse_qsl(parts.query, keep_blank_values=True)])
    scheme = "jsons" if parts.scheme.lower() == "https" else "json"
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def shown_of_mail(mail: Mail) -> str:
    """What pages show of it: to whom, and by which server; no password, no user."""
    return f"{mail.to} ({mail.server})"


def shown_of_web(typed: str) -> str:
    """What pages show of it: the kind and the host of a web address; of any other only the kind."""
    parts = urlsplit(typed)
    if parts.scheme.lower() in ("http", "https", "json", "jsons", "form", "forms", "xml", "xmls"):
        return f"{parts.scheme}://{parts.hostname or ''}/…"
    return f"{parts.scheme}://…"
