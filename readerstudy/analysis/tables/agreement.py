"""Table "agreement": agreement between readers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import (
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    CaseVerdicts,
    subset_kinds,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.agreement import Agreement, Coefficient, agreement_of_counts

COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")
_ORDINAL = [VERDICT_REAL, VERDICT_UNSURE, VERDICT_NOT_REAL]


@dataclass(frozen=True)
class JudgedImages:
    """Images of one kind with a verdict, in one session of one arm."""

    arm: str
    session: int
    subset: Subset
    cases: CaseVerdicts

    @property
    def subset_name(self) -> str:
        return _("real") if self.subset is Subset.REAL else _("adversarial")

    @property
    def agreement(self) -> Agreement | None:
        """The agreement of readers, or None if no image was read twice."""
        counts = self.cases.counts[:, _ORDINAL]
        return agreement_of_counts(counts) if (counts.sum(axis=1) > 1).any() else None


def judged_images(record: StudyRecord) -> Iterator[JudgedImages]:
    """Yield every arm, session and kind of image with verdicts."""
    cases = record.readings.cases
    for arm in record.arms:
        for session in sorted(set(cases.session[cases.arm == arm].tolist())):
            for subset in (Subset.REAL, Subset.ADVERSARIAL):
                mask = (cases.arm == arm) & (cases.session == session) & np.isin(cases.kind, subset_kinds(subset))
                if mask.any():
                    yield JudgedImages(arm, session, subset, cases.select(mask))


def agreement_table(record: StudyRecord) -> Table:
    """Return five coefficients of agreement per session and kind of image, for the readers of each arm."""
    several_arms = len(record.arms) > 1
    rows: list[tuple[Cell, ...]] = []
    sentences: list[str] = []
    has_single, has_constant = False, False
    for images in judged_images(record):
        agreement = images.agreement
        readers = _number_of_readers(record, images)
        head = (str(images.session), images.subset_name, images.arm, readers, len(images.cases.case))
        if agreement is None:
            has_single = True
            rows.append((*head, *(None for _name in COEFFICIENTS)))
            continue
        rows.append((*head, *(coefficient_cell(getattr(agreement, name)) for name in COEFFICIENTS)))
        sentence = _sentence(agreement, images)
        sentences.append(f"{images.arm}. {sentence}" if several_arms else sentence)
        has_constant |= agreement.fleiss_kappa.value is None
    single = _("A dash (—) in all columns means that no image was read by two readers.")
    constant = _("If all verdicts are equal, agreement beyond chance is undefined, and κ and α are not given (—).")
    return Table(
        key="agreement",
        title=_("Agreement between readers"),
        caption=_(
            # xgettext: no-python-format
            "Pairs that agree: the share of pairs of readers who give an image the same verdict. Fleiss’ κ, "
            "Krippendorff’s α (nominal, and ordinal with unsure between real and not real) and Gwet’s AC1 correct for "
            "chance agreement: 1 is perfect agreement, 0 is chance. Intervals are 95 %, over the images. Agreement is "
            "not accuracy: readers can agree and be wrong."
        ),
        columns=_columns(),
        rows=tuple(rows),
        notes=(
            *sentences,
            *([single] if has_single else []),
            *([constant] if has_constant else []),
            _("If nearly all verdicts are equal, κ and α are low although readers rarely differ; AC1 is not."),
        ),
        empty=_("There are no verdicts yet."),
    )


def _columns() -> tuple[Column, ...]:
    alpha = _("Krippendorff’s α")
    return (
        Column("session", _("Session")),
        Column("images_are", _("Images are")),
        Column("arm", _("Arm")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("percent", _("Pairs that agree"), Kind.ESTIMATE),
        Column("fleiss_kappa", _("Fleiss’ κ"), Kind.ESTIMATE),
        Column("alpha_nominal", _("nominal"), Kind.ESTIMATE, alpha),
        Column("alpha_ordinal", _("ordinal"), Kind.ESTIMATE, alpha),
        Column("ac1", _("Gwet’s AC1"), Kind.ESTIMATE),
    )


def _number_of_readers(record: StudyRecord, images: JudgedImages) -> int:
    """Return the number of the arm's readers with a verdict on such an image."""
    kinds = list(subset_kinds(images.subset))
    return sum(
        bool(record.readings.verdicts_of(reader, images.session)[kinds, :VERDICT_SEEN].any())
        for reader in record.readers_of_arm(images.arm)
    )


def coefficient_cell(coefficient: Coefficient) -> Cell:
    """Return the coefficient with its interval; without one if nothing varies, because its width would be zero."""
    if coefficient.value is None or not coefficient.se or coefficient.low is None or coefficient.high is None:
        return coefficient.value
    return Estimate(coefficient.value, coefficient.low, coefficient.high)


def _sentence(agreement: Agreement, images: JudgedImages) -> str:
    """Return percent agreement and κ in words."""
    percent, kappa = agreement.percent.value, agreement.fleiss_kappa.value
    values = {
        "session": images.session,
        "kind": images.subset_name,
        "percent": f"{100 * (percent or 0.0):.0f}",
    }
    if kappa is None:
        return _("Session %(session)s, %(kind)s: all readers give every image the same verdict.") % values
    sentence = _(
        "Session %(session)s, %(kind)s: two readers give an image the same verdict in %(percent)s of 100 cases; κ is "
        "%(kappa)s."
    )
    return sentence % {**values, "kappa": localise(f"{kappa:z.2f}")}
