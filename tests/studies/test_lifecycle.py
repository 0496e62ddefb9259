"""The statuses of a study: every move from every status, and what the database refuses."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.studies import actions
from readerstudy.studies.lifecycle import SOURCES, StudyStatus
from readerstudy.studies.models import DrawnPlan, Study, WrongStatus
from tests import make

pytestmark = pytest.mark.django_db
S = StudyStatus
DRAWN = {"image_bytes": 65536, "locked_at": make.MONDAY}
OPENED = {**DRAWN, "opened_at": make.MONDAY}
CLOSED = {**OPENED, "closed_at": make.MONDAY}
VALUES = {
    S.DRAFT: {},
    S.REHEARSED: {"rehearsed_at": make.MONDAY},
    S.LOCKED: DRAWN,
    S.OPEN: OPENED,
    S.PAUSED: {**OPENED, "paused_at": make.MONDAY},
    S.CLOSED: CLOSED,
    S.UNSEALED: {**CLOSED, "unsealed_at": make.MONDAY},
    S.ARCHIVED: {**CLOSED, "unsealed_at": make.MONDAY, "archived_at": make.MONDAY},
}
NONE = dict.fromkeys(name for values in VALUES.values() for name in values)
PLAN = DrawnPlan(image_bytes=65536, plan={"scale": 1.0}, plan_sha256="a" * 64, analysis_sha256="b" * 64)
AT = {"at": make.MONDAY}
WHY = {**AT, "actor": None, "reason": "Because of the light."}
# Each move: what carries it out, from which statuses, and to which.
MOVES = {
    "rehearse": (lambda study: study.mark_rehearsed(**AT), (S.DRAFT,), S.REHEARSED),
    "edit": (lambda study: study.return_to_draft(), (S.REHEARSED,), S.DRAFT),
    "lock": (lambda study: study.lock(PLAN, by=None, **AT), (S.DRAFT, S.REHEARSED), S.LOCKED),
    "unlock": (lambda study: actions.unlock_study(study=study, **WHY), (S.LOCKED, S.OPEN, S.PAUSED), S.DRAFT),
    "open": (lambda study: actions.open_study(study=study, actor=None, **AT), (S.LOCKED,), S.OPEN),
    "pause": (lambda study: actions.pause_study(study=study, **WHY), (S.OPEN,), S.PAUSED),
    "resume": (lambda study: actions.resume_study(study=study, actor=None, **AT), (S.PAUSED,), S.OPEN),
    "close": (lambda study: actions.close_study(study=study, **WHY), (S.OPEN, S.PAUSED), S.CLOSED),
    "unseal": (lambda study: study.mark_unsealed(**AT), (S.CLOSED,), S.UNSEALED),
    "archive": (lambda study: actions.archive_study(study=study, **WHY), (S.UNSEALED,), S.ARCHIVED),
}


def row(status: StudyStatus, **changes) -> Study:
    """A study in this status, without images and lists."""
    films, _ = Cohort.objects.get_or_create(name="films", defaults={"seed": 1, "created_at": make.MONDAY})
    values = {"title": "x", "template": "zhou2021", "cohort": films, "created_at": make.MONDAY, "status": status}
    return Study.objects.create(code="tiny", **{**values, **VALUES[status], **changes})


# --- moves ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("move", "status"), list(product(MOVES, S)))
def test_a_move_is_made_from_its_statuses_only(move, status):
    carry_out, sources, target = MOVES[move]
    study = row(status)
    if status in sources:
        carry_out(study)
        assert study.status == Study.objects.get().status == target
        assert {name: getattr(study, name) is not None for name in VALUES[target]} == dict.fromkeys(
            VALUES[target], True
        )
        return
    with pytest.raises(WrongStatus, match="tiny"):
        carry_out(study)
    assert Study.objects.get().status == status
    assert not Event.objects.exists()


def test_the_database_permits_exactly_these_moves():
    known = {(source, target) for target, sources in SOURCES.items() for source in sources}
    assert known == {(source, target) for _, sources, target in MOVES.values() for source in sources}


@pytest.mark.parametrize(("source", "target"), list(product(S, S)))
def test_raw_sql_makes_no_unknown_move(source, target):
    row(source)
    values = {**NONE, **VALUES[target], "status": target}
    if source == target or source in SOURCES[target]:
        Study.objects.update(**values)
        return
    with pytest.raises(DatabaseError, match="Cannot move the study tiny"), transaction.atomic():
        Study.objects.update(**values)


@pytest.mark.parametrize("action", ["pause_study", "unlock_study", "close_study", "archive_study"])
@pytest.mark.parametrize("reason", ["", "  ", "a\0", "x" * 2001])
def test_a_move_that_needs_a_reason_is_not_made_without(action, reason):
    study = row(S.OPEN)
    with pytest.raises(BadInput, match="Enter a reason"):
        getattr(actions, action)(study=study, actor=None, reason=reason, at=make.MONDAY)
    assert Study.objects.get().status == S.OPEN


@pytest.mark.parametrize(
    ("status", "action", "verb"),
    [
        (S.OPEN, "pause_study", "study.paused"),
        (S.LOCKED, "unlock_study", "study.unlocked"),
        (S.OPEN, "close_study", "study.closed"),
        (S.UNSEALED, "archive_study", "study.archived"),
    ],
)
def test_the_reason_and_the_person_are_in_the_event(status, action, verb, clara):
    getattr(actions, action)(study=row(status), actor=clara, reason=" A fault. ", at=make.MONDAY)
    event = Event.objects.get(verb=verb)
    assert (event.actor, event.data["reason"], event.at) == (clara, "A fault.", make.MONDAY)


def test_a_pause_is_over_and_remembered_after_resuming():
    study = row(S.OPEN)
    actions.pause_study(study=study, **WHY)
    actions.resume_study(study=study, actor=None, at=make.MONDAY + timedelta(days=1))
    assert (study.paused_at, study.resumed_at) == (None, make.MONDAY + timedelta(days=1))
    assert list(Event.objects.values_list("verb", flat=True)) == ["study.paused", "study.resumed"]


# --- the database ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "name"), [(status, name) for status in S for name in NONE if name != "rehearsed_at"]
)
def test_dates_and_draw_agree_with_the_status(status, name):
    value = None if name in VALUES[status] else 7 if name == "image_bytes" else make.MONDAY
    with pytest.raises(IntegrityError, match=f"study_{name}_agrees"), transaction.atomic():
        row(status, **{name: value})


@pytest.mark.parametrize(("status", "at"), [(S.DRAFT, make.MONDAY), (S.REHEARSED, None)])
def test_a_rehearsed_study_has_the_time_of_its_rehearsal(status, at):
    with pytest.raises(IntegrityError, match="study_rehearsed_at_agrees"), transaction.atomic():
        row(status, rehearsed_at=at)


CHANGES = {
    "plan": {"scale": 0.5},
    "protocol_data": {"scale": 0.5},
    "image_bytes": 1,
    "plan_sha256": "c" * 64,
    "analysis_sha256": "c" * 64,
    "template": "short",
    "is_rehearsal": True,
    "locked_at": make.MONDAY + timedelta(days=1),
}


@pytest.mark.parametrize("status", [status for status in S if "image_bytes" in VALUES[status]])
@pytest.mark.parametrize("name", CHANGES)
def test_nothing_that_was_drawn_changes_in_a_locked_study(status, name):
    row(status)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Study.objects.update(**{name: CHANGES[name]})


def test_a_locked_study_keeps_its_cohort_and_who_locked_it():
    row(S.LOCKED)
    other = Cohort.objects.create(name="others", seed=1, created_at=make.MONDAY)
    for change in ({"cohort": other}, {"locked_by": make.user("clara", Role.COORDINATOR)}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            Study.objects.update(**change)


@pytest.mark.parametrize("status", [S.DRAFT, S.REHEARSED])
@pytest.mark.parametrize("name", ["protocol_data", "template", "is_rehearsal"])
def test_a_draft_changes(status, name):
    row(status)
    assert Study.objects.update(**{name: CHANGES[name]}) == 1
