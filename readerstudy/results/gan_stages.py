"""Why a stage of a GAN's training ended, as a value and in words."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never

Quantity = Literal["identity", "gap"]
Sense = Literal["below", "above"]


class StageEndKind(StrEnum):
    """How a stage came to its end."""

    MET = "criterion-met"
    NO_CRITERION = "no-criterion"  # its length was reached, as for all below
    BY_EPOCHS = "by-epochs"  # the run does not end stages by their criteria
    NOT_COUNTED = "not-counted"  # the criterion needs a trained discriminator, and the gap was never reached
    NOT_MET = "criterion-not-met"


@dataclass(frozen=True)
class Criterion:
    """A running mean that ends a stage when it is beyond `bound`."""

    quantity: Quantity
    sense: Sense
    bound: float


@dataclass(frozen=True)
class StageEndReason:
    """Why a stage ended. `criterion` is None for a stage without one, and if the run does not use criteria."""

    kind: StageEndKind
    criterion: Criterion | None = None


def stage_end_text(
    reason: StageEndReason, gettext: Callable[[str], str] = str, number: Callable[[str], str] = str
) -> str:
    """Return the reason as a phrase: in English, or as `gettext` translates it and `number` writes its number."""
    criterion = {"criterion": criterion_text(reason.criterion, gettext, number) if reason.criterion else ""}
    match reason.kind:
        case StageEndKind.MET:
            return gettext("criterion met: %(criterion)s") % criterion
        case StageEndKind.NO_CRITERION:
            return gettext("length reached (the stage has no criterion)")
        case StageEndKind.BY_EPOCHS:
            return gettext("length reached (stages end by their epochs in this run)")
        case StageEndKind.NOT_COUNTED:
            text = gettext("length reached (%(criterion)s did not count: the discriminator never reached its gap)")
            return text % criterion
        case StageEndKind.NOT_MET:
            return gettext("length reached without the criterion: %(criterion)s") % criterion
        case _:
            assert_never(reason.kind)


def criterion_text(
    criterion: Criterion, gettext: Callable[[str], str] = str, number: Callable[[str], str] = str
) -> str:
    """Return the criterion as "gap above 0.2", translated as `stage_end_text`."""
    bound = {"bound": number(str(criterion.bound))}
    match criterion.quantity, criterion.sense:
        case "identity", "below":
            return gettext("identity below %(bound)s") % bound
        case "identity", "above":
            return gettext("identity above %(bound)s") % bound
        case "gap", "below":
            return gettext("gap below %(bound)s") % bound
        case _:
            return gettext("gap above %(bound)s") % bound
