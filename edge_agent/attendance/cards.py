"""What the terminal knows of a card: the town's roster from the hub, or its own file until one has come.

1. A card has a token under each key: the town's, those that were the town's before, and the terminal's own. The one
   that the roster knows counts, the newest first; when it knows none, the newest is the card's token.  So a card that
   was registered under an older key stays the same card.
2. A town that has registered no card yet sends its key all the same: then everybody is taken, and a terminal's own
   roster goes on.
3. A new roster counts from one tap to the next; reading it waits for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_agent.attendance import card, roster, town_roster
from edge_agent.attendance.town_roster import Kept
from wire.roster import CardKind, RosterCard, proof_key

Standing = Literal["known", "unknown", "lost"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one card. `tokens` are all that it has, the one that counts first.

    `proof_key` is the card's own key, where it must prove with it that it is genuine.
    """

    tokens: tuple[str, ...]
    standing: Standing
    name: str = ""
    proof_key: bytes | None = None

    @property
    def token(self) -> str:
        """The one that counts."""
        return self.tokens[0]


@dataclass(frozen=True, slots=True)
class _Town:
    """The town's roster, made ready for a tap; replaced as a whole, so that any thread may read it."""

    keys: tuple[bytes, ...]
    cards: dict[str, RosterCard]
    kinds: dict[str, CardKind]


class Cards:
    """One terminal's knowledge of cards. Raises BadSetting, OSError where it cannot have a key of its own."""

    def __init__(self, folder: Path) -> None:
        self._own_key = roster.card_key(folder)
        self._own = roster.Roster(folder)
        self._town = self._ready(town_roster.load(folder))

    def use(self, kept: Kept) -> None:
        """This roster counts from now on."""
        self._town = self._ready(kept)

    def of(self, identifier: bytes) -> Known:
        """What is known of a card. From any thread."""
        town = self._town
        tokens = tuple(dict.fromkeys(card.token(key, identifier) for key in town.keys))
        if not town.cards:
            return self._by_own_file(tokens)
        for token in tokens:
            found = town.cards.get(token)
            if found is not None:
                standing: Standing = "lost" if found.state == "lost" else "known"
                return Known(_first(token, tokens), standing, found.name, _proof_key(town, found, identifier))
        return Known(tokens, "unknown")

    def name(self, token: str) -> str:
        """The name to show for a token, or an empty text."""
        town = self._town
        if not town.cards:
            return self._own.name(token)
        found = town.cards.get(token)
        return found.name if found is not None else ""

    def proof_key(self, identifier: bytes) -> bytes | None:
        """The key with which this card must prove that it is genuine, if it must. From any thread."""
        return self.of(identifier).proof_key

    def _by_own_file(self, tokens: tuple[str, ...]) -> Known:
        for token in tokens:
            if name := self._own.name(token):
                return Known(_first(token, tokens), "known", name)
        return Known(tokens, "known" if any(map(self._own.known, tokens)) else "unknown")

    def _ready(self, kept: Kept) -> _Town:
        content = kept.content
        if content is None:
            return _Town((self._own_key,), {}, {})
        cards = {one.token: one for one in content.cards}
        keys = (content.card_key, *kept.earlier, self._own_key)
        return _Town(keys, cards, {kind.name: kind for kind in content.kinds})


def _first(token: str, tokens: Iterable[str]) -> tuple[str, ...]:
    return (token, *(one for one in tokens if one != token))


def _proof_key(town: _Town, found: RosterCard, identifier: bytes) -> bytes | None:
    kind = town.kinds.get(found.kind)
    return proof_key(kind.key, identifier) if kind is not None else None
