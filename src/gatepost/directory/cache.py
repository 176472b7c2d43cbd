"""A bounded memory of answers: the longest unused one goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """At most `bound` answers by their question."""

    __slots__ = ("_answers", "_bound")

    def __init__(self, bound: int) -> None:
        self._bound: Final = bound
        self._answers: OrderedDict[K, V] = OrderedDict()

    def get(self, question: K) -> V | None:
        answer = self._answers.get(question)
        if answer is not None:
            self._answers.move_to_end(question)
        return answer

    def put(self, question: K, answer: V) -> None:
        self._answers[question] = answer
        self._answers.move_to_end(question)
        if len(self._answers) > self._bound:
            self._answers.popitem(last=False)

    def forget(self, question: K) -> None:
        self._answers.pop(question, None)

    def clear(self) -> None:
        self._answers.clear()

    def answers(self) -> Iterable[V]:
        return self._answers.values()

    def __len__(self) -> int:
        return len(self._answers)
