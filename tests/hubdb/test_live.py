"""Pages hear of every change, late ones of several as one."""

import asyncio

import pytest

from hub.live import Change, Live, TooManyListeners


def test_what_a_slow_listener_missed_comes_as_one() -> None:
    async def work() -> None:
        live = Live()
        live.tell(Change(frozenset({"early"})))
        with live.listen() as changes:
            live.tell(Change(frozenset({"a"}), at_ms=5))
            live.tell(Change(frozenset({"b"}), taps=True, at_ms=3))
            assert await changes.next() == Change(frozenset({"a", "b"}), True, 5)
            assert await changes.next(0.01) is None
            asyncio.get_running_loop().call_later(0.01, live.tell, Change(frozenset({"c"})))
            async for change in changes:
                assert change.devices == {"c"}
                break
        assert live.listeners == 0

    asyncio.run(work())


def test_a_pause_gathers() -> None:
    async def work() -> None:
        live = Live()
        with live.listen(0.2) as changes:
            live.tell(Change(frozenset({"a"})))
            asyncio.get_running_loop().call_later(0.01, live.tell, Change(frozenset({"b"})))
            assert await changes.next() == Change(frozenset({"a", "b"}))

    asyncio.run(work())


def test_listeners_are_bounded() -> None:
    live = Live(limit=1)
    with live.listen():
        with pytest.raises(TooManyListeners), live.listen():
            pass
        assert live.listeners == 1
    assert live.listeners == 0
