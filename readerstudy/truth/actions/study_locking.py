"""Locking a study: its lists are drawn by their truth, once, from a stored seed."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from random import Random
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.cohort.rewriting import rewrite_files
from readerstudy.modalities.words import ReadingWords, Text
from readerstudy.protocol.document import Protocol, ProtocolSession, data_hash
from readerstudy.protocol.rules import Aid, AskedVerdict
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.texts import Translated, chosen
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import give_lists
from readerstudy.studies.lifecycle import EDITABLE
from readerstudy.studies.models import Allocation, Arm, DisplayedAid, DrawnPlan, SessionPlan, Study, WrongStatus
from readerstudy.truth.aids import AidSource, find_aid_source
from readerstudy.truth.commitment import commit_to_answer_key
from readerstudy.truth.draw import Candidate, Pick, draw
from readerstudy.truth.material import Material, SessionMaterial, find_material
from readerstudy.truth.seeds import store_seed
from readerstudy.vocabulary import Split

BLOCK = 64 * 1024
SEED_BITS = 62  # with a seed that can be guessed, the draw could be repeated


@sealed_work()
@transaction.atomic
def lock_study(
    *,
    study: Study,
    actor: User | None,
    at: datetime,
    seed: int | None = None,
    excluded_before: datetime | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Draw the lists of a draft and fix its plan; the enrolled readers get their lists.

    `seed` is drawn from the system's randomness unless it is given; it stays sealed with the study.
    Excluded images are not drawn; with `excluded_before` only those excluded before that time are left out.
    `progress` is called with done and total while the cohort's image files are rewritten in random order.
    Raises WrongStatus unless the study can be edited, CohortTooSmall with every shortage, StudyError or BadInput if
    the cohort has no adversarial images, or several, where the protocol needs one attack for each direction, SeenBefore
    if another study shows images that were drawn to a reader who was not enrolled with a reason for it.
    A session with an aid gets what readers will see of it now; StudyError if scores for it are missing.
    """
    draft = Study.objects.select_for_update().get(pk=study.pk)
    if draft.status not in EDITABLE:
        values = {"code": draft.code, "state": draft.state}
        raise WrongStatus(_("The study %(code)s is %(state)s; only a draft can be locked.") % values)
    protocol = draft.protocol
    protocol.check()
    seed = secrets.randbits(SEED_BITS) if seed is None else seed
    material = find_material(draft.cohort, protocol, excluded_before=excluded_before)
    aids = _aid_sources(draft, protocol, material)
    lists = draw(
        material.candidates,
        protocol.templates,
        seed=seed,
        with_adversarial=material.with_adversarial,
        practice=protocol.with_practice,
    )
    practice = _practice(protocol, material.candidates, lists, seed=seed)
    rewrite_files(draft.cohort, progress=progress)
    drawn = _drawn_plan(protocol, material, lists, practice, aids)
    store_seed(draft, seed)
    draft.lock(drawn, by=actor, at=at)
    _store_lists(draft, protocol, material, lists, practice)
    for number, aid in aids.items():
        _store_aids(draft.session_plans.get(number=number), aid)
    for enrollment in draft.enrollments.filter(withdrawn_at=None).select_related("study", "reader").order_by("pk"):
        give_lists(enrollment, arm=draft.arms.get(), actor=actor)
    commitment = commit_to_answer_key(draft, at=at)
    # The seed is not recorded, because coordinators can read the audit trail and could repeat the draw.
    details = {"plan_sha256": drawn.plan_sha256, "analysis_sha256": drawn.analysis_sha256}
    details |= {"answer_key": commitment.root}
    record("study.locked", actor=actor, subject=draft, at=at, generators=drawn.plan["generators"], **details)
    study.refresh_from_db()


def _aid_sources(study: Study, protocol: Protocol, material: Material) -> dict[int, AidSource]:
    """Return whose scores each session with an aid shows, by number. Raises StudyError if there is nothing to show."""
    return {
        number: find_aid_source(
            study.cohort,
            resolution=material.sessions[number].resolution,
            attacks=material.sessions[number].generators,
            splits=protocol.source(number).splits,
        )
        for number, session in enumerate(protocol.sessions, start=1)
        if session.rules.aid == Aid.SCORE
    }


def _store_aids(plan: SessionPlan, aid: AidSource) -> None:
    """Store what readers see beside each image of a session, in the order of its list."""
    rows = plan.allocations.order_by("position").values_list("stimulus_id", flat=True)
    DisplayedAid.objects.bulk_create(aid.displayed(plan, dict.fromkeys(rows)))


