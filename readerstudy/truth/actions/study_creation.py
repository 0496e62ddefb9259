"""Creating a study: its lists are drawn by their truth, once, from a stored seed."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.rewriting import rewrite_files
from readerstudy.errors import BadInput, StudyError
from readerstudy.modalities.words import ReadingWords, Text
from readerstudy.names import MAXIMUM_LENGTH, require_name
from readerstudy.studies.analysis_plan import analysis_plan
from readerstudy.studies.models import Allocation, Arm, SessionPlan, Study
from readerstudy.studies.protocol import TEMPLATES, SessionKind, SessionTemplate
from readerstudy.studies.rules import SessionChanges, check_numbers, session_changes
from readerstudy.truth.draw import Candidate, Pick, draw
from readerstudy.truth.queries import (
    AdversarialImage,
    RealImage,
    adversarial_images,
    attacks_by_direction,
    real_images,
)
from readerstudy.vocabulary import Split

BLOCK = 64 * 1024
SEED_BITS = 62  # with a seed that can be guessed, the draw could be repeated
# The codes of rehearsals and audits append to the code of their study.
LONGEST_COPY = MAXIMUM_LENGTH
LONGEST_CODE = MAXIMUM_LENGTH - len("-rehearsal-audit-9999")
LONGEST_TITLE, LONGEST_TITLE_OF_COPY = 120, 160


@transaction.atomic
def create_study(
    *,
    code: str,
    title: str,
    template: str,
    cohort: Cohort,
    at: datetime,
    seed: int | None = None,
    actor: User | None = None,
    scale: float = 1.0,
    resolution: str | None = None,
    generators: list[str] | None = None,
    is_rehearsal: bool = False,
    changes: Mapping[str, Any] | None = None,
    excluded_before: datetime | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Plan and draw the five sessions; nothing is created if the cohort is too small.

    `changes` is a plan file as data (`studies.rules`).
    `resolution` is the largest that the cohort stores unless it is given.
    `seed` is drawn from the system's randomness unless it is given; it stays sealed with the study.
    `generators` are the names of the attacks: one for both directions, or one for each. If none is given, the
    cohort must have adversarial images of exactly one attack for each direction at this resolution.
    Excluded images are not drawn; with `excluded_before` only those excluded before that time are left out.
    `progress` is called with done and total while the cohort's image files are rewritten in random order.
    """
    require_name(code, label=_("code"), maximum=LONGEST_COPY if is_rehearsal else LONGEST_CODE)
    longest = LONGEST_TITLE_OF_COPY if is_rehearsal else LONGEST_TITLE
    if not 0 < len(title.strip()) <= longest or "\0" in title:
        raise BadInput(f"title: must be a text of at most {longest} characters.")
    sessions = _sessions(template, scale)
    words = cohort.modality.words.reading
    changed = _changes(changes or {}, sessions, words)
    asking = {session.number for session in sessions if session.kind == SessionKind.BLINDED}
    analysis = analysis_plan(changes or {}, asking)
    seed = secrets.randbits(SEED_BITS) if seed is None else seed
    resolution = resolution or cohort.resolutions[0]
    generators = _attacks(cohort, resolution, generators or [])
    real = {image.image_id: image for image in real_images(cohort, resolution)}
    adversarial = adversarial_images(cohort, resolution, generators, excluded_before=excluded_before)
    candidates = [
        Candidate(image.image_id, image.label, image.split, has_adversarial=image.image_id in adversarial)
        for image in real.values()
    ]
    lists = draw(candidates, sessions, seed=seed)
    practice = _practice(changed, candidates, lists, seed=seed)
    if Study.objects.filter(code=code).exists():
        raise BadInput(f"There is a study with the code {code!r} already; choose another.")
    rewrite_files(cohort, progress=progress)
    study = Study.objects.create(
        code=code,
        title=title,
        template=template,
        cohort=cohort,
        seed=seed,
        plan={
            **_plan(sessions, scale=scale, resolution=resolution, generators=generators, changes=changes or {}),
            "analysis": analysis.as_data(),
        },
        image_bytes=_image_bytes(lists.values(), real, adversarial, practice.values()),
        is_rehearsal=is_rehearsal,
        created_at=at,
    )
    arm = Arm.objects.create(study=study, name=resolution, resolution=resolution)
    for session in sessions:
        plan = _store_plan(study, session, changed[session.number], len(lists[session.number]), words)
        if session.number in practice:
            plan.practice_id = real[practice[session.number]].stimulus_id
            plan.save(update_fields=["practice"])
        _store_list(plan, arm, lists[session.number], real, adversarial)
    # The seed is not recorded, because coordinators can read the audit trail and could repeat the draw.
    record("study.created", actor=actor, subject=study, at=at, scale=scale, generators=generators)
    return study


def same_draw(study: Study, *, resolution: str | None) -> dict[str, Any]:
    """Return arguments of `create_study` that draw the same images in the same order at the other resolution.

    The article's two readers of the low-resolution arm read the same images at both resolutions. The seed is passed
    on without being shown to anybody.
    """
    drawn_at = study.plan["resolution"]
    if resolution == drawn_at:
        raise BadInput(f"The study {study.code} is read at {drawn_at} resolution already; name the other one.")
    others = [name for name in study.cohort.resolutions if name != drawn_at]
    if resolution is None and len(others) != 1:
        raise BadInput(f"Name the resolution with --resolution: {' or '.join(others) or 'the cohort stores one only'}.")
    other = resolution or others[0]
    # Images excluded since then are in no study, and leaving them out would change the draw.
    return {**same_plan(study), "resolution": other, "seed": study.seed, "excluded_before": study.created_at}


