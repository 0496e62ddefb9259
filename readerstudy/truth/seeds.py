"""The seeds of draws: kept in a sealed table, and passed on only as what was drawn from them.

With its seed and the counts of a cohort a draw can be repeated, in the same order. `truth.seal` decides when a seed
may be shown.
"""

from random import Random

from readerstudy.sealed_work import sealed_work
from readerstudy.studies.lifecycle import EDITABLE, REVEALED
from readerstudy.studies.models import Draw, Study
from readerstudy.truth.models import DrawSeed


def store_seed(study: Study, seed: int) -> None:
    """Store the seed of the draw that is made now. Called by `lock_study` only."""
    DrawSeed.objects.create(study=study, number=_present(study), seed=seed)


@sealed_work(reads_committed=True)
def seed_of(study: Study) -> int | None:
    """Return the seed of the present draw, None for a draft."""
    return None if study.is_editable else _find(study.pk, _present(study))


@sealed_work(reads_committed=True)
def seed_of_earlier(draw: Draw) -> int | None:
    """Return the seed of a draw that was replaced."""
    return _find(draw.study_id, Draw.objects.filter(study=draw.study_id, pk__lte=draw.pk).count())


def chance_of_reader(study: Study, purpose: str) -> Random:
    """Return the chance for the orders of one reader, for `studies.chance`. Raises LookupError if there is no seed."""
    seed = seed_of(study)
    if seed is None:
        raise LookupError(f"The study {study.code} has no seed.")
    return Random(f"{seed}:{purpose}")


@sealed_work(reads_committed=True)
def is_drawn_elsewhere(seed: int, study: Study) -> bool:
    """Return whether a study that is not unsealed has the same draw of the same cohort, at another resolution."""
    same = DrawSeed.objects.filter(seed=seed, study__cohort=study.cohort_id, study__is_rehearsal=False)
    others = same.exclude(study__status__in=(*EDITABLE, *REVEALED)).select_related("study")
    return any(row.number == _present(row.study) for row in others)


def _present(study: Study) -> int:
    return study.draws.count() + 1


def _find(study: int, number: int) -> int | None:
    return DrawSeed.objects.filter(study=study, number=number).values_list("seed", flat=True).first()
