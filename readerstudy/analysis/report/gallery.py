"""The gallery: images that misled most and fewest readers, with their thumbnails.

It shows the truth about images of the cohort, so it is only for researchers of an unsealed study.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import POSITIVE, Subset
from readerstudy.analysis.record.counts import KINDS, VERDICT_NOT_REAL, VERDICT_REAL, VERDICT_UNSURE, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.gallery_pictures import Thumbnail, pair_thumbnails, single_thumbnail
from readerstudy.modalities.modality import Modality
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Study
from readerstudy.truth.queries import ShownCase, shown_cases
from readerstudy.truth.seal import require_unsealed

_MOST_ADVERSARIAL = 6  # at each end
_MOST_REAL = 3


class Reason(StrEnum):
    """Why an image is in the gallery."""

    FOOLED_MOST = "fooled_most"
    FOOLED_FEWEST = "fooled_fewest"
    MISTRUSTED = "mistrusted"


@dataclass(frozen=True)
class JudgedImage:
    """Verdicts on one image in one session of one arm. `kind` is the index in KINDS, `case` the key of its truth."""

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
        """Whether the patient's own pathology is positive, whatever the image looks like now."""
        return KINDS[self.kind][1] == POSITIVE

    @property
    def wrong(self) -> int:
        """The number of wrong verdicts; "unsure" is not wrong here."""
        return self.called_real if self.is_adversarial else self.called_not_real


