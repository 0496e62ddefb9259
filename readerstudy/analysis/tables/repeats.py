"""Tables "intra_reader" and "repeat_detection": agreement of readers with themselves on images shown twice."""

from collections.abc import Iterator

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.answers import ReaderRepeats
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.agreement import coefficient_cell
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.agreement import VERDICTS, repeat_agreement
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.signal_detection import repeat_detection
from readerstudy.statistics.unsure import Unsure

_UNSURE, _NOT_REAL = VERDICTS.index("unsure"), VERDICTS.index("not_real")


def intra_reader_table(record: StudyRecord) -> Table | None:
    """Return agreement per reader and session with repeats; None if no image was read twice by a reader."""
    if not record.repeats:
        return None
    return Table(
        key="intra_reader",
        title=_("Agreement of readers with themselves"),
        caption=_(
            # xgettext: no-python-format
            "Images that the reader was shown twice, under two codes. Cohen’s κ and Gwet’s AC1 correct for chance "
            "agreement. Intervals are 95 %, over the images. Only the first reading of an image counts in every other "
            "table."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("first_session", _("First shown in session")),
            Column("session", _("Shown again in session")),
            Column("images", _("Images"), Kind.COUNT),
            Column("percent", _("Same verdict"), Kind.ESTIMATE),
            Column("cohen_kappa", _("Cohen’s κ"), Kind.ESTIMATE),
            Column("gwet_ac1", _("Gwet’s AC1"), Kind.ESTIMATE),
        ),
        rows=tuple(_row(each) for each in record.repeats),
        notes=(_("A dash (—) means that all verdicts are equal: agreement beyond chance is undefined then."),),
    )


def _row(each: ReaderRepeats) -> tuple[Cell, ...]:
    agreement = repeat_agreement(each.verdicts)
    coefficients = (agreement.percent, agreement.cohen_kappa, agreement.gwet_ac1)
    return (
        each.reader,
        str(each.first_session),
        str(each.session),
        agreement.cases,
        *(coefficient_cell(coefficient) for coefficient in coefficients),
    )


def repeat_detection_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return d′ at both readings of the same images, and how often a hit is repeated; None without repeats."""
    if not record.repeats:
        return None
    d_prime, found = "d′", _("Adversarial images found again")
    return Table(
        key="repeat_detection",
        title=_("Discrimination when images are shown again"),
        caption=_(
            # xgettext: no-python-format
            "d′ of the same images at the first and at the second reading, as in the table of signal detection. The "
            "change has a 95 % interval that takes into account that the images are the same. Found again: of the "
            "adversarial images called not real (not called so) the first time, the share called not real the second "
            "time. If the two shares are equal, the reader’s first verdict says nothing about the second."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("first_session", _("First shown in session")),
            Column("session", _("Shown again in session")),
            Column("real", _("real"), Kind.COUNT, _("Images")),
            Column("adversarial", _("adversarial"), Kind.COUNT, _("Images")),
            Column("first", _("first reading"), Kind.ESTIMATE, d_prime),
            Column("second", _("second reading"), Kind.ESTIMATE, d_prime),
            Column("change", _("change"), Kind.ESTIMATE, d_prime),
            Column("p", "p", Kind.P, d_prime),
            Column("found_again", _("found at first"), Kind.PERCENT, found),
            Column("found_later", _("missed at first"), Kind.PERCENT, found),
        ),
        rows=tuple(_detection_row(each, Unsure(plan.unsure)) for each in record.repeats),
        notes=tuple(_detection_notes(Unsure(plan.unsure))),
    )


def _detection_row(each: ReaderRepeats, rule: Unsure) -> tuple[Cell, ...]:
    real, adversarial = (_calls(table, rule) for table in each.by_truth)
    head = (each.reader, str(each.first_session), str(each.session), int(real.sum()), int(adversarial.sum()))
    twice = repeat_detection(real, adversarial)
    if twice is None:
        return (*head, *[None] * 6)
    estimates = (Estimate(one.d_prime, one.d_prime_low, one.d_prime_high) for one in (twice.first, twice.second))
    change = twice.change
    shares: tuple[Proportion, ...] = (twice.found_again, twice.found_later)
    return (*head, *estimates, Estimate(change.difference, change.low, change.high), change.p, *shares)


def _calls(verdicts: NDArray[np.int64], rule: Unsure) -> NDArray[np.int64]:
    """Return the images (2, 2) by whether they were called not real at the first and at the second reading."""
    kept = [level for level in range(len(VERDICTS)) if level != _UNSURE or rule is not Unsure.EXCLUDED]
    is_call = np.array([level == _NOT_REAL for level in kept])
    used = verdicts[np.ix_(kept, kept)]
    counts: NDArray[np.int64] = np.array(
        [
            [used[np.ix_(is_call == first, is_call == second)].sum() for second in (False, True)]
            for first in (False, True)
        ]
    )
    return counts


def _detection_notes(rule: Unsure) -> Iterator[str]:
    yield _(
        "Few images are shown again, so the intervals are wide. Readers may remember an image; then they agree with "
        "themselves more than their eyes do."
    )
    if rule is Unsure.EXCLUDED:
        yield _("Images with the verdict “unsure” at one of the two readings are excluded.")
    else:
        yield _("“Unsure” does not count as “not real”, neither for adversarial nor for real images.")
