"""Comparisons of two sessions that a plan declares, and what each of them is to show. Part of the analysis plan."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from django.utils.translation import gettext

from readerstudy.errors import BadInput
from readerstudy.protocol.values import NumberBetween, OneOf, TextUpTo, WholeNumber

# Figures over readers and cases (MRMC).
FIGURES: Final = ("auc", "sensitivity", "specificity", "balanced_accuracy")
DIFFERENCE: Final = "difference"
NOT_LOWER: Final = "not_lower"
NOT_HIGHER: Final = "not_higher"
# That the figure changes; that the later session is not lower, or not higher, than the earlier one by the margin.
CLAIMS: Final = (DIFFERENCE, NOT_LOWER, NOT_HIGHER)
MOST_COMPARISONS: Final = 20


@dataclass(frozen=True)
class Comparison:
    """One figure over readers and images, compared between two sessions.

    `margin` and its `reason` belong to the claims of non-inferiority, which have both.
    """

    before: Annotated[int, WholeNumber(1, 99)]
    after: Annotated[int, WholeNumber(1, 99)]
    figure: Annotated[str, OneOf(FIGURES)] = "auc"
    claim: Annotated[str, OneOf(CLAIMS)] = DIFFERENCE
    margin: Annotated[float | None, NumberBetween(0, 0.5)] = None
    reason: Annotated[str | None, TextUpTo(500)] = None


def check_comparisons(
    comparisons: Sequence[Comparison], *, tested: Collection[Comparison], sessions: Collection[int], location: str
) -> None:
    """Raise BadInput, with the location, for comparisons that contradict themselves, each other or the sessions.

    `tested` are those that the plan makes anyway; `sessions` are the numbers of the sessions that ask for verdicts.
    """
    if len(comparisons) > MOST_COMPARISONS:
        raise BadInput(f"{location}: " + gettext("must be at most %(most)s comparisons.") % {"most": MOST_COMPARISONS})
    known = {_question(each) for each in tested}
    for number, each in enumerate(comparisons, start=1):
        place = f"{location} {number}"
        for name in ("before", "after"):
            check_session(getattr(each, name), sessions, location=f"{place} {name}")
        if each.before >= each.after:
            raise BadInput(f"{place} before: " + gettext("must be an earlier session than after."))
        _check_claim(each, place)
        if _question(each) in known:
            raise BadInput(f"{place}: " + gettext("the plan declares this comparison already."))
        known.add(_question(each))


def check_session(number: int, sessions: Collection[int], *, location: str) -> None:
    """Raise BadInput, with the location, unless the session asks for verdicts."""
    if number not in sessions:
        numbers = ", ".join(str(each) for each in sorted(sessions))
        raise BadInput(
            f"{location}: "
            + gettext("must be one of the sessions that ask for verdicts: %(numbers)s.") % {"numbers": numbers}
        )


def _check_claim(comparison: Comparison, place: str) -> None:
    if comparison.claim == DIFFERENCE:
        for name in ("margin", "reason"):
            if getattr(comparison, name) is not None:
                raise BadInput(f"{place} {name}: " + gettext("only a claim of non-inferiority has a margin."))
        return
    for name in ("margin", "reason"):
        if getattr(comparison, name) is None:
            raise BadInput(f"{place} {name}: " + gettext("a claim of non-inferiority has a margin and its reason."))


def _question(comparison: Comparison) -> tuple[int, int, str, str]:
    return (comparison.before, comparison.after, comparison.figure, comparison.claim)
