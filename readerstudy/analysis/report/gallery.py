"""The images that fooled most readers and fewest, and the real ones that were mistrusted: chosen, then hung.

It shows the truth about images of the cohort, so it is for researchers of an unsealed study and for nobody else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.queries.study import StillSealed
from readerstudy.analysis.record.codes import POSITIVE, Subset
from readerstudy.analysis.record.counts import KINDS, VERDICT_NOT_REAL, VERDICT_REAL, VERDICT_UNSURE, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.gallery_pictures import Thumbnail, pair_thumbnails, single_thumbnail
from readerstudy.studies.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Study, StudyStatus
from readerstudy.truth.models import Direction, ImageTruth, Pathology, Truth

_FOOLING = 6  # adversarial images from either end
_MISTRUSTED = 3  # real images


class Reason(StrEnum):
    """Why an image hangs in the gallery."""

    FOOLED_MOST = "fooled_most"
    FOOLED_FEWEST = "fooled_fewest"
    MISTRUSTED = "mistrusted"


@dataclass(frozen=True)
class Exhibit:
    """One image in one session of one arm; `kind` is the place in KINDS, `case` the key of the image's truth."""

    case: int
    session: int
    arm: str
    kind: int
    called_real: int
    called_not_real: int
    unsure: int
    reason: Reason

    @property
    def verdicts(self) -> int:
        return self.called_real + self.called_not_real + self.unsure

    @property
    def is_adversarial(self) -> bool:
        return self.kind in subset_kinds(Subset.ADVERSARIAL)

    @property
    def is_positive(self) -> bool:
        """Whether the woman has cancer, whatever the image now looks like."""
        return KINDS[self.kind][1] == POSITIVE

    @property
    def mistaken(self) -> int:
        """Verdicts that name the wrong one; "unsure" names none."""
        return self.called_real if self.is_adversarial else self.called_not_real


@dataclass(frozen=True)
class Hung:
    """An exhibit with its pictures, and the words below them."""

    exhibit: Exhibit
    pictures: tuple[Thumbnail, ...]
    label: str
    sentence: str