@dataclass(frozen=True)
class GalleryEntry:
    """A gallery image with its thumbnails and texts."""

    image: JudgedImage
    pictures: tuple[Thumbnail, ...]
    label: str
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return the texts and numbers for JSON, without pixels."""
        image = self.image
        return {
            "label": self.label,
            "sentence": self.sentence,
            "stimulus": image.case,
            "session": image.session,
            "arm": image.arm,
            "reason": image.reason.value,
            "called_real": image.called_real,
            "called_not_real": image.called_not_real,
            "unsure": image.unsure,
        }


@dataclass(frozen=True)
class ReportGallery:
    """The gallery as an item of a section."""

    title: str
    caption: str
    entries: tuple[GalleryEntry, ...]
    key: str = "gallery"

    @property
    def kind(self) -> str:
        """The kind of item of a section, for templates."""
        return "gallery"

    @property
    def empty(self) -> str:
        return _(
            "There are no verdicts on adversarial images in these sessions, and no real image was called not real."
        )

    @property
    def groups(self) -> Iterator[tuple[str, list[GalleryEntry]]]:
        """Heading and entries of each reason that has any."""
        headings = {
            Reason.FOOLED_MOST: _("Adversarial images that misled the most readers"),
            Reason.FOOLED_FEWEST: _("Adversarial images that misled the fewest readers"),
            Reason.MISTRUSTED: _("Real images called not real most often"),
        }
        for reason, heading in headings.items():
            entries = [entry for entry in self.entries if entry.image.reason is reason]
            if entries:
                yield heading, entries

    def as_dict(self) -> dict[str, Any]:
        """Return the gallery for JSON, without pixels."""
        return {"title": self.title, "images": [entry.as_dict() for entry in self.entries]}


def choose_images(record: StudyRecord, plan: AnalysisPlan) -> tuple[JudgedImage, ...]:
    """Return up to six adversarial images from each end and up to three real ones, from the plan's two sessions.

    Images are ordered by the share of wrong verdicts; ties are broken by more verdicts, then by the lower case. No
    image appears twice: with fewer than twelve images, each end has half.
    """
    most = _once(sorted(_judged_images(record, plan, Subset.ADVERSARIAL, Reason.FOOLED_MOST), key=_most_wrong))
    count = min(_MOST_ADVERSARIAL, (len(most) + 1) // 2)
    # The other end is not the reverse of this order, because ties are broken in the same way at both ends.
    used = {image.case for image in most[:count]}
    fewest = _judged_images(record, plan, Subset.ADVERSARIAL, Reason.FOOLED_FEWEST)
    fewest = _once(sorted((image for image in fewest if image.case not in used), key=_fewest_wrong))
    real = (image for image in _judged_images(record, plan, Subset.REAL, Reason.MISTRUSTED) if image.wrong)
    return (*most[:count], *fewest[:_MOST_ADVERSARIAL], *_once(sorted(real, key=_most_wrong))[:_MOST_REAL])


def _once(images: Iterable[JudgedImage]) -> list[JudgedImage]:
    """Return the first of each case and arm: an image that both sessions show is in the gallery once."""
    first: dict[tuple[int, str], JudgedImage] = {}
    for image in images:
        first.setdefault((image.case, image.arm), image)
    return list(first.values())


def _judged_images(record: StudyRecord, plan: AnalysisPlan, subset: Subset, reason: Reason) -> Sequence[JudgedImage]:
    cases = record.readings.cases
    own = cases.select(np.isin(cases.session, (plan.before, plan.after)) & np.isin(cases.kind, subset_kinds(subset)))
    columns = (own.case, own.session, own.arm, own.kind, own.counts)
    return [
        JudgedImage(
            case=case,
            session=session,
            arm=arm,
            kind=kind,
            called_real=counts[VERDICT_REAL],
            called_not_real=counts[VERDICT_NOT_REAL],
            unsure=counts[VERDICT_UNSURE],
            reason=reason,
        )
        for case, session, arm, kind, counts in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _most_wrong(image: JudgedImage) -> tuple[float, int, int]:
    return -image.wrong / image.verdicts, -image.verdicts, image.case


def _fewest_wrong(image: JudgedImage) -> tuple[float, int, int]:
    return image.wrong / image.verdicts, -image.verdicts, image.case


def build_gallery(study: Study, images: Sequence[JudgedImage]) -> ReportGallery:
    """Return the gallery with thumbnails of the stored files. Raises StillSealed before the unsealing.

    A missing or damaged file is replaced by a message.
    """
    require_unsealed(study)
    caption = str(study.cohort.modality.words.report.small_images)
    return ReportGallery(_("Images that misled the most and the fewest readers"), caption, _entries(study, images))


def _entries(study: Study, images: Sequence[JudgedImage]) -> tuple[GalleryEntry, ...]:
    several_arms, modality = study.arms.count() > 1, study.cohort.modality
    cases = shown_cases(study, [image.case for image in images])
    entries = []
    for image in images:
        case = cases[image.case]
        label = _label(image, case, modality)
        sentence = _sentence(image, several_arms=several_arms)
        entries.append(GalleryEntry(image, _thumbnails(case, image, modality, f"{label}. {sentence}"), label, sentence))
    return tuple(entries)


def _thumbnails(case: ShownCase, image: JudgedImage, modality: Modality, description: str) -> tuple[Thumbnail, ...]:
    if case.source is None:
        return (single_thumbnail(case.stimulus, modality, words=description),)
    return pair_thumbnails(case.stimulus, case.source, modality, number=image.case, words=description)


def _label(image: JudgedImage, case: ShownCase, modality: Modality) -> str:
    if image.is_adversarial and case.source is None:
        return _("Stimulus %(number)s, synthetic; the pathology that it shows: %(pathology)s") % {
            "number": image.case,
            "pathology": str(modality.findings[case.pathology].label),
        }
    kind = _("adversarial") if image.is_adversarial else _("real")
    label = _("Stimulus %(number)s, %(kind)s; the patient’s own pathology: %(pathology)s") % {
        "number": image.case,
        "kind": kind,
        "pathology": str(modality.findings[case.pathology].label),
    }
    if not case.direction:
        return label
    altered = str(modality.words.lab.direction(case.direction))
    return f"{label} ({altered[:1].lower()}{altered[1:]})"


def _sentence(image: JudgedImage, *, several_arms: bool) -> str:
    sentence = _(
        "Session %(session)s: of %(verdicts)s readers, %(real)s called it real, %(not_real)s not real, %(unsure)s "
        "unsure."
    )
    if several_arms:
        sentence = _(
            "Session %(session)s, arm %(arm)s: of %(verdicts)s readers, %(real)s called it real, %(not_real)s not "
            "real, %(unsure)s unsure."
        )
    return sentence % {
        "session": image.session,
        "arm": image.arm,
        "verdicts": image.verdicts,
        "real": image.called_real,
        "not_real": image.called_not_real,
        "unsure": image.unsure,
    }
