"""The record of a study, read from the database: joins readings with the truth, for unsealed studies only."""

from collections import Counter
from collections.abc import Iterator

from readerstudy.analysis.queries.aid import study_aids
from readerstudy.analysis.queries.answers import answered_questions, reader_repeats
from readerstudy.analysis.queries.attack import study_attack
from readerstudy.analysis.queries.classifier import study_classifier
from readerstudy.analysis.queries.conduct import study_conduct
from readerstudy.analysis.queries.confidence import confidence_ratings
from readerstudy.analysis.queries.counts import aggregate_readings
from readerstudy.analysis.queries.detector import study_detectors
from readerstudy.analysis.queries.reader_characteristics import reader_characteristics
from readerstudy.analysis.queries.withdrawals import analysed_readers, withdrawn_readers
from readerstudy.analysis.record.codes import PAIR, source_pathology
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import Allocation, Arm, SessionPlan, Study
from readerstudy.truth.queries import StimulusTruth, truth_of_study
from readerstudy.truth.seal import require_unsealed


def study_record(study: Study, plan: AnalysisPlan | None = None) -> StudyRecord:
    """Return everything that the report needs, by the study's own plan if none is given.

    Raises StillSealed before the unsealing.
    """
    require_unsealed(study)
    plan = plan or study.analysis
    attack = study_attack(study)
    classifier = study_classifier(study, attack, plan)
    return StudyRecord(
        code=study.code,
        title=study.title,
        modality=study.cohort.modality,
        is_rehearsal=study.is_rehearsal,
        readers=analysed_readers(study, plan),
        image_sets=tuple(_image_sets(study)),
        readings=aggregate_readings(study, plan),
        attack=attack,
        conduct=study_conduct(study, classifier.run if classifier else None, plan),
        classifier=classifier,
        detectors=study_detectors(study),
        answers=answered_questions(study, plan),
        confidence=confidence_ratings(study, plan),
        repeats=reader_repeats(study, plan),
        aids=study_aids(study),
        withdrawn=withdrawn_readers(study, plan),
        reader_characteristics=reader_characteristics(study, plan),
    )


def _image_sets(study: Study) -> Iterator[SessionImages]:
    truth = truth_of_study(study)
    images_of = {number: each.images_of for number, each in enumerate(study.protocol.sessions, start=1)}
    for plan in SessionPlan.objects.filter(study=study).order_by("number"):
        for arm in Arm.objects.filter(study=study).order_by("name"):
            drawn = Allocation.analysed().filter(session_plan=plan, arm=arm).values_list("stimulus_id", flat=True)
            allocations = Allocation.objects.filter(session_plan=plan, arm=arm)
            repeats = allocations.filter(is_repeat=True).count()
            excluded = allocations.count() - repeats - len(drawn)
            yield SessionImages(
                number=plan.number,
                title=plan.title,
                arm=arm.name,
                asks_for_verdict=plan.asks_verdict,
                planned=plan.total - repeats - excluded,
                excluded=excluded,
                images_of=images_of.get(plan.number, 0),
                has_aid=plan.has_aid,
                drawn=Counter(_kind(plan, truth[stimulus]) for stimulus in drawn),
            )


def _kind(plan: SessionPlan, truth: StimulusTruth) -> tuple[str, str]:
    """Return how a session shows an image ("real", "adversarial", or "pair" if it shows both), and the pathology."""
    shown = PAIR if plan.kind == SessionKind.EDUCATION else truth.authenticity.value
    return shown, source_pathology(truth.pathology)