def _drawn_plan(
    protocol: Protocol,
    material: Material,
    lists: Mapping[int, list[Pick]],
    practice: Mapping[int, int],
    aids: Mapping[int, AidSource],
) -> DrawnPlan:
    rows = []
    for number, data in enumerate(protocol.as_data()["sessions"], start=1):
        own = material.sessions[number]
        rows.append({"number": number, **data, "resolution": own.resolution, "generators": list(own.generators)})
        if number in aids:
            rows[-1]["shown_score"] = asdict(aids[number])
    generators = dict.fromkeys(name for own in material.sessions.values() for name in own.generators)
    plan: dict[str, Any] = {
        "scale": protocol.scale,
        "resolution": material.resolution,
        "generators": list(generators),
        "sessions": rows,
        "crossover": list(protocol.crossover),
        "languages": list(protocol.languages),
        "shows_own_result": protocol.shows_own_result,  # readers are promised it
        "analysis": protocol.analysis.as_data(),
        "persons_to_unseal": protocol.persons_to_unseal,
    }
    return DrawnPlan(
        image_bytes=_image_bytes(material, lists, practice),
        plan=plan,
        plan_sha256=data_hash(plan),
        analysis_sha256=protocol.analysis.hash,
    )


def _practice(
    protocol: Protocol, candidates: Iterable[Candidate], lists: Mapping[int, list[Pick]], *, seed: int
) -> dict[int, int]:
    """Return, by session with practice, a real image of the training split that the study does not show."""
    shown = {pick.image for picks in lists.values() for pick in picks}
    real = (c for c in candidates if not c.is_synthetic)
    free = sorted(c.image for c in real if c.split == Split.TRAIN and c.image not in shown)
    numbers = protocol.with_practice  # the draw left enough images for them
    # A separate random stream: with and without practice, a seed draws the same lists if no image is scarce.
    return dict(zip(numbers, Random(f"{seed}:practice").sample(free, k=len(numbers)), strict=True))


def _store_lists(
    study: Study,
    protocol: Protocol,
    material: Material,
    lists: Mapping[int, list[Pick]],
    practice: Mapping[int, int],
) -> None:
    """Store sessions and allocations."""
    arm = Arm.objects.create(study=study, name=material.resolution, resolution=material.resolution)
    words = study.cohort.modality.words.reading
    for number in range(1, len(protocol.sessions) + 1):
        own = material.sessions[number]
        shown = own.real[practice[number]].stimulus_id if number in practice else None
        plan = _store_plan(study, number, protocol, len(lists[number]), words, practice=shown)
        _store_list(plan, arm, lists[number], own, earlier=_repeated_material(protocol, material, number))


def _store_plan(
    study: Study, number: int, protocol: Protocol, total: int, words: ReadingWords, *, practice: int | None
) -> SessionPlan:
    session, first = protocol.sessions[number - 1], protocol.first_language
    with override("en"):  # stored in English and translated for each reader
        texts = {
            "title": session.title,
            "instructions": session.instructions or str(default_instructions(session, words)),
        }
        return SessionPlan.objects.create(
            study=study,
            number=number,
            kind=session.kind,
            languages=list(protocol.languages),
            texts={name: dict(text) for name, text in texts.items() if isinstance(text, Translated)},
            **{name: chosen(text, first, fallback=first) for name, text in texts.items()},
            total=total,
            washout_days=session.washout_days,
            rules_data=session.rules.as_data(),
            order=session.order,
            practice_id=practice,
        )


def default_instructions(session: ProtocolSession, words: ReadingWords) -> Text:
    """Return what a session of that kind tells its readers about the images of a modality."""
    if session.rules.verdict == AskedVerdict.NONE:  # its readers may not know that images can be altered
        return _("Look at each image for as long as you like, then answer the questions about it.")
    match session.kind:
        case SessionKind.FAMILIARISATION:
            return words.familiarisation
        case SessionKind.BLINDED:
            return words.blinded
        case SessionKind.EDUCATION:
            return words.education
        case SessionKind.QUESTIONNAIRE:
            return _("Please answer the following questions. Your answers are saved when you send them.")


def _repeated_material(protocol: Protocol, material: Material, number: int) -> SessionMaterial:
    """Return the material of the session whose images this session shows again."""
    return material.sessions[protocol.sessions[number - 1].repeat_of or number]


def _store_list(
    plan: SessionPlan, arm: Arm, picks: list[Pick], own: SessionMaterial, *, earlier: SessionMaterial
) -> None:
    def stimulus(pick: Pick) -> int:
        material = earlier if pick.is_repeat else own
        return (material.adversarial if pick.adversarial else material.real)[pick.image].stimulus_id

    Allocation.objects.bulk_create(
        Allocation(
            session_plan=plan,
            arm=arm,
            position=position,
            stimulus_id=stimulus(pick),
            is_repeat=pick.is_repeat,
        )
        for position, pick in enumerate(picks, start=1)
    )


def _image_bytes(material: Material, lists: Mapping[int, list[Pick]], practice: Mapping[int, int]) -> int:
    """Return the size of the longest file that the study can send, rounded up to whole blocks.

    Adversarial images and differences of real images are included, because triptychs show them.
    """
    sessions = material.sessions
    longest = max((sessions[n].real[image].path.stat().st_size for n, image in practice.items()), default=0)
    for number, picks in lists.items():
        for pick in picks:
            if real := sessions[number].real.get(pick.image):
                longest = max(longest, real.path.stat().st_size)
            if altered := sessions[number].adversarial.get(pick.image):
                longest = max(longest, altered.bytes, altered.difference_bytes)
    return (longest // BLOCK + 1) * BLOCK
