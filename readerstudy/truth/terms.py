"""Terms and labels of the truth. They say nothing about any image, so other packages may import them."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.vocabulary import Direction, Pathology

# For lists over several modalities; a cohort's modality has its own words.
PATHOLOGY_LABELS: Final = {
    Pathology.POSITIVE: _("With the finding"),
    Pathology.OTHER: _("With another finding"),
    Pathology.NORMAL: _("Normal"),
}
LONGEST_LINE: Final = 160  # characters of a line under a triptych
DIRECTION_LABELS: Final = {
    Direction.INSERT: _("Altered so that the AI sees the finding"),
    Direction.REMOVE: _("Altered so that the AI does not see the finding"),
}


class Authenticity(models.TextChoices):
    """The first truth of an image: as it was acquired, or made by an attack."""

    REAL = "real", _("Real")
    ADVERSARIAL = "adversarial", _("Adversarial")
