"""`machinaka-hub evaluate metering FILE`: the data that a device used, by month."""

from typing import Any

from hub.evaluate import Kind


def _metering(value: object) -> dict[str, Any]:
    from hub.tablet import metering_case

    return metering_case.metering(value)


KINDS = (Kind("metering", "a device's samples: billable and Wi-Fi bytes by month", _metering),)
