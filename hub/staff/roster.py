"""What a terminal is to know of cards (rule).

1. Of each token the row that is in somebody's hands counts; when nobody has it, the latest row.
2. A lost card stays, to be refused, and shows no name; a card that was given back is not there.
3. A name is shown where the town keeps it; a staff number never is.
4. Only kinds whose cards must prove themselves are told, with the key for it.
"""

from collections.abc import Iterable

import msgspec

from wire.roster import CardKind, RosterCard, RosterContent


class CardRow(msgspec.Struct, frozen=True):
    """A row of the register of cards: one token in one pair of hands."""

    token: str
    state: str
    kind: str
    name: str
    held: bool
    from_ms: int


class Kind(msgspec.Struct, frozen=True):
    """A kind of card as the town set it; `mac` says that its cards must prove that they are genuine."""

    name: str
    technology: str
    mac: bool


def content(card_key: bytes, rows: Iterable[CardRow], kinds: Iterable[Kind], mac_key: bytes | None) -> RosterContent:
    """The whole roster, the same for every terminal of the town. Without `mac_key` no kind proves anything."""
    newest: dict[str, CardRow] = {}
    for row in sorted(rows, key=lambda row: (row.held, row.from_ms)):
        newest[row.token] = row
    proving = tuple(
        CardKind(kind.name, kind.technology, mac_key)
        for kind in sorted(kinds, key=lambda kind: kind.name)
        if kind.mac and mac_key is not None
    )
    named = {kind.name for kind in proving}
    cards = [_card(row, named) for _, row in sorted(newest.items())]
    return RosterContent(card_key, tuple(card for card in cards if card is not None), proving)


def _card(row: CardRow, proving: set[str]) -> RosterCard | None:
    kind = row.kind if row.kind in proving else ""
    if row.state == "lost":
        return RosterCard(row.token, "lost", "", kind)
    return RosterCard(row.token, "issued", row.name, kind) if row.held else None
