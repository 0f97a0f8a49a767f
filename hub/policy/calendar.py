"""Concrete dates of the national calendar, for devices that have none (rule).

国民の祝日に関する法律 (Act on National Holidays), as the library `jpholiday` knows it, the days between two holidays
and substitute holidays included.  Closed days around New Year are the town's own: they are `closed_days`.
"""

from datetime import date, timedelta
from typing import Any

import jpholiday

from wire.policy import CALENDAR_DAYS

# Documents are published again when their calendar reaches less far than this.
SHORTEST_DAYS = 60


def holidays(first: date, days: int = CALENDAR_DAYS) -> list[str]:
    """The national holidays from a day on."""
    return [day.isoformat() for day, _name in jpholiday.between(first, first + timedelta(days=days - 1))]


def with_holidays(document: dict[str, Any], today: date) -> dict[str, Any]:
    """The document as it is published on a day: with the dates, where the house is closed on holidays."""
    plain = without_holidays(document)
    opening = plain.get("opening", {})
    if not opening.get("holidays_closed"):
        return plain
    return {**plain, "opening": {**opening, "holidays": holidays(today)}}


def ends_soon(document: dict[str, Any], made: date, today: date) -> bool:
    """Whether the dates in a document published on the day `made` reach less than two months from today."""
    if not document.get("opening", {}).get("holidays_closed"):
        return False
    return made + timedelta(days=CALENDAR_DAYS) < today + timedelta(days=SHORTEST_DAYS)


def without_holidays(document: dict[str, Any]) -> dict[str, Any]:
    """The document as people wrote it: two days' publications of the same settings are the same."""
    opening = document.get("opening")
    if not isinstance(opening, dict) or "holidays" not in opening:
        return document
    return {**document, "opening": {key: value for key, value in opening.items() if key != "holidays"}}
