"""The modalities, each in a folder of its own. To add one, write its folder and a line here."""

from typing import Final

from readerstudy.errors import BadInput
from readerstudy.modalities.chest_radiography.modality import CHEST_RADIOGRAPHY
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.modalities.modality import Modality, Text

MODALITIES: Final = {modality.code: modality for modality in (MAMMOGRAPHY, CHEST_RADIOGRAPHY)}
DEFAULT: Final = MAMMOGRAPHY  # the article's


def get_modality(code: str) -> Modality:
    """Return the modality of that code. Raises BadInput, which lists those that there are."""
    if code not in MODALITIES:
        raise BadInput(f"There is no modality {code!r}; there are: {', '.join(MODALITIES)}.")
    return MODALITIES[code]


def find_modality(text: str) -> Modality:
    """Return the modality that a person means, in lower or upper case. Raises BadInput, as `get_modality`."""
    return get_modality(next((code for code in MODALITIES if code.lower() == text.lower()), text))


def subgroup_titles() -> dict[str, Text]:
    """Return the title of every subgroup of an evaluation by its name in results, over all modalities."""
    return {part.name: part.title for modality in MODALITIES.values() for part in modality.subgroups}


def layout_labels() -> dict[str, Text]:
    """Return the label of every stored size by its name, over all modalities."""
    return {name: layout.label for modality in MODALITIES.values() for name, layout in modality.layouts.items()}


def modality_choices() -> list[tuple[str, str]]:
    """Return code and title of every modality, as fields of models and forms take them."""
    return [(modality.code, str(modality.title)) for modality in MODALITIES.values()]
