"""What a benchmark is: sides that are measured in turn, and claims about the medians of what was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

# One side's figures by name; units stand in the names (`rows_s`, `p99_ms`, `rss_mb`).
Measured = dict[str, float]
Medians = Mapping[str, Mapping[str, float]]


class NotHere(Exception):
    """A side cannot run on this machine; the text is the reason, in one line."""


@dataclass(frozen=True)
class Place:
    """Where one measurement runs: a folder of its own, one that lasts through all rounds, and how long it may take."""

    fresh: Path
    kept: Path
    quick: bool = False

    def size(self, whole: int, quick: int) -> int:
        """How much work to do."""
        return quick if self.quick else whole


@dataclass(frozen=True)
class Side:
    """One of those that are compared."""

    name: str
    measure: Callable[[Place], Measured]


@dataclass(frozen=True)
class Claim:
    """A figure made of the medians, and what it should be.  `needs` names the sides that it is about."""

    what: str
    value: Callable[[Medians], float]
    bound: Literal["at least", "at most"]
    goal: float
    needs: tuple[str, ...]
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether the figure is what it should be."""
        return value >= self.goal if self.bound == "at least" else value <= self.goal


@dataclass(frozen=True)
class Benchmark:
    """One question.  Its sides are measured in turn, `rounds` times."""

    title: str
    about: str
    sides: tuple[Side, ...]
    claims: tuple[Claim, ...]
    rounds: int = 5


def medians(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
