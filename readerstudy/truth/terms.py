"""Terms and labels of the truth. They say nothing about any image, so other packages may import them."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.vocabulary import Direction, Pathology

PATHOLOGY_LABELS: Final = {
    Pathology.MALIGNANT: _("Malignant"),
    Pathology.BENIGN: _("Benign"),
    Pathology.NORMAL: _("Normal"),
}
DIRECTION_LABELS: Final = {Direction.INSERT: _("Cancer inserted"), Direction.REMOVE: _("Cancer removed")}


class Authenticity(models.TextChoices):
    """The first truth of an image: as it was acquired, or made by an attack."""

    REAL = "real", _("Real")
    ADVERSARIAL = "adversarial", _("Adversarial")
