"""A thing: what its device tells, what people know, who has it (values)."""

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """What a device told of itself last."""

    model: str
    serial: str
    system: str
    version: str
    wear_permille: int | None
    battery_permille: int | None
    battery_cycles: int | None
    certificate_end_ms: int | None
    told_ms: int


class Loan(msgspec.Struct, frozen=True):
    """Who had or has a thing, and until when; days as YYYY-MM-DD. `returned` is None while it is lent."""

    id: int
    item_id: int
    number: str
    name: str
    since: str
    until: str
    returned: str | None
    condition: str
    lent_by: str
    returned_to: str


class Item(msgspec.Struct, frozen=True):
    """A thing: what people know of it and what its device tells. `id` is 0 for a device that nobody has entered.

    `values` are the fields of `fields.EDITABLE` as they are shown: where people said nothing, what the device tells.
    """

    id: int
    device_id: int | None
    device: str
    values: dict[str, str]
    loan: Loan | None = None

    @property
    def label(self) -> str:
        """What it is called in lists and in the audit log."""
        return self.device or self.values["asset"] or self.values["serial"]
