"""Loop: what people ask for at the terminal's screen -> a tap -> units taken -> screen.

1. Benefits are taken only after somebody has asked for it on the screen, and only while the screen says so.
2. A card that has no benefit here is none of the desk's business: its tap is an ordinary one, whatever the screen says.
3. The screen says that something was taken only when it is on disk.
"""

from dataclasses import replace

from edge_agent.benefit.allowance import Refused
from edge_agent.benefit.benefits import Benefits, Taken
from edge_agent.effective import Holder
from edge_agent.kiosk.screen import Offer, Screen, View, Wish
from wire.purse import Benefit

_OVER = ("benefit_taken", "benefit_refused", "benefit_back")


class Desk:
    """The desk for benefits of one terminal. `tapped` before attendance takes a tap; `run` as a task."""

    def __init__(self, benefits: Benefits, screen: Screen, holder: Holder) -> None:
        self._benefits, self._screen, self._holder = benefits, screen, holder
        self._last: tuple[str, Taken] | None = None

    async def run(self) -> None:
        """Serves the screen until cancelled."""
        await self._benefits.load()
        while True:
            await self._take(await self._screen.wishes.get())

    async def tapped(self, identifier: bytes) -> bool:
        """Whether a tap was for a benefit; then it is seen to."""
        view = self._screen.view
        if view.state != "benefit_tap" and view.state not in _OVER:
            return False
        token = self._benefits.token(identifier)
        if not self._benefits.knows(token):
            return False
        # Whoever leaves the card on the reader, or touches twice, is served once.
        if view.state == "benefit_tap":
            self._show_outcome(token, view, await self._benefits.take(token, view.code, view.units))
        return True

    async def _take(self, wish: Wish) -> None:
        match wish.do:
            case "open":
                if self._holder.now.benefits:
                    self._open()
            case "choose":
                self._choose(wish)
            case "leave":
                self._screen.clear()
            case "take_back":
                await self._back(wish)

    def _open(self) -> None:
        offers = tuple(Offer(one.code, *self._said(one)) for one in self._benefits.offered)
        self._screen.show(self._view("benefit_choose", offers=offers))

    def _choose(self, wish: Wish) -> None:
        kind = next((one for one in self._benefits.offered if one.code == wish.code), None)
        if kind is None:
            self._open()
            return
        name, unit = self._said(kind)
        self._screen.show(self._view("benefit_tap", code=kind.code, name=name, unit=unit, units=wish.units))

    async def _back(self, wish: Wish) -> None:
        if self._last is None or self._screen.view.number != wish.number:
            return
        token, taken = self._last
        self._last = None
        self._show_outcome(token, self._screen.view, await self._benefits.take_back(token, taken), back=True)

    def _show_outcome(self, token: str, before: View, outcome: Taken | Refused, *, back: bool = False) -> None:
        self._last = None
        of = {"code": before.code, "name": before.name, "unit": before.unit, "units": before.units}
        if isinstance(outcome, Refused):
            self._screen.show(self._view("benefit_refused", reason=outcome.reason, left=outcome.left, **of))
            return
        of["units"] = outcome.units
        state = "benefit_back" if back else "benefit_taken"
        self._screen.show(self._view(state, left=outcome.left, at_ms=outcome.at_ms, **of))
        if not back:
            self._last = token, outcome

    def _said(self, kind: Benefit) -> tuple[str, str]:
        """Name and unit in the screen's language."""
        english = self._holder.now.language == "en"
        return (kind.name_en, kind.unit_en) if english else (kind.name_ja, kind.unit_ja)

    def _view(self, state: str, **values: object) -> View:
        """A view of the desk; the small lines below stay as they are."""
        now = self._screen.view
        lines = View(waiting=now.waiting, hub_away=now.hub_away, clock_unset=now.clock_unset)
        return replace(lines, state=state, **values)  # type: ignore[arg-type]
