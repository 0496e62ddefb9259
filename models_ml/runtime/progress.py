"""How training tells the world where it is."""

from typing import Protocol


class Report(Protocol):
    """Called after every step: how many of how many, a sentence, and the numbers behind it."""

    def __call__(self, done: int, total: int, text: str, values: dict[str, float], /) -> None: ...


def silent(done: int, total: int, text: str, values: dict[str, float], /) -> None:
    """Report nothing."""
