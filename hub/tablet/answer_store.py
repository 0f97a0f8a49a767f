"""SQL of answers to surveys: one of each tablet, the last that came; results, and every answer for a file."""

from collections.abc import Sequence

import msgspec

from hub.db import Connection
from hub.tablet.content_store import at_ms
from hub.told import Told

Answers = tuple[tuple[str, ...], ...]

_answers = msgspec.json.Decoder(Answers)


class Given(msgspec.Struct, frozen=True):
    """The answers of one tablet, question by question; `number` is whom the tablet was lent to, or empty."""

    device: str
    number: str
    at_ms: int
    answers: Answers


def take(conn: Connection, told: Sequence[Told]) -> None:
    """Answers (`wire.tablet.Answer`) to surveys that there are: a later one of the same tablet takes the place of the
    one before."""
    conn.executemany(
        "INSERT INTO survey_answer (item_name, device_id, answers, at_ms, arrived_ms) "
        "SELECT name, ?, ?, ?, ? FROM content_item WHERE name = ? "
        "ON CONFLICT (item_name, device_id) DO UPDATE SET answers = excluded.answers, at_ms = excluded.at_ms, "
        "arrived_ms = excluded.arrived_ms",
        [
            (one.device_id, msgspec.json.encode(one.body.answers).decode(), at_ms(one), one.received_ms, one.body.item)
            for one in told
        ],
    )


def given(conn: Connection, name: str) -> list[Given]:
    """Every answer to a survey, by tablet."""
    rows = conn.execute(
        "SELECT d.name, coalesce((SELECT l.number FROM loan l JOIN item i ON i.id = l.item_id "
        "WHERE i.device_id = d.id AND l.returned IS NULL LIMIT 1), ''), a.at_ms, a.answers FROM survey_answer a "
        "JOIN device d ON d.id = a.device_id WHERE a.item_name = ? ORDER BY d.name",
        (name,),
    )
    return [Given(device, number, when, _answers.decode(text)) for device, number, when, text in rows]


def counts(conn: Connection) -> dict[str, int]:
    """How many tablets have answered each survey, by its name."""
    return dict(conn.execute("SELECT item_name, count(*) FROM survey_answer GROUP BY item_name"))
