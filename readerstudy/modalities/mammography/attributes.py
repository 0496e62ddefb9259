"""Side, view and chest wall of a mammogram, and how it hangs."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from readerstudy.errors import Sentence
from readerstudy.sources.vocabulary import Attribute, WrongValue


class ChestWall(StrEnum):
    """The border of an image at which the breast ends in a straight line."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = ""


class Laterality(StrEnum):
    """The side of the body."""

    LEFT = "L"
    RIGHT = "R"
    UNKNOWN = ""


class View(StrEnum):
    """The two views of a standard exam. Sources can have others of `VIEWS`, which are stored as text."""

    CC = "CC"
    MLO = "MLO"


_LATERALITIES: Final[dict[str, Laterality]] = {
    "": Laterality.UNKNOWN,
    **dict.fromkeys(("l", "left", "links", "gauche", "izquierda"), Laterality.LEFT),
    **dict.fromkeys(("r", "right", "rechts", "droite", "derecha"), Laterality.RIGHT),
}
_VIEWS: Final[dict[str, str]] = {
    **dict.fromkeys(("CRANIOCAUDAL", "CRANIO-CAUDAL"), "CC"),
    **dict.fromkeys(("MEDIOLATERAL OBLIQUE", "MEDIO-LATERAL OBLIQUE", "OBLIQUE"), "MLO"),
}
# The abbreviations that DICOM PS3.16 gives to the views of context group 4014, View for Mammography, with one of an
# earlier version ("XCC"), and to the modifiers of group 4015 that stand in place of a view (axillary tail, cleavage,
# tangential). Free text could name a person, so nothing else is stored.
VIEWS: Final = ("CC", "MLO", "ML", "LM", "LMO", "FB", "SIO", "ISO", "XCC", "XCCL", "XCCM", "AT", "CV", "TAN")
_USUAL_CHEST_WALL: Final[Mapping[str, ChestWall]] = {
    Laterality.RIGHT: ChestWall.RIGHT,
    Laterality.LEFT: ChestWall.LEFT,
}


def hangs_mirrored(attributes: Mapping[str, str]) -> bool:
    """Return whether the image is displayed mirrored, with the chest wall of a right breast at the right.

    False if the side or the chest wall is unknown.
    """
    usual, chest_wall = _USUAL_CHEST_WALL.get(attributes.get("laterality", "")), attributes.get("chest_wall", "")
    return bool(usual and chest_wall and usual != chest_wall)


def _read_laterality(text: str) -> str:
    if text.lower() not in _LATERALITIES:
        raise WrongValue(
            Sentence(gettext_noop("has the laterality %(text)s; L and R are understood."), text=repr(text))
        )
    return _LATERALITIES[text.lower()].value


def _read_view(text: str) -> str:
    view = _VIEWS.get(text.upper(), text.upper())
    if view and view not in VIEWS:
        message = gettext_noop("has the view %(text)s; %(views)s are understood.")
        raise WrongValue(Sentence(message, text=repr(text), views=", ".join(VIEWS)))
    return view


LATERALITY: Final = Attribute(
    name="laterality",
    title=_("laterality"),
    column="laterality",
    columns=("laterality", "side", "image_laterality"),
    read=_read_laterality,
)
VIEW_POSITION: Final = Attribute(
    name="view_position",
    title=_("view"),
    column="view",
    columns=("view", "view_position"),
    read=_read_view,
)
# Measured on the real image at import. Adversarial stimuli refer to the same row.
CHEST_WALL: Final = Attribute(
    name="chest_wall",
    title=_("chest wall"),
    labels={ChestWall.LEFT: _("Left border"), ChestWall.RIGHT: _("Right border")},
    is_exported=False,
)
ATTRIBUTES: Final = (LATERALITY, VIEW_POSITION, CHEST_WALL)
