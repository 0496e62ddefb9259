"""Table "limits": limits of agreement of the readers' shares of correct verdicts in two sessions."""

from collections.abc import Iterator

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import compared_sessions, session_limit_sentence, subset_name, unsure_sentence
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.limits_of_agreement import Limit, limits_of_agreement
from readerstudy.statistics.unsure import Unsure

LEAST_READERS = 3
SUBSETS = (Subset.REAL, Subset.ADVERSARIAL)


def limits_of_agreement_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return bias and limits of agreement of shares correct; None if no kind has three readers of both sessions."""
    rows = [row for arm in record.arms for subset in SUBSETS for row in _rows(record, plan, arm, subset)]
    if not rows:
        return None
    caption = _(
        # xgettext: no-python-format
        "Bland and Altman’s limits: nineteen of twenty readers change their share of correct verdicts by an amount "
        "between the two limits. Each number has its 95 % interval (exact by the non-central t distribution, if "
        "changes are normal). Shares run from 0 to 1; the change is the later session minus the earlier one."
    )
    return Table(
        key="limits",
        title=_("Limits of agreement between the sessions"),
        caption=caption,
        columns=(
            Column("arm", _("Arm")),
            Column("images_are", _("Images are")),
            Column("readers", _("Readers"), Kind.COUNT),
            Column("bias", _("Mean change"), Kind.ESTIMATE),
            Column("sd", _("SD of changes"), Kind.SPREAD),
            Column("lower", _("Lower limit"), Kind.ESTIMATE),
            Column("upper", _("Upper limit"), Kind.ESTIMATE),
        ),
        rows=tuple(rows),
        notes=(
            _("Session %(after)s minus session %(before)s.") % compared_sessions(plan),
            _(
                "The limits contain the chance of the images drawn, not only changes of readers: with few images they "
                "are wide even if no reader changes. With few readers their intervals are wide."
            ),
            unsure_sentence(Unsure(plan.unsure)),
            session_limit_sentence(record, plan),
        ),
    )


def shares_in_both_sessions(
    record: StudyRecord, plan: AnalysisPlan, arm: str, subset: Subset
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the readers of an arm with such images in both sessions, and their shares correct, (2, readers)."""
    readers, shares = [], []
    for reader in record.readers_of_arm(arm):
        pair = [
            record.readings.share_correct(reader, session, subset, Unsure(plan.unsure)).share
            for session in (plan.before, plan.after)
        ]
        if None not in pair:
            readers.append(reader)
            shares.append(pair)
    return tuple(readers), np.array(shares, dtype=float).reshape(-1, 2).T


def _rows(record: StudyRecord, plan: AnalysisPlan, arm: str, subset: Subset) -> Iterator[tuple[Cell, ...]]:
    """Yield the row of one kind of image; nothing for too few readers or equal changes."""
    readers, (before, after) = shares_in_both_sessions(record, plan, arm, subset)
    if len(readers) < LEAST_READERS:
        return
    try:
        limits = limits_of_agreement(before, after)
    except ValueError:  # all readers changed by the same amount
        return
    values = (_cell(limits.bias), limits.sd, _cell(limits.lower), _cell(limits.upper))
    yield (arm, subset_name(subset), len(readers), *values)


def _cell(limit: Limit) -> Estimate:
    return Estimate(limit.value, limit.low, limit.high)
