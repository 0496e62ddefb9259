"""The aid of a session: scores of the classifier that an attack was made for, as readers will see them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.cohort.models import Cohort
from readerstudy.errors import StudyError
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.results.evaluation import Recalibrated, ThresholdRule
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import DisplayedAid, SessionPlan
from readerstudy.truth.models import Score, Truth
from readerstudy.truth.queries import scores_by
from readerstudy.truth.terms import Authenticity

_STEP = Decimal("0.01")


@dataclass(frozen=True)
class AidSource:
    """The run whose scores a session shows, and its threshold: that of Youden on the tuning split."""

    classifier: str
    threshold: float

    def displayed(self, plan: SessionPlan, stimuli: Iterable[int]) -> Iterator[DisplayedAid]:
        """Yield what readers see beside each stimulus, in this order; not stored. KeyError for one without a score."""
        ordered = list(stimuli)
        scores = scores_by(self.classifier, ordered)
        for stimulus in ordered:
            yield DisplayedAid(
                session_plan=plan,
                stimulus_id=stimulus,
                score=_rounded(scores[stimulus]),
                threshold=_rounded(self.threshold),
                is_above=scores[stimulus] > self.threshold,
            )


def _rounded(value: float) -> Decimal:
    return Decimal(value).quantize(_STEP, rounding=ROUND_HALF_UP)


@sealed_work()
def find_aid_source(cohort: Cohort, *, resolution: str, attacks: Collection[str], splits: Collection[str]) -> AidSource:
    """Return whose scores a session shows that draws from these attacks and splits.

    Raises StudyError if the attacks were made for no classifier or for several, if it has no evaluation at the
    resolution, or if an image that can be drawn has no score by it.
    """
    classifier = _classifier_of(attacks)
    threshold = _threshold_of(classifier, cohort=cohort, resolution=resolution)
    missing = _count_unscored(classifier, cohort=cohort, resolution=resolution, attacks=attacks, splits=splits)
    if missing:
        text = ngettext(
            "%(count)s image that the session can draw has no score by %(run)s: draw from the tuning and test splits, "
            "or evaluate the attack again.",
            "%(count)s images that the session can draw have no score by %(run)s: draw from the tuning and test "
            "splits, or evaluate the attack again.",
            missing,
        )
        raise StudyError(text % {"count": missing, "run": classifier})
    return AidSource(classifier, threshold)


def _classifier_of(attacks: Collection[str]) -> str:
    made_for = {name: _target_of(name) for name in attacks}
    classifiers = set(made_for.values())
    if len(classifiers) == 1 and (classifier := classifiers.pop()):
        return classifier
    unknown = ", ".join(name for name, target in made_for.items() if not target)
    if unknown or not made_for:
        text = _("The aid shows scores of the classifier that an attack was made for; of %(attacks)s none is known.")
        raise StudyError(text % {"attacks": unknown or _("this session")})
    names = ", ".join(sorted(made_for))
    text = _("The aid shows scores of one classifier, but the attacks %(attacks)s were made for different ones.")
    raise StudyError(text % {"attacks": names})


def _target_of(name: str) -> str:
    """Return the name of the classifier that an attack was made for; "" if none is known."""
    attack = Attack.objects.filter(name=name).select_related("classifier", "generator__made_from").first()
    if attack and attack.classifier:
        return attack.classifier.name
    # Images of earlier versions have no row for their attack; it has the name of its generator.
    generator = (
        attack.generator if attack else Checkpoint.objects.filter(name=name, kind=CheckpointKind.GENERATOR).first()
    )
    return generator.made_from.name if generator and generator.made_from else ""


def _threshold_of(classifier: str, *, cohort: Cohort, resolution: str) -> float:
    """Return the threshold of the newest evaluation of raw scores: those that are stored are not recalibrated."""
    rows = Evaluation.objects.filter(cohort=cohort.name, resolution=resolution, classifier__name=classifier)
    results = (row.read() for row in rows.order_by("-pk"))
    newest = next((result for result in results if result.recalibration is Recalibrated.NONE), None)
    threshold = newest.thresholds.get(ThresholdRule.YOUDEN) if newest else None
    if threshold is None:
        text = _("%(run)s has no evaluation at %(resolution)s resolution without recalibration, so no score is shown.")
        raise StudyError(text % {"run": classifier, "resolution": resolution})
    return threshold


def _count_unscored(
    classifier: str, *, cohort: Cohort, resolution: str, attacks: Collection[str], splits: Collection[str]
) -> int:
    scored = Score.objects.filter(classifier=classifier).values("stimulus")
    return (
        Truth.objects.filter(
            Q(authenticity=Authenticity.REAL) | Q(generator__in=attacks),
            stimulus__resolution=resolution,
            stimulus__image__exam__patient__cohort=cohort,
            stimulus__image__exam__patient__split__in=splits,
        )
        .exclude(stimulus__in=scored)
        .count()
    )
