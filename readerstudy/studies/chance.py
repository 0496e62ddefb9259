"""The chance that decides the orders of one reader's lists.

It depends on the seed of the draw, which only `truth` can read. `truth` adds the source when the application starts;
nothing here or below it ever has the seed.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from readerstudy.studies.models import Study

Source = Callable[[Study, str], Random]
_SOURCES: Final[list[Source]] = []


def provide_chance(source: Source) -> None:
    """Have a function called with a drawn study and a purpose; it returns the same chance for both each time."""
    _SOURCES[:] = [source]


def chance_of_reader(study: Study, purpose: str) -> Random:
    """Return the chance that the draw has for this purpose, such as the order of one reader's list."""
    (source,) = _SOURCES
    return source(study, purpose)
