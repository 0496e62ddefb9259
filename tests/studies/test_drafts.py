"""Drafts: designed, edited, rehearsed, locked, unlocked, deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction

from readerstudy.analysis.queries.provenance import plan_hash
from readerstudy.audit.models import Event
from readerstudy.client.scripted_reader import PASSING_DISPLAY
from readerstudy.errors import BadInput, NotItsTurn, StudyError
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.reading.actions import check_display, open_session
from readerstudy.rehearsal.models import BlindingAudit
from readerstudy.studies.actions import (
    StudyBegun,
    close_study,
    delete_draft,
    draft_study,
    edit_draft,
    enroll,
    mark_rehearsed,
    open_study,
    unlock_study,
)
from readerstudy.studies.models import Allocation, Draw, Enrollment, Presentation, SessionPlan, Study, WrongStatus
from readerstudy.truth.actions import create_study, lock_study, unseal_study
from readerstudy.truth.seal import in_no_sealed_study, may_show_images_of_cohort, revealed_seed
from readerstudy.truth.seeds import seed_of, seed_of_earlier
from readerstudy.truth.strata import CohortTooSmall
from tests import make, roles, walk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]


def protocol(scale: float = 0.03, **changes) -> Protocol:
    return protocol_of_template("zhou2021", words=MAMMOGRAPHY.words.reading, scale=scale, resolution="low", **changes)


@pytest.fixture
def draft():
    films = make.cohort()
    make.adversarial_images_for(films)
    return draft_study(code="tiny", title="x", cohort=films, protocol=protocol(), actor=None, at=make.MONDAY)


def lock(study: Study, seed: int = 7) -> None:
    lock_study(study=study, actor=None, at=make.MONDAY, seed=seed)


def unlock(study: Study) -> Draw:
    return unlock_study(study=study, actor=None, reason="Too few images.", at=make.MONDAY)


def drawn(study: Study) -> list[tuple[int, int, int]]:
    rows = Allocation.objects.filter(session_plan__study=study).order_by("session_plan__number", "position")
    return list(rows.values_list("session_plan__number", "position", "stimulus_id"))


# --- from draft to open ---------------------------------------------------------------------------------------
def test_a_draft_has_a_protocol_and_nothing_drawn(draft):
    assert (draft.status, seed_of(draft), draft.plan, draft.image_bytes) == ("draft", None, {}, None)
    assert draft.protocol == protocol()
    assert not SessionPlan.objects.exists()


def test_locking_draws_what_creating_in_one_step_draws(draft):
    lock(draft)
    again = create_study(
        code="again", title="x", template="zhou2021", cohort=draft.cohort, seed=7, at=make.MONDAY, scale=0.03,
        resolution="low",
    )  # fmt: skip
    assert drawn(draft) == drawn(again)
    assert (draft.status, again.status) == ("locked", "open")
    assert (draft.plan, draft.plan_sha256, draft.image_bytes) == (again.plan, again.plan_sha256, again.image_bytes)
    assert draft.plan_sha256 == plan_hash(Study.objects.get(code="tiny").plan)
    assert draft.analysis_sha256 == protocol().analysis.hash


@pytest.mark.parametrize(
    "change",
    [{"shows_own_result": True}, {"crossover": (2, 3)}, {"languages": ("en", "de")}],
)
def test_the_hash_of_the_plan_covers_what_readers_are_promised(draft, change):
    with roles.around_tests():
        lock(draft)
        before = draft.plan_sha256
        transaction.set_rollback(True)
    draft = Study.objects.get(code="tiny")
    edit_draft(study=draft, protocol=replace(protocol(), **change), actor=None, at=make.MONDAY)
    lock(draft)
    assert draft.plan_sha256 != before


def test_a_reader_of_a_draft_gets_the_lists_when_it_is_locked(draft):
    rita = make.reader_in(draft)
    enrollment = Enrollment.objects.get(reader=rita)
    assert (enrollment.arm, enrollment.reading_lists.count()) == (None, 0)
    lock(draft)
    paul = make.reader_in(draft, "paul")
    for reader in (rita, paul):
        enrollment = Enrollment.objects.get(reader=reader)
        shown = Presentation.objects.filter(reading_list__enrollment=enrollment).order_by(
            "reading_list__session_plan__number", "position"
        )
        assert [row.stimulus_id for row in shown] == [stimulus for _, _, stimulus in drawn(draft)]
        assert enrollment.arm is not None


def test_nobody_reads_before_the_study_is_opened(draft):
    rita = make.reader_in(draft)
    lock(draft)
    with pytest.raises(NotItsTurn, match="has not begun"):
        open_session(reader=rita, study="tiny", number=1, at=make.MONDAY)
    open_study(study=draft, actor=None, at=make.MONDAY)
    assert walk.open_session(walk.client_of(rita), "tiny", 1)["kind"] == "read"


def test_a_draft_that_the_cohort_cannot_fill_stays_a_draft(draft):
    edit_draft(study=draft, protocol=protocol(scale=1.0), actor=None, at=make.MONDAY)
    with pytest.raises(CohortTooSmall, match="session 1 lacks"):
        lock(draft)
    assert Study.objects.get().status == "draft"
    assert not SessionPlan.objects.exists()


def test_the_seed_of_a_lock_is_in_no_event(draft):
    lock(draft, seed=918273645)
    unlock(draft)
    assert not [event for event in Event.objects.all() if "918273645" in str(event.data)]


# --- editing --------------------------------------------------------------------------------------------------
def test_editing_changes_the_protocol_and_is_recorded(draft, clara):
    edit_draft(study=draft, protocol=protocol(scale=0.02), title="Other", actor=clara, at=make.MONDAY)
    assert (draft.protocol.scale, draft.title) == (0.02, "Other")
    event = Event.objects.get(verb="study.edited")
    assert (event.actor, event.data["changed"]) == (clara, ["protocol_data", "template", "title"])


def test_editing_without_a_change_records_nothing(draft):
    edit_draft(study=draft, protocol=protocol(), title="x", actor=None, at=make.MONDAY)
    assert not Event.objects.filter(verb="study.edited").exists()


def test_a_bad_protocol_changes_nothing(draft):
    session = replace(protocol().sessions[0], adversarial=4)
    with pytest.raises(BadInput, match="protocol sessions 1 adversarial"):
        edit_draft(study=draft, protocol=replace(protocol(), sessions=(session,)), actor=None, at=make.MONDAY)
    draft.refresh_from_db()
    assert draft.protocol == protocol()


@pytest.fixture
def rehearsal(draft):
    """A finished rehearsal of the draft; nobody has read it."""
    copy = create_study(
        code="tiny-rehearsal", title="x", cohort=draft.cohort, protocol=draft.protocol, at=make.MONDAY,
        is_rehearsal=True,
    )  # fmt: skip
    close_study(study=copy, actor=None, reason="Rehearsed.", at=make.MONDAY)
    unseal_study(study=copy, actor=None, reason="Rehearsed.", at=make.MONDAY)
    return copy


def test_an_edited_study_has_to_be_rehearsed_again(draft, rehearsal):
    mark_rehearsed(study=draft, rehearsal=rehearsal, actor=None, at=make.MONDAY)
    assert draft.status == "rehearsed"
    edit_draft(study=draft, title="Another title", actor=None, at=make.MONDAY)
    assert draft.status == "rehearsed"
    edit_draft(study=draft, protocol=protocol(scale=0.02), actor=None, at=make.MONDAY)
    assert (draft.status, draft.rehearsed_at) == ("draft", None)
    with pytest.raises(StudyError, match="was changed after the rehearsal tiny-rehearsal"):
        mark_rehearsed(study=draft, rehearsal=rehearsal, actor=None, at=make.MONDAY)


def test_an_open_study_is_not_a_finished_rehearsal(draft):
    other = create_study(code="o", title="x", cohort=draft.cohort, protocol=draft.protocol, at=make.MONDAY)
    with pytest.raises(StudyError, match="not a finished rehearsal"):
        mark_rehearsed(study=draft, rehearsal=other, actor=None, at=make.MONDAY)


def test_a_locked_study_is_neither_edited_nor_deleted(study):
    with pytest.raises(WrongStatus, match="only a draft can be changed"):
        edit_draft(study=study, title="Other", actor=None, at=make.MONDAY)
    with pytest.raises(WrongStatus, match="only a draft can be changed"):
        delete_draft(study=study, actor=None, at=make.MONDAY)


def test_a_draft_is_deleted_with_its_enrolments(draft):
    make.reader_in(draft)
    delete_draft(study=draft, actor=None, at=make.MONDAY)
    assert not Study.objects.exists()
    assert Event.objects.get(verb="study.deleted").data["code"] == "tiny"


def test_a_draft_that_was_locked_before_is_not_deleted(draft):
    lock(draft)
    unlock(draft)
    with pytest.raises(StudyError, match="was locked before"):
        delete_draft(study=draft, actor=None, at=make.MONDAY)


def test_a_draft_with_an_audit_is_not_deleted(draft):
    BlindingAudit.objects.create(study=draft, at=make.MONDAY, passed=True, result={})
    with pytest.raises(StudyError, match="Other records refer to the study tiny"):
        delete_draft(study=draft, actor=None, at=make.MONDAY)
    assert Study.objects.filter(code="tiny").exists()


# --- unlocking ------------------------------------------------------------------------------------------------
def test_unlocking_keeps_the_draw_and_the_readers(draft, clara):
    rita = make.reader_in(draft)
    lock(draft)
    before, plan, sha = drawn(draft), draft.plan, draft.plan_sha256
    unlock_study(study=draft, actor=clara, reason=" Wrong attack. ", at=make.MONDAY)
    kept = Draw.objects.get()
    assert (seed_of_earlier(kept), kept.plan, kept.plan_sha256) == (7, plan, sha)
    assert (kept.replaced_by, kept.reason, kept.drawn_at) == (clara, "Wrong attack.", make.MONDAY)
    lists = kept.lists["sessions"]
    rows = [(int(n), position, key) for n in lists for position, key in enumerate(lists[n]["low"], start=1)]
    assert sorted(rows) == before
    assert (draft.status, seed_of(draft), draft.plan) == ("draft", None, {})
    assert not Allocation.objects.exists()
    lock(draft, seed=8)
    assert Enrollment.objects.get().reader == rita
    assert Presentation.objects.count() == Allocation.objects.count() == len(before)
    assert drawn(draft) != before


def test_a_draw_on_record_cannot_be_changed_or_deleted(draft):
    lock(draft)
    unlock(draft)
    for change in (lambda: Draw.objects.update(reason="x"), lambda: Draw.objects.all().delete()):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            change()


def test_raw_sql_does_not_unlock_a_drawn_study(draft):
    lock(draft)
    with pytest.raises(DatabaseError, match="its lists are still drawn"), transaction.atomic():
        Study.objects.update(status="draft", locked_at=None, image_bytes=None)


def test_an_open_study_is_unlocked_until_a_reader_begins(study, rita):
    unlock(study)
    lock(study)
    open_study(study=study, actor=None, at=make.MONDAY)
    walk.open_session(walk.client_of(rita), study.code, 1)
    with pytest.raises(StudyBegun, match="Close it instead"):
        unlock(study)
    assert Study.objects.get().status == "open"


def test_a_display_check_is_a_beginning(study, rita):
    check_display(reader=rita, study=study.code, number=1, results=PASSING_DISPLAY, at=make.MONDAY)
    with pytest.raises(StudyBegun):
        unlock(study)


def test_the_seed_of_an_earlier_draw_is_sealed_with_its_study(draft):
    one = replace(draft.protocol, persons_to_unseal=1)
    edit_draft(study=draft, protocol=one, actor=None, at=make.MONDAY)
    lock(draft, seed=5)
    kept = unlock(draft)
    assert revealed_seed(kept) is None
    lock(draft, seed=6)
    open_study(study=draft, actor=None, at=make.MONDAY)
    close_study(study=draft, actor=None, reason="Done.", at=make.MONDAY)
    assert revealed_seed(Draw.objects.get()) is None
    unseal_study(study=draft, actor=None, reason="Done.", at=make.MONDAY)
    assert revealed_seed(Draw.objects.get()) == 5


def test_a_locked_study_seals_its_images_like_an_open_one(draft):
    free = in_no_sealed_study("stimulus__image")
    assert not may_show_images_of_cohort(draft.cohort.name)
    lock(draft)
    assert not Allocation.objects.filter(free).exists()


# --- races ----------------------------------------------------------------------------------------------------
def at_once(*works) -> list[str]:
    """Carry out works in parallel, each with a connection of its own; return "done" or the error's name of each."""

    def run(work) -> str:
        try:
            work()
            return "done"
        except StudyError as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_of_two_locks_at_once_one_draws(draft):
    assert sorted(at_once(*[lambda: lock(Study.objects.get())] * 2)) == ["WrongStatus", "done"]
    assert Event.objects.filter(verb="study.locked").count() == 1
    assert SessionPlan.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_at_once_one_is_made(draft):
    lock(draft)
    assert sorted(at_once(*[lambda: unlock(Study.objects.get())] * 2)) == ["WrongStatus", "done"]
    lock(draft)
    opened = at_once(*[lambda: open_study(study=Study.objects.get(), actor=None, at=make.MONDAY)] * 2)
    assert sorted(opened) == ["WrongStatus", "done"]
    ended = at_once(*[lambda: close_study(study=Study.objects.get(), actor=None, reason="x", at=make.MONDAY)] * 2)
    assert sorted(ended) == ["WrongStatus", "done"]


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_begins_and_an_unlock_never_both_win(draft):
    rita = make.reader_in(draft)

    def begin() -> None:
        open_session(reader=rita, study="tiny", number=1, at=make.MONDAY)

    for seed in range(4):
        lock(draft, seed=seed)
        open_study(study=draft, actor=None, at=make.MONDAY)
        outcome = at_once(begin, lambda: unlock(Study.objects.get()))
        assert outcome in (["done", "StudyBegun"], ["NotItsTurn", "done"], ["NoSuchSession", "done"])
        if outcome[0] == "done":
            return
        draft.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_a_reader_enrolled_during_a_lock_has_lists(draft):
    rita = make.user("rita")

    def enroll_rita() -> None:
        enroll(study=Study.objects.get(), reader=rita, at=make.MONDAY)

    assert at_once(lambda: lock(Study.objects.get()), enroll_rita) == ["done", "done"]
    assert Enrollment.objects.get().reading_lists.count() == 5