@dataclass(frozen=True)
class Gallery:
    """An item of a section, beside tables and pictures."""

    title: str
    caption: str
    exhibits: tuple[Hung, ...]
    key: str = "gallery"

    @property
    def kind(self) -> str:
        """What a template asks an item of a section."""
        return "gallery"

    @property
    def empty(self) -> str:
        return _("Nobody has judged an adversarial image in these sessions, and no real one was called not real.")

    @property
    def groups(self) -> tuple[tuple[str, tuple[Hung, ...]], ...]:
        """Heading and exhibits of each reason that has any."""
        headings = {
            Reason.FOOLED_MOST: _("Adversarial images that fooled the most readers"),
            Reason.FOOLED_FEWEST: _("Adversarial images that fooled the fewest readers"),
            Reason.MISTRUSTED: _("Real images that were mistrusted most"),
        }
        hung = ((title, self._of(reason)) for reason, title in headings.items())
        return tuple((title, exhibits) for title, exhibits in hung if exhibits)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: which images, and what was said of them; no pixels."""
        return {
            "title": self.title,
            "exhibits": [
                {"label": one.label, "sentence": one.sentence, **_numbers(one.exhibit)} for one in self.exhibits
            ],
        }

    def _of(self, reason: Reason) -> tuple[Hung, ...]:
        return tuple(one for one in self.exhibits if one.exhibit.reason is reason)


def choose(record: StudyRecord, plan: AnalysisPlan) -> tuple[Exhibit, ...]:
    """Six adversarial images from either end and up to three real ones, from the plan's two sessions.

    Ordered by the share of all verdicts that was mistaken; among equals the image with more verdicts goes first,
    then the lower number. No image hangs twice: of fewer than twelve each end has half.
    """
    fakes = sorted(_judged(record, plan, Subset.ADVERSARIAL, Reason.FOOLED_MOST), key=_most_mistaken)
    ends = min(_FOOLING, (len(fakes) + 1) // 2)
    # Not simply from behind: among equals the order is the same at both ends.
    others = {one.case for one in fakes[:ends]}
    fewest = _judged(record, plan, Subset.ADVERSARIAL, Reason.FOOLED_FEWEST)
    fewest = sorted((one for one in fewest if one.case not in others), key=_least_mistaken)
    real = (one for one in _judged(record, plan, Subset.REAL, Reason.MISTRUSTED) if one.mistaken)
    return (*fakes[:ends], *fewest[:_FOOLING], *sorted(real, key=_most_mistaken)[:_MISTRUSTED])


def _judged(record: StudyRecord, plan: AnalysisPlan, subset: Subset, reason: Reason) -> Sequence[Exhibit]:
    cases = record.readings.cases
    kept = np.isin(cases.session, (plan.before, plan.after)) & np.isin(cases.kind, subset_kinds(subset))
    own = cases.select(kept)
    rows = zip(
        own.case.tolist(), own.session.tolist(), own.arm.tolist(), own.kind.tolist(), own.counts.tolist(), strict=True
    )
    return [
        Exhibit(
            case, session, arm, kind, counts[VERDICT_REAL], counts[VERDICT_NOT_REAL], counts[VERDICT_UNSURE], reason
        )
        for case, session, arm, kind, counts in rows
    ]


def _most_mistaken(one: Exhibit) -> tuple[float, int, int]:
    return -one.mistaken / one.verdicts, -one.verdicts, one.case


def _least_mistaken(one: Exhibit) -> tuple[float, int, int]:
    return one.mistaken / one.verdicts, -one.verdicts, one.case


def exhibits(study: Study, chosen: Sequence[Exhibit]) -> Gallery:
    """The chosen images with small pictures of the stored files. Raises StillSealed before the unsealing.

    A picture that is missing or damaged is replaced by a sentence.
    """
    if study.status != StudyStatus.UNSEALED and not study.is_rehearsal:
        raise StillSealed(study)
    hang = _hanging([one.case for one in chosen], several=study.arms.count() > 1)
    caption = _(
        "From the two sessions that the plan compares. Each adversarial image hangs beside the film that it was made "
        "from and their difference: grey where nothing changed, brighter where light was taken away, darker where it "
        "was added. The pictures are small and their contrast is set within the breast, so they are no basis for a "
        "reading. Those at either end of many are there partly by chance."
    )
    return Gallery(_("The images that fooled the most readers, and the fewest"), caption, tuple(map(hang, chosen)))


def _hanging(cases: Sequence[int], *, several: bool) -> Callable[[Exhibit], Hung]:
    """Return what hangs one exhibit, with everything that the database has about these cases read at once."""
    truths = Truth.objects.select_related("stimulus__image", "parent").in_bulk(cases)
    images = [truth.stimulus.image_id for truth in truths.values()]
    pathologies = dict(ImageTruth.objects.filter(image__in=images).values_list("image_id", "pathology"))

    def hang(one: Exhibit) -> Hung:
        truth = truths[one.case]
        stimulus = truth.stimulus
        label = _label(one, pathologies[stimulus.image_id], truth.direction)
        sentence = _sentence(one, several=several)
        words = f"{label}. {sentence}"
        pictures = (
            pair_thumbnails(stimulus, truth.parent, number=one.case, words=words)
            if truth.parent is not None
            else (single_thumbnail(stimulus, words=words),)
        )
        return Hung(one, pictures, label, sentence)

    return hang


def _label(one: Exhibit, pathology: str, direction: str) -> str:
    kind = _("adversarial") if one.is_adversarial else _("real")
    words = _("Stimulus %(number)s, %(kind)s; the woman’s own pathology: %(pathology)s")
    names = {"number": one.case, "kind": kind, "pathology": str(Pathology(pathology).label)}
    what = str(Direction(direction).label) if direction else ""
    return f"{words % names} ({what})" if what else words % names


def _sentence(one: Exhibit, *, several: bool) -> str:
    words = _(
        "Session %(session)s: of %(verdicts)s readers %(real)s called it real, %(not_real)s not real, "
        "%(unsure)s unsure."
    )
    if several:
        words = _(
            "Session %(session)s, arm %(arm)s: of %(verdicts)s readers %(real)s called it real, %(not_real)s not real, "
            "%(unsure)s unsure."
        )
    counts = {"real": one.called_real, "not_real": one.called_not_real, "unsure": one.unsure}
    return words % {"session": one.session, "arm": one.arm, "verdicts": one.verdicts, **counts}


def _numbers(one: Exhibit) -> dict[str, Any]:
    counts = {"called_real": one.called_real, "called_not_real": one.called_not_real, "unsure": one.unsure}
    return {"stimulus": one.case, "session": one.session, "arm": one.arm, "reason": one.reason.value, **counts}
