"""The commitment to the answer key of a study: made when its lists are drawn, opened when it is unsealed.

Each position of each list is a line: the file that is shown, whether it is real, its label, its pathology, and how it
was made. Before the unsealing only a keyed hash of each line is known to anybody; afterwards everybody can compare.
"""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from readerstudy.record.models import Commitment
from readerstudy.record.verifier import canonical, commit, root_of_commitments
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.models import ImageTruth, SealKey, Truth
from readerstudy.truth.seeds import seed_of

KEY_BYTES: Final = 32


@sealed_work()
def commit_to_answer_key(study: Study, *, at: datetime) -> Commitment:
    """Store a commitment to the lists as they were drawn, and its key. Called by `lock_study` only."""
    key = secrets.token_bytes(KEY_BYTES)
    items = [commit(key, line) for line in answer_key(study)]
    commitment = Commitment.objects.create(log=study.code, at=at, root=root_of_commitments(items), items=items)
    SealKey.objects.create(study=study, commitment=commitment, key=key.hex())
    return commitment


@sealed_work()
def find_seal(study: Study) -> SealKey | None:
    """Return the key of the commitment to the present draw."""
    return SealKey.objects.filter(study=study).select_related("commitment").last()


@sealed_work()
def answer_key(study: Study) -> list[str]:
    """Return the lines of the answer key, in the order of sessions, arms and positions; the first has the seed."""
    return [canonical(line) for line in (_of_draw(study), *_of_positions(study))]


def _of_draw(study: Study) -> dict[str, Any]:
    practice = study.session_plans.exclude(practice=None).values_list("number", "practice__sha256")
    numbered = {str(number): digest for number, digest in practice}
    return {"study": study.code, "seed": seed_of(study), "practice": numbered}


def _of_positions(study: Study) -> Iterator[dict[str, Any]]:
    allocations = list(
        Allocation.objects.filter(session_plan__study=study)
        .order_by("session_plan__number", "arm__name", "position")
        .values_list(
            "session_plan__number",
            "arm__name",
            "position",
            "is_repeat",
            "stimulus_id",
            "stimulus__image_id",
            "stimulus__sha256",
        )
    )
    truths = Truth.objects.filter(stimulus__in={row[4] for row in allocations}).select_related("source_image")
    of_stimulus = {truth.stimulus_id: truth for truth in truths}
    of_image = {row.image_id: row for row in ImageTruth.objects.filter(image__in={row[5] for row in allocations})}
    for session, arm, position, is_repeat, stimulus, image, digest in allocations:
        place = {"session": session, "arm": arm, "position": position, "repeat": is_repeat, "sha256": digest}
        yield {**place, **_of_stimulus(of_stimulus.get(stimulus)), **_of_image(of_image.get(image))}


def _of_stimulus(truth: Truth | None) -> Mapping[str, Any]:
    if truth is None:
        return {}
    return {
        "authenticity": truth.authenticity,
        "label": truth.label,
        "source": truth.source_image.sha256 if truth.source_image else None,
        "direction": truth.direction,
        "attack": truth.generator,
        "seed": truth.seed,
    }


def _of_image(truth: ImageTruth | None) -> Mapping[str, Any]:
    if truth is None:
        return {}
    return {"pathology": truth.pathology, "lesions": truth.lesions, "groups": truth.groups}
