"""The record of a study, read from the database: joins readings with the truth, for unsealed studies only."""

from collections import Counter
from collections.abc import Iterator

from readerstudy.analysis.queries.attack import study_attack
from readerstudy.analysis.queries.classifier import study_classifier
from readerstudy.analysis.queries.conduct import study_conduct
from readerstudy.analysis.queries.counts import aggregate_readings
from readerstudy.analysis.queries.detector import study_detectors
from readerstudy.analysis.record.codes import PAIR, source_pathology
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.studies.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Allocation, Arm, Enrollment, SessionPlan, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.seal import require_unsealed


def study_record(study: Study, plan: AnalysisPlan | None = None) -> StudyRecord:
    """Return everything that the report needs, by the study's own plan if none is given.

    Raises StillSealed before the unsealing.
    """
    require_unsealed(study)
    attack = study_attack(study)
    classifier = study_classifier(study, attack)
    return StudyRecord(
        code=study.code,
        title=study.title,
        is_rehearsal=study.is_rehearsal,
        readers=dict(Enrollment.objects.filter(study=study).values_list("code", "arm__name")),
        image_sets=tuple(_image_sets(study)),
        readings=aggregate_readings(study, plan or study.analysis),
        attack=attack,
        conduct=study_conduct(study, classifier.run if classifier else None),
        classifier=classifier,
        detectors=study_detectors(study),
    )


def _image_sets(study: Study) -> Iterator[SessionImages]:
    truth = _Key(study)
    for plan in SessionPlan.objects.filter(study=study).order_by("number"):
        for arm in Arm.objects.filter(study=study).order_by("name"):
            drawn = Allocation.objects.filter(session_plan=plan, arm=arm).values_list(
                "stimulus_id", "stimulus__image_id"
            )
            yield SessionImages(
                number=plan.number,
                title=plan.title,
                arm=arm.name,
                asks_for_verdict=plan.kind == SessionKind.BLINDED,
                planned=plan.total,
                drawn=Counter((truth.shown(stimulus, plan), truth.pathology[image]) for stimulus, image in drawn),
            )


class _Key:
    """The truth about every stimulus that the study drew.

    An adversarial image and its source are two stimuli of one image, so they share the image's pathology.
    """

    def __init__(self, study: Study) -> None:
        allocations = Allocation.objects.filter(session_plan__study=study)
        authenticity = Truth.objects.filter(stimulus__in=allocations.values("stimulus"))
        pathology = ImageTruth.objects.filter(image__in=allocations.values("stimulus__image"))
        self.authenticity = dict(authenticity.values_list("stimulus_id", "authenticity"))
        self.pathology = {
            image: source_pathology(value) for image, value in pathology.values_list("image_id", "pathology")
        }

    def shown(self, stimulus: int, plan: SessionPlan) -> str:
        """Return "real", "adversarial", or "pair" if the session shows both side by side."""
        return PAIR if plan.kind == SessionKind.EDUCATION else self.authenticity[stimulus]
