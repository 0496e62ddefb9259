"""The evaluation of a study's attack, read from the database."""

from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.experiments.models import Evaluation
from readerstudy.jobs.models import JobStatus
from readerstudy.results.evaluation import EvaluationResult
from readerstudy.studies.models import Study


def study_attack(study: Study) -> StudyAttack | None:
    """Return the newest evaluation of the runs that made the study's adversarial images, or None."""
    runs = _runs(study)
    read = [row.read() for row in study_evaluations(study)]
    results = [each for each in read if _is_target(each, runs)] or [each for each in read if _is_reference(each)]
    attacks = {
        result.resolution: attack
        for result in sorted(results, key=lambda result: result.resolution)
        for attack in result.attacks
        if set(attack.runs) == runs
    }
    if not attacks:
        return None
    first = next(iter(attacks.values()))
    controls = {result.resolution: result.controls for result in results if result.controls}
    return StudyAttack(results[0].classifier, first.runs, attacks, controls)


def study_evaluations(study: Study) -> list[Evaluation]:
    """Return the rows of a finished job that evaluated the runs of the study's adversarial images.

    The newest one with the classifier that the images were made for; without any, the newest one.
    """
    runs = _runs(study)
    rows = Evaluation.objects.filter(
        cohort=study.cohort.name,
        job__status=JobStatus.DONE,
        result__attacks__contains=[{"runs": sorted(runs)}],  # these and possibly more
    )
    jobs: dict[int | None, list[Evaluation]] = {}
    for row in rows.order_by("-job_id", "pk"):
        if any(set(attack["runs"]) == runs for attack in row.result["attacks"]):
            jobs.setdefault(row.job_id, []).append(row)
    of_target = (own for own in jobs.values() if any(_is_target(row.read(), runs) for row in own))
    return next(of_target, next(iter(jobs.values()), []))


def _runs(study: Study) -> set[str]:
    return set(study.plan.get("generators", []))


def _is_target(result: EvaluationResult, runs: set[str]) -> bool:
    """Whether the result is that of the classifier that the attack of these runs was made for."""
    return any(set(attack.runs) == runs and attack.against == result.classifier for attack in result.attacks)


def _is_reference(result: EvaluationResult) -> bool:
    return result.classifier == result.reference
