"""Stored scores of classifiers and detectors."""

from collections.abc import Collection

from readerstudy.sealed_work import sealed_work
from readerstudy.truth.models import Score


@sealed_work()
def scores_by(classifier: str, stimuli: Collection[int]) -> dict[int, float]:
    """Return the stored probabilities by this run, by stimulus; stimuli without a score are left out."""
    rows = Score.objects.filter(classifier=classifier, stimulus__in=stimuli)
    return dict(rows.values_list("stimulus_id", "probability"))


@sealed_work()
def score_sizes(classifier: str, stimuli: Collection[int]) -> tuple[tuple[int, int], ...]:
    """Return the different sizes (rows, columns) at which this run scored these stimuli, in order."""
    rows = Score.objects.filter(classifier=classifier, stimulus__in=stimuli)
    return tuple(sorted(set(rows.values_list("rows", "columns"))))


@sealed_work()
def scores_of(stimulus: int) -> dict[str, float]:
    """Return the stored probabilities of one stimulus by run, in the order of their names."""
    rows = Score.objects.filter(stimulus=stimulus).order_by("classifier")
    return dict(rows.values_list("classifier", "probability"))


@sealed_work()
def scoring_runs() -> list[str]:
    """Return the names of all runs with scores, in order."""
    return list(Score.objects.order_by("classifier").values_list("classifier", flat=True).distinct())