# --- the commands ---------------------------------------------------------------------------------------------
def test_the_commands_move_a_study_from_draft_to_archive(draft, rosa):
    call_command("create_study", "--cohort=films", "--code=other", "--scale=0.03", "--draft", "--member=rosa")
    assert Study.named("other").status == "draft"
    for move, status in {"lock": "locked", "unlock": "draft"}.items():
        call_command("study", move, "other", reason="Because.", by="rosa")
        assert Study.named("other").status == status
    call_command("study", "lock", "other", seed="7")
    for move, status in {"open": "open", "pause": "paused", "resume": "open", "close": "closed"}.items():
        call_command("study", move, "other", reason="Because.")
        assert Study.named("other").status == status
    call_command("unseal_study", "other", reason="Done.", by="rosa")
    assert Study.named("other").status == "closed"
    call_command("unseal_study", "other", "--confirm", by=make.overseer().username)
    call_command("study", "archive", "other", reason="Published.")
    assert Study.named("other").status == "archived"
    call_command("study", "delete", "tiny")
    assert not Study.objects.filter(code="tiny").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["open", "tiny"], "Study tiny is not locked"),
        (["lock", "none"], "There is no study"),
        (["lock", "tiny", "--by=nobody"], "no user named 'nobody'"),
        (["open", "tiny", "--seed=7"], "only locking draws"),
    ],
)
def test_a_wrong_command_says_why(draft, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("study", *arguments)


def test_a_draft_is_not_drawn_with_a_seed(draft):
    with pytest.raises(CommandError, match="--draft: nothing is drawn yet"):
        call_command("create_study", "--cohort=films", "--code=other", "--draft", "--seed=7")
