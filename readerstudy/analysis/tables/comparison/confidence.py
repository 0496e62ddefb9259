"""Table "confidence_mrmc": the confidence ratings compared over readers and images, beside the primary figure."""

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.analysis_set import MINIMUM_READERS
from readerstudy.analysis.record.confidence import ConfidenceRatings
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import (
    MrmcComparison,
    compared_design,
    figure_name,
    mrmc_columns,
    mrmc_row,
    readers_with_enough_cases,
    undefined_reason,
)
from readerstudy.analysis.wording import compared_sessions, session_limit_sentence
from readerstudy.layout.table import Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc import obuchowski_rockette


def confidence_mrmc_table(
    record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...]
) -> Table | None:
    """Return the primary figure and the AUC of the ratings in each arm; None unless both sessions ask for ratings."""
    ratings = record.confidence
    if ratings is None or record.compares_nothing or not ratings.asks_in(plan.before, plan.after):
        return None
    primary = {each.arm: each for each in comparisons if each.figure == plan.primary}
    own = {arm: compare_confidence(record, plan, ratings, arm) for arm in record.arms}
    names = _("%(figure)s of the verdicts (primary)"), _("AUC of the confidence ratings")
    rows = []
    for arm in record.arms:
        rows.append(mrmc_row(primary[arm], plan, name=names[0] % {"figure": figure_name(primary[arm].figure)}))
        rows.append(mrmc_row(own[arm], plan, name=names[1]))
    reasons = dict.fromkeys(each.reason for each in own.values() if each.reason)
    excluded = dict.fromkeys(reader for each in own.values() if each.result for reader in each.excluded)
    left_out = _(
        "Excluded because of fewer than two ratings of real or of adversarial images in one session: %(list)s."
    )
    return Table(
        key="confidence_mrmc",
        title=_("Confidence ratings over readers. Session %(after)s against session %(before)s")
        % compared_sessions(plan),
        caption=_(
            # xgettext: no-python-format
            "The same analysis as for the primary figure (Obuchowski–Rockette, readers and images random, 95 % "
            "intervals), of the ratings from surely real to surely not real. The p-value of the ratings is exploratory "
            "and not adjusted; the primary figure was planned, and is decided in the table of planned tests."
        ),
        columns=mrmc_columns(plan),
        rows=tuple(rows) if any(each.result for each in own.values()) else (),
        notes=(
            *reasons,
            *([left_out % {"list": ", ".join(excluded)}] if excluded else []),
            session_limit_sentence(record, plan),
        ),
        empty=" ".join(reasons),
    )


def compare_confidence(record: StudyRecord, plan: AnalysisPlan, ratings: ConfidenceRatings, arm: str) -> MrmcComparison:
    """Return the Obuchowski–Rockette analysis of the ratings in one arm, the plan's two sessions as conditions.

    Readers with fewer than MINIMUM_CASES ratings of a kind of image in a session are excluded.
    """
    rated, names = ratings.compared, ratings.readers
    of_arm = [index for index, reader in enumerate(names) if record.readers.get(reader) == arm]
    own = rated.select(np.isin(rated.reader, of_arm))
    included = readers_with_enough_cases(own.reader, own.session, own.is_adversarial, plan)
    present = set(np.unique(own.reader).tolist())
    readers = tuple(names[index] for index in included)
    excluded = tuple(names[index] for index in of_arm if index in present and index not in set(included))
    if len(readers) < MINIMUM_READERS:
        reason = _(
            "Fewer than two readers have at least two ratings of real and two of adversarial images in both session "
            "%(before)s and session %(after)s, so the ratings are not compared over readers."
        )
        return MrmcComparison(arm, "auc", readers, excluded, None, reason % compared_sessions(plan))
    used = own.select(np.isin(own.reader, included))
    result = obuchowski_rockette(
        used.rating.astype(float),
        used.is_adversarial.astype(np.int8),
        used.reader,
        used.case,
        used.session,
        design=compared_design(record, plan),
    )
    reason = undefined_reason(result, name=_("AUC of the confidence ratings"))
    return MrmcComparison(arm, "auc", readers, excluded, result, reason)
