"""What many ask for in the same moment is done in one go: a process of nft or tc for all of them, as a group commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Joined(Generic[Asked, Given]):
    """Collects what is asked while the last lot is being done; then does all of it.

    `carry_out` gives one answer for each that was asked, in order. When it fails for several, each is tried alone, so
    that one bad request is the failure of one.
    """

    def __init__(self, carry_out: Callable[[Sequence[Asked]], Awaitable[Sequence[Given]]]) -> None:
        self._carry_out = carry_out
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Given:
        """The answer to this one. Raises what `carry_out` raised for it."""
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="joined")
        return await future

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                await self._do(taken)
            finally:
                for _, future in taken:
                    future.cancel()

    async def _do(self, taken: Sequence[tuple[Asked, "asyncio.Future[Given]"]]) -> None:
        try:
            given = await self._carry_out([asked for asked, _ in taken])
        except Exception as error:  # noqa: BLE001 (it is the asker's, who gets it)
            if len(taken) == 1:
                _fail(taken[0][1], error)
                return
            for one in taken:
                await self._do([one])
            return
        for (_, future), answer in zip(taken, given, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: "asyncio.Future[Given]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