def same_plan(study: Study) -> dict[str, Any]:
    """Return arguments of `create_study` that plan the same study on the same cohort, with a draw of its own."""
    plan = study.plan
    return {
        "template": study.template,
        "cohort": study.cohort,
        "scale": plan["scale"],
        "resolution": plan["resolution"],
        "generators": plan["generators"],
        "changes": plan.get("changes", {}),
    }


def _attacks(cohort: Cohort, resolution: str, names: list[str]) -> list[str]:
    """Return the attacks to draw from: the named ones, or the only ones that there are.

    Raises StudyError if there is no attack or more than one for a direction, and lists those that there are.
    """
    by_direction = attacks_by_direction(cohort, resolution)
    known = {name for attacks in by_direction.values() for name in attacks}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(
            f"The cohort {cohort.name} has no adversarial images of {', '.join(unknown)} at {resolution} resolution; "
            f"it has those of: {', '.join(sorted(known)) or 'none yet'}."
        )
    chosen: list[str] = []
    for direction, attacks in by_direction.items():
        candidates = sorted(attacks & set(names)) if names else sorted(attacks)
        if not candidates:
            raise StudyError(
                f"The cohort {cohort.name} has no adversarial images ({direction.value}) at {resolution} resolution"
                f"{' of ' + ', '.join(names) if names else ''}; make them with generate_stimuli."
            )
        if len(candidates) > 1:
            raise BadInput(
                f"Several attacks {direction.value} the finding at {resolution} resolution: {', '.join(candidates)}. "
                "Name the one to draw from with --attack: one attack that does both, or one for each direction."
            )
        chosen += candidates
    return list(dict.fromkeys(chosen))


def _sessions(template: str, scale: float) -> list[SessionTemplate]:
    if template not in TEMPLATES:
        raise BadInput(f"There is no template {template!r}; there are: {', '.join(TEMPLATES)}.")
    if not 0 < scale <= 1:
        raise BadInput(f"The scale is {scale}; it must be above 0 and at most 1.")
    return [session.scaled(scale) for session in TEMPLATES[template]]


def _plan(
    sessions: Iterable[SessionTemplate],
    *,
    scale: float,
    resolution: str,
    generators: list[str],
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the plan as data, to be stored with the study."""
    return {
        "scale": scale,
        "resolution": resolution,
        "generators": generators,
        "changes": dict(changes),
        "sessions": [
            {
                "number": s.number,
                "kind": s.kind,
                "real": s.real,
                "adversarial": s.adversarial,
                "splits": s.splits,
            }
            for s in sessions
        ],
    }


def _changes(
    changes: Mapping[str, Any], sessions: list[SessionTemplate], words: ReadingWords
) -> dict[int, SessionChanges]:
    check_numbers(changes, {session.number for session in sessions})
    return {session.number: session_changes(changes, session.number, session.kind, words=words) for session in sessions}


def _practice(
    changed: Mapping[int, SessionChanges],
    candidates: Iterable[Candidate],
    lists: Mapping[int, list[Pick]],
    *,
    seed: int,
) -> dict[int, int]:
    """Return, by session with practice, a real image of the training split that the study does not show."""
    numbers = [number for number, change in changed.items() if change.rules.practice]
    shown = {pick.image for picks in lists.values() for pick in picks}
    free = sorted(c.image for c in candidates if c.split == Split.TRAIN and c.image not in shown)
    if len(free) < len(numbers):
        raise StudyError(
            f"The plan has {len(numbers)} practice images; only {len(free)} images of the training split are left."
        )
    # A separate random stream: with and without practice, a seed draws the same lists.
    return dict(zip(numbers, Random(f"{seed}:practice").sample(free, k=len(numbers)), strict=True))


def _store_plan(
    study: Study, session: SessionTemplate, changes: SessionChanges, total: int, words: ReadingWords
) -> SessionPlan:
    with override("en"):  # stored in English and translated for each reader
        return SessionPlan.objects.create(
            study=study,
            number=session.number,
            kind=session.kind,
            title=changes.title or str(session.title),
            instructions=changes.instructions or str(_instructions(session.kind, words)),
            total=total,
            washout_days=changes.washout_days,
            rules_data=changes.rules.as_data(),
        )


def _instructions(kind: SessionKind, words: ReadingWords) -> Text:
    """Return what a session of that kind tells its readers about the images of a modality."""
    match kind:
        case SessionKind.FAMILIARISATION:
            return words.familiarisation
        case SessionKind.BLINDED:
            return words.blinded
        case SessionKind.EDUCATION:
            return words.education


def _store_list(
    plan: SessionPlan, arm: Arm, picks: list[Pick], real: dict[int, RealImage], adversarial: dict[int, AdversarialImage]
) -> None:
    Allocation.objects.bulk_create(
        Allocation(
            session_plan=plan,
            arm=arm,
            position=position,
            stimulus_id=(adversarial if pick.adversarial else real)[pick.image].stimulus_id,
        )
        for position, pick in enumerate(picks, start=1)
    )


def _image_bytes(
    lists: Iterable[list[Pick]],
    real: dict[int, RealImage],
    adversarial: dict[int, AdversarialImage],
    practice: Iterable[int],
) -> int:
    """Return the size of the longest file that the study can send, rounded up to whole blocks.

    Adversarial images and differences of real images are included, because triptychs show them.
    """
    longest = max((real[image].path.stat().st_size for image in practice), default=0)
    for picks in lists:
        for pick in picks:
            longest = max(longest, real[pick.image].path.stat().st_size)
            if altered := adversarial.get(pick.image):
                longest = max(longest, altered.bytes, altered.difference_bytes)
    return (longest // BLOCK + 1) * BLOCK
