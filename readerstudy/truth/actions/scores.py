"""Keeping what a classifier made of the stimuli."""

from collections.abc import Mapping

from readerstudy.truth.models import Score

BATCH = 2000


def keep_scores(scores: Mapping[int, float], *, classifier: str, size: tuple[int, int]) -> None:
    """Store the probabilities of malignancy by stimulus, judged at `size` (rows, columns).

    A run that judges a stimulus again replaces its score: a name may have been trained anew.
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
