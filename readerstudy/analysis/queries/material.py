"""The material of a study and its draw, read from the database."""

from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Count, Q

from readerstudy.analysis.queries.trail import subject_of
from readerstudy.analysis.record.conduct import (
    CohortFacts,
    CopyGroups,
    DrawnImages,
    ImportCounts,
    SessionFacts,
    SplitCounts,
)
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.protocol.rules import VerdictLabels
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, SessionPlan, Study
from readerstudy.truth.queries import (
    count_adversarial_images_by_resolution,
    count_pathologies,
    count_pathologies_by_split,
    pathology_sources,
    real_images_of,
    truth_of_study,
)
from readerstudy.vocabulary import Split

_PATIENT = "stimulus__image__exam__patient"


@sealed_work()
def cohort_facts(study: Study, generators: Sequence[str]) -> CohortFacts:
    """Return counts of the study's cohort; adversarial images are those made by `generators`."""
    cohort = study.cohort
    images = real_images_of(cohort)
    modalities = images.order_by("exam__modality").values_list("exam__modality", flat=True)
    return CohortFacts(
        name=cohort.name,
        splits=tuple(_splits(cohort)),
        imports=tuple(_imports(cohort)),
        pathologies=count_pathologies(cohort),
        pathology_sources=pathology_sources(cohort),
        modalities=tuple(modalities.distinct()),
        source_bits=tuple(images.order_by("source_bits").values_list("source_bits", flat=True).distinct()),
        fractions=tuple(cohort.fractions),
        adversarial_images=count_adversarial_images_by_resolution(cohort, generators),
        copies=_copies(cohort),
    )


def _copies(cohort: Cohort) -> CopyGroups:
    images = real_images_of(cohort).exclude(moment="").order_by()
    rows = images.values_list("moment").annotate(Count("pk"), Count("exam__patient__split", distinct=True))
    groups = [(count, splits) for _, count, splits in rows if count > 1]
    return CopyGroups(
        images=sum(count for count, _ in groups),
        groups=len(groups),
        divided_groups=sum(splits > 1 for _, splits in groups),
    )


def _splits(cohort: Cohort) -> Iterator[SplitCounts]:
    by_split = count_pathologies_by_split(cohort)
    for split in Split:
        if counts := by_split.get(split):
            positive = counts.positive_patients, counts.positive_images
            yield SplitCounts(split, counts.patients, counts.images, *positive)


def _imports(cohort: Cohort) -> Iterator[ImportCounts]:
    for event in Event.objects.filter(verb="cohort.imported", subject=subject_of(cohort)).order_by("id"):
        new, known, problems = (int(event.data.get(name, 0)) for name in ("new", "known", "problems"))
        yield ImportCounts(event.at, new, known, problems, event.data.get("other_sides"))


def session_facts(plan: SessionPlan) -> SessionFacts:
    """Return one session as planned."""
    rules = plan.rules
    return SessionFacts(
        number=plan.number,
        title=plan.title,
        asks_for_verdict=plan.asks_verdict,
        planned=plan.total,
        washout_days=plan.washout_days,
        rest_hours=rules.rest_hours,
        display_check=rules.display_check.value,
        practice=plan.practice_id is not None,
        questions=tuple(question.name for question in rules.questions),
        verdict_labels=_verdict_labels(plan),
        order=plan.order,
    )


def _verdict_labels(plan: SessionPlan) -> tuple[tuple[str, str], ...]:
    labels = plan.rules.verdict_labels
    if not plan.asks_verdict or labels == VerdictLabels():
        return ()
    return tuple((str(verdict.label), plan.say(labels.label(verdict))) for verdict in plan.verdicts)


def drawn_images(study: Study) -> tuple[DrawnImages, ...]:
    """Return images and patients drawn, by arm, session and split."""
    rows = (
        Allocation.objects.filter(is_repeat=False, session_plan__study=study)
        .values_list("arm__name", "session_plan__number", f"{_PATIENT}__split")
        .annotate(images=Count("pk"), patients=_count_patients(study))
        .order_by("arm__name", "session_plan__number", f"{_PATIENT}__split")
    )
    return tuple(DrawnImages(*row) for row in rows)


def patients_drawn(study: Study) -> Mapping[str, int]:
    """Return the number of different patients over all sessions, by arm."""
    rows = Allocation.objects.filter(is_repeat=False, session_plan__study=study).values_list("arm__name")
    return dict(rows.annotate(patients=_count_patients(study)).order_by())


def _count_patients(study: Study) -> Count:
    """Return the number of different patients; synthetic images show none."""
    synthetic = [key for key, truth in truth_of_study(study).items() if truth.is_synthetic]
    return Count(_PATIENT, distinct=True, filter=~Q(stimulus__in=synthetic))
