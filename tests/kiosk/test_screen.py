"""What the screen shows now: views go by themselves, the ground comes back, and the newest is never missed."""

import asyncio
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge_agent.kiosk.screen import STAYS_S, Screen, State, View
from tests.attendance.desk import hurried


def test_a_view_goes_by_itself_and_the_ground_comes_back() -> None:
    async def journey() -> list[State]:
        screen = Screen()
        with screen.onlooker() as views:
            screen.ground(View("idle"))
            screen.show(View("accepted", at_ms=1))
            return [(await views.get()).state for _ in range(4)]

    assert hurried(journey()) == ["starting", "idle", "accepted", "idle"]


def test_a_second_view_has_its_whole_time() -> None:
    async def journey() -> None:
        screen, loop = Screen(), asyncio.get_running_loop()
        screen.show(View("accepted", at_ms=1))
        await asyncio.sleep(1.5)
        screen.show(View("accepted", at_ms=2))
        began = loop.time()
        with screen.onlooker() as views:
            assert (await views.get()).at_ms == 2
            assert (await views.get()).state == "starting"
        # The loop's own clock decided, not the machine's speed.
        assert loop.time() - began >= STAYS_S["accepted"]

    hurried(journey())


def test_the_same_state_twice_is_two_views_and_the_same_view_is_one() -> None:
    async def journey() -> None:
        screen = Screen()
        screen.show(View("two_cards", at_ms=1))
        first = screen.view
        screen.show(View("two_cards", at_ms=1))
        assert screen.view is first
        screen.show(View("two_cards", at_ms=2))
        assert screen.view.number == first.number + 1
        screen.clear()
        assert screen.view.state == "starting"

    asyncio.run(journey())


def test_the_small_lines_change_without_a_new_number() -> None:
    async def journey() -> None:
        screen = Screen()
        screen.show(View("accepted", at_ms=1, name="山田花子"))
        number = screen.view.number
        screen.ground(View("reader_fault", waiting=3, hub_away=True, clock_unset=True))
        expected = View("accepted", number, at_ms=1, name="山田花子", waiting=3, hub_away=True, clock_unset=True)
        assert screen.view == expected
        screen.clear()
        assert (screen.view.state, screen.view.name) == ("reader_fault", "")

    asyncio.run(journey())


def test_a_slow_onlooker_misses_old_views_and_never_the_newest() -> None:
    async def journey() -> None:
        screen = Screen()
        with screen.onlooker() as views:
            for at_ms in range(1, 50):
                screen.show(View("accepted", at_ms=at_ms))
            seen = [views.get_nowait().at_ms for _ in range(views.qsize())]
        assert seen[-1] == 49
        assert seen == sorted(seen)
        # Who has left is not written to any more.
        screen.show(View("accepted", at_ms=50))
        assert views.empty()

    asyncio.run(journey())


def test_only_the_newest_choice_waits() -> None:
    screen = Screen()
    screen.choose("clock_in")
    screen.choose("clock_out")
    assert screen.choices.get_nowait() == "clock_out"
    assert screen.choices.empty()


class Screens(RuleBasedStateMachine):
    """Whatever comes in whatever order: an answer counts only for the question that stands there."""

    @initialize()
    def begin(self) -> None:
        """A loop of its own for the timers."""
        self.loop = asyncio.new_event_loop()
        self.screen = Screen()
        self.at_ms = 0
        self.numbers: list[int] = []

    def _on_loop(self, call: object) -> None:
        async def within() -> None:
            assert callable(call)
            call()

        self.loop.run_until_complete(within())

    @rule(state=st.sampled_from(sorted(STAYS_S)))
    def a_tap(self, state: State) -> None:
        """Something is shown."""
        self.at_ms += 1
        self._on_loop(lambda: self.screen.show(View(state, at_ms=self.at_ms)))
        assert (self.screen.view.state, self.screen.view.at_ms) == (state, self.at_ms)

    @rule(state=st.sampled_from(["idle", "starting", "reader_fault"]), waiting=st.integers(0, 3))
    def a_ground(self, state: State, waiting: int) -> None:
        """The ground changes."""
        before = self.screen.view
        self._on_loop(lambda: self.screen.ground(View(state, waiting=waiting)))
        view = self.screen.view
        assert view.waiting == waiting
        shown = before.state in STAYS_S
        assert view.state == (before.state if shown else state)
        if shown:
            assert replace(view, waiting=before.waiting) == before

    @rule()
    def time_is_over(self) -> None:
        """What was shown goes."""
        self._on_loop(self.screen.clear)
        assert self.screen.view.state not in STAYS_S

    @rule(back=st.integers(0, 3))
    def an_answer(self, back: int) -> None:
        """An answer to this view or one before it."""
        number = self.screen.view.number - back
        taken = self.screen.answer_question(number, "clock_out")
        assert taken == (back == 0 and self.screen.view.state == "question")
        if taken:
            assert self.screen.answers.get_nowait() == (number, "clock_out")
        assert self.screen.answers.empty()

    @invariant()
    def numbers_only_grow(self) -> None:
        """A view's number never comes again."""
        self.numbers.append(self.screen.view.number)
        assert self.numbers == sorted(self.numbers)

    def teardown(self) -> None:
        """The timers go with their loop."""
        if hasattr(self, "loop"):
            self.loop.close()


TestScreens = Screens.TestCase
TestScreens.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
