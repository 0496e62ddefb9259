"""Storing scores of classifiers and detectors."""

from collections.abc import Mapping

from readerstudy.sealed_work import sealed_work
from readerstudy.truth.models import Score

BATCH = 2000


@sealed_work()
def store_scores(scores: Mapping[int, float], *, classifier: str, size: tuple[int, int]) -> None:
    """Store probabilities by stimulus, computed at `size` (rows, columns).

    A score of the same run for the same stimulus is replaced, because a run of that name may have been trained again.
    """
    rows, columns = size
    Score.objects.bulk_create(
        (
            Score(stimulus_id=stimulus, classifier=classifier, probability=probability, rows=rows, columns=columns)
            for stimulus, probability in scores.items()
        ),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["stimulus", "classifier"],
        update_fields=["probability", "rows", "columns"],
    )
