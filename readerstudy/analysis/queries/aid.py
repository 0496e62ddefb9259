"""What aids displayed to readers, joined with the truth.

Only `queries.study` calls this, after it has checked that the study is unsealed.
"""

from collections.abc import Iterator

import numpy as np

from readerstudy.analysis.record.aid import AidRecord
from readerstudy.studies.models import Allocation, DisplayedAid, SessionPlan, Study
from readerstudy.truth.queries import truth_of_study
from readerstudy.truth.terms import Authenticity


def study_aids(study: Study) -> tuple[AidRecord, ...]:
    """Return what each session with an aid displayed beside the images that are analysed, in order."""
    return tuple(_aids(study))


def _aids(study: Study) -> Iterator[AidRecord]:
    plans = [plan for plan in SessionPlan.objects.filter(study=study).order_by("number") if plan.has_aid]
    truth = truth_of_study(study) if plans else {}
    for plan in plans:
        analysed = Allocation.analysed().filter(session_plan=plan).values("stimulus")
        shown = DisplayedAid.objects.filter(session_plan=plan, stimulus__in=analysed)
        columns = ("stimulus_id", "score", "is_above", "stimulus__image__exam__patient_id")
        rows = sorted(shown.values_list(*columns), key=lambda row: truth[row[0]].case)
        source = study.plan["sessions"][plan.number - 1]["shown_score"]
        yield AidRecord(
            session=plan.number,
            classifier=source["classifier"],
            threshold=float(source["threshold"]),
            score=np.array([float(row[1]) for row in rows], dtype=float),
            is_above=np.array([row[2] for row in rows], dtype=bool),
            is_adversarial=np.array(
                [truth[row[0]].authenticity is Authenticity.ADVERSARIAL for row in rows], dtype=bool
            ),
            patient=np.array([row[3] for row in rows], dtype=np.int64),
        )
