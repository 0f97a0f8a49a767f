"""What a survey came to (rule): how often each choice was taken, and what was written."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from wire.shelf import Question

Answers = Sequence[Sequence[str]]


class Bar(msgspec.Struct, frozen=True):
    """A choice, how many took it, and that as tenths of a percent of those who answered the question."""

    choice: str
    n: int
    permille: int


class Result(msgspec.Struct, frozen=True):
    """A question: how many answered it, its choices in their order, and words of residents' own."""

    question: Question
    answered: int
    bars: tuple[Bar, ...] = ()
    words: tuple[str, ...] = ()


def results(questions: Sequence[Question], given: Sequence[Answers]) -> tuple[Result, ...]:
    """Question by question. An answer that is none of the choices is counted apart, under its own words."""
    return tuple(_result(question, [_of(answers, n) for answers in given]) for n, question in enumerate(questions))


def _of(answers: Answers, n: int) -> Sequence[str]:
    return answers[n] if n < len(answers) else ()


def _result(question: Question, taken: Sequence[Sequence[str]]) -> Result:
    said = [[word for word in words if word.strip()] for words in taken]
    answered = sum(bool(words) for words in said)
    if question.way == "words":
        return Result(question, answered, words=tuple(word for words in said for word in words))
    # Whoever names a choice twice takes it once.
    counted = Counter(word for words in said for word in dict.fromkeys(words))
    bars = [Bar(choice, counted.pop(choice, 0), 0) for choice in question.choices]
    bars += [Bar(choice, n, 0) for choice, n in sorted(counted.items())]
    return Result(question, answered, tuple(Bar(one.choice, one.n, _permille(one.n, answered)) for one in bars))


def _permille(n: int, of: int) -> int:
    return (2000 * n + of) // (2 * of) if of else 0


def table(questions: Sequence[Question]) -> list[str]:
    """The heads of a file's columns, one a question."""
    return [f"{n}. {question.text}" for n, question in enumerate(questions, 1)]


def cells(questions: Sequence[Question], answers: Answers) -> list[str]:
    """A row of it: several choices stand behind one another."""
    return [" / ".join(_of(answers, n)) for n, _ in enumerate(questions)]
