"""The five sessions and the verdicts as plain data (Zhou et al., 2021, Methods; METHOD §5 of our references)."""

from dataclasses import dataclass, replace
from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from readerstudy.vocabulary import Split


class Verdict(models.TextChoices):
    REAL = "real", _("Real")
    NOT_REAL = "not_real", _("Not real")
    UNSURE = "unsure", _("Unsure")
    # In sessions without questions (familiarisation, education) the reader only continues.
    SEEN = "seen", _("Seen")


class SessionKind(models.TextChoices):
    FAMILIARISATION = "familiarisation", _("Familiarisation")
    BLINDED = "blinded", _("Blinded reading")
    EDUCATION = "education", _("Education")
    QUESTIONNAIRE = "questionnaire", _("Questionnaire")


VERDICTS_BY_KIND: Final = {
    SessionKind.FAMILIARISATION: (Verdict.SEEN,),
    SessionKind.BLINDED: (Verdict.REAL, Verdict.NOT_REAL, Verdict.UNSURE),
    SessionKind.EDUCATION: (Verdict.SEEN,),
    SessionKind.QUESTIONNAIRE: (),
}


@dataclass(frozen=True)
class SessionTemplate:
    """One session of the protocol: the numbers of images of each kind, and the splits to draw from.

    Its instructions are those of the cohort's modality for its kind.
    """

    number: int
    kind: SessionKind
    title: str | Promise
    real: int
    adversarial: int
    splits: tuple[str, ...]
    # An educational session shows each image with its adversarial version; elsewhere an image is shown once.
    shows_pairs: bool = False
    # Share of positive images; None: as in the splits.
    positive_share: float | None = None
    # Images of a block with the session's share of adversarial images; 0: none.
    block_size: int = 0
    # Images that are shown a second time: those of an earlier session, or of this one (0) so many positions later.
    repeats: int = 0
    repeat_of: int = 0
    repeat_distance: int = 0
    # The session whose images it shows, under another condition; 0: it draws its own.
    images_of: int = 0

    def scaled(self, scale: float) -> "SessionTemplate":
        """Return the session with fewer images: equal numbers stay equal, and no number becomes 0."""
        return replace(self, real=_scaled(self.real, scale), adversarial=_scaled(self.adversarial, scale))

    @property
    def total(self) -> int:
        return self.real + self.adversarial


def _scaled(count: int, scale: float) -> int:
    # At least two, so that both pathologies can be drawn.
    return max(2, round(count * scale)) if count else 0


_TRAIN = (Split.TRAIN.value,)
_HELD_OUT = (Split.TUNING.value, Split.TEST.value)

ZHOU2021: Final = (
    SessionTemplate(
        1,
        SessionKind.FAMILIARISATION,
        _("Familiarisation"),
        real=100,
        adversarial=0,
        splits=_TRAIN,
    ),
    SessionTemplate(
        2,
        SessionKind.BLINDED,
        _("Reading A"),
        real=100,
        adversarial=0,
        splits=_TRAIN,
    ),
    SessionTemplate(
        3,
        SessionKind.BLINDED,
        _("Reading B"),
        real=218,
        adversarial=218,
        splits=_HELD_OUT,
    ),
    SessionTemplate(
        4,
        SessionKind.EDUCATION,
        _("Education"),
        real=100,
        adversarial=0,
        splits=_TRAIN,
        shows_pairs=True,
    ),
    SessionTemplate(
        5,
        SessionKind.BLINDED,
        _("Reading C"),
        real=220,
        adversarial=220,
        splits=_HELD_OUT,
    ),
)

# The same sessions with a tenth of the images, for a pilot.
SHORT: Final = tuple(session.scaled(0.1) for session in ZHOU2021)

TEMPLATES: Final = {"zhou2021": ZHOU2021, "short": SHORT}
