"""The participation of one reader: withdrawn for good, paused and resumed, replaced, and let in early."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, StudyError
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.reading.actions import open_session
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import allow_early, enroll, pause_reader, resume_reader, unlock_study, withdraw_reader
from readerstudy.studies.models import Enrollment, ReadingList, WithdrawalCause, WrongReaderState
from readerstudy.truth.actions import lock_study, unseal_study
from tests import make, walk
from tests.analysis import rows

pytestmark = pytest.mark.django_db
AT = {"at": make.MONDAY}


@pytest.fixture
def enrollment(study, rita):
    return Enrollment.objects.get(reader=rita)


def withdraw(enrollment, actor=None, reason="She moved away.", **more):
    withdraw_reader(enrollment=enrollment, actor=actor, reason=reason, **{**AT, **more})


def pause(enrollment, reason="She is ill."):
    pause_reader(enrollment=enrollment, actor=None, reason=reason, **AT)


def resume(enrollment):
    resume_reader(enrollment=enrollment, actor=None, **AT)


# --- transitions ----------------------------------------------------------------------------------------------
def test_a_withdrawal_is_recorded_with_its_reason(enrollment, clara):
    withdraw(enrollment, actor=clara)
    event = Event.objects.get(verb="reader.withdrawn")
    assert event.data == {"reader": "R1", "cause": "study_team", "reason": "She moved away."}
    assert (enrollment.withdrawn_by, enrollment.withdrawal_reason) == (clara, "She moved away.")
    assert not enrollment.takes_part


@pytest.mark.parametrize("act", [withdraw, pause, resume])
def test_a_withdrawn_reader_stays_as_they_are(enrollment, act):
    withdraw(enrollment)
    with pytest.raises(WrongReaderState, match="has been withdrawn"):
        act(enrollment)


def test_a_paused_reader_can_be_withdrawn(enrollment):
    pause(enrollment)
    withdraw(enrollment)
    assert (enrollment.paused_at, enrollment.withdrawn_at) == (None, make.MONDAY)


def test_only_a_paused_reader_is_resumed_and_only_once(enrollment):
    with pytest.raises(WrongReaderState, match="is not paused"):
        resume(enrollment)
    pause(enrollment)
    with pytest.raises(WrongReaderState, match="paused already"):
        pause(enrollment)
    resume(enrollment)
    assert (enrollment.paused_at, enrollment.resumed_at) == (None, make.MONDAY)


@pytest.mark.parametrize("act", [withdraw, pause])
@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "nul\0"])
def test_a_reason_is_needed(enrollment, clara, act, reason):
    with pytest.raises(BadInput, match="reason"):
        act(enrollment, reason=reason)
    enrollment.refresh_from_db()
    assert (enrollment.withdrawn_at, enrollment.paused_at) == (None, None)


def test_readers_need_no_reason_to_withdraw_their_consent(enrollment, rita, clara):
    with pytest.raises(BadInput):
        withdraw(enrollment, actor=clara, reason="", cause=WithdrawalCause.CONSENT)
    withdraw(enrollment, actor=rita, reason="", cause=WithdrawalCause.CONSENT)
    assert enrollment.withdrawal_cause == "consent"


def test_nobody_is_withdrawn_once_results_are_known(study, enrollment, rosa):
    unseal_study(study=rows.closed(study), actor=rosa, reason="All have read.", **AT)
    with pytest.raises(StudyError, match="unsealed"):
        withdraw(enrollment)


# --- what the database refuses --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [
        {"withdrawn_at": make.MONDAY},
        {"withdrawal_reason": "None."},
        {"withdrawal_cause": "consent"},
        {"withdrawn_at": make.MONDAY, "withdrawal_cause": "whim"},
        {"withdrawn_at": make.MONDAY, "withdrawal_cause": "consent", "paused_at": make.MONDAY},
    ],
)
def test_the_database_refuses_half_a_withdrawal(enrollment, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        Enrollment.objects.filter(pk=enrollment.pk).update(**values)


@pytest.mark.parametrize("values", [{"withdrawn_at": None, "withdrawal_cause": ""}, {"withdrawal_reason": "Another."}])
def test_the_database_keeps_a_withdrawal(enrollment, values):
    withdraw(enrollment)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Enrollment.objects.filter(pk=enrollment.pk).update(**values)


@pytest.mark.parametrize("values", [{"code": "R9"}, {"override_reason": "Another."}, {"override_reason": ""}])
def test_the_database_keeps_who_was_enrolled_and_why(enrollment, values):
    Enrollment.objects.filter(pk=enrollment.pk).update(override_reason="The images are old.")  # once
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Enrollment.objects.filter(pk=enrollment.pk).update(**values)


# --- what a paused or withdrawn reader can do -----------------------------------------------------------------
KEY = "11111111-1111-4111-8111-111111111111"


def test_a_verdict_of_a_paused_reader_is_kept_for_later(study, rita, enrollment):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    pause(enrollment)
    refused = walk.answer(client, study.code, 1, step, "seen", key=KEY)
    assert (refused.status_code, refused.json()["paused"]) == (409, True)
    assert "Your readings in the study A tiny study are paused." in refused.json()["detail"]
    assert client.get(step["stimulus"]["image"]).status_code == 410
    assert client.get(walk.address(study.code, 1, "step")).json()["kind"] == "wait"
    resume(enrollment)
    assert walk.answer(client, study.code, 1, step, "seen", key=KEY).status_code == 201


def test_a_withdrawn_reader_gives_no_verdict_and_sees_no_image(study, rita, enrollment):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    withdraw(enrollment)
    for answer in (
        walk.answer(client, study.code, 1, step, "seen"),
        client.get(walk.address(study.code, 1, "step")),
        client.post(walk.address(study.code, 1, "open")),
        client.post(walk.address(study.code, 1, "problems"), {"stimulus": step["stimulus"]["code"], "key": KEY}),
    ):
        assert answer.status_code == 409
        assert "You no longer take part in the study A tiny study" in answer.json()["detail"]
        assert "paused" not in answer.json()
    assert client.get(step["stimulus"]["image"]).status_code == 410
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("act", "state", "sentence"),
    [(pause, "reader_paused", "Your readings are paused."), (withdraw, "withdrawn", "You no longer take part")],
)
def test_the_start_page_and_the_api_say_why(study, rita, client, enrollment, act, state, sentence):
    act(enrollment)
    client.force_login(rita)
    page = client.get("/").content.decode()
    assert sentence in page
    assert "Begin<" not in page
    (line,) = walk.client_of(rita).get("/api/v1/reading/").json()["studies"]
    assert line["state"] == state


def test_the_pause_of_a_reader_does_not_count_as_rest(small):
    study = make.study(changes={"every": {"rest_hours": 2}})
    rita = make.reader_in(study)
    enrollment = Enrollment.objects.get(reader=rita)
    open_session(reader=rita, study=study.code, number=1, at=make.MONDAY)
    pause(enrollment)
    later = make.MONDAY + timedelta(days=3)
    resume_reader(enrollment=enrollment, actor=None, at=later)
    open_session(reader=rita, study=study.code, number=1, at=later)  # not on hold


# --- replacement ----------------------------------------------------------------------------------------------
def test_a_replacement_gets_lists_of_the_same_arm(study, enrollment):
    withdraw(enrollment)
    tom = enroll(study=study, reader=make.user("tom"), replaces=enrollment, **AT)
    assert (tom.code, tom.arm, tom.replaces) == ("R2", enrollment.arm, enrollment)
    assert tom.reading_lists.count() == 5
    assert Event.objects.filter(verb="reader.enrolled").last().data["replaces"] == "R1"


def test_only_a_withdrawn_reader_of_the_study_is_replaced_and_only_once(study, enrollment):
    with pytest.raises(BadInput, match="Only a withdrawn reader"):
        enroll(study=study, reader=make.user("tom"), replaces=enrollment, **AT)
    withdraw(enrollment)
    enroll(study=study, reader=make.user("tim"), replaces=enrollment, **AT)
    with pytest.raises(BadInput, match="replaced already"):
        enroll(study=study, reader=make.user("ted"), replaces=enrollment, **AT)


def test_a_reader_who_left_before_the_draw_gets_no_lists(study, enrollment):
    make.reader_in(study, "tom")
    withdraw(enrollment)
    unlock_study(study=study, actor=None, reason="One more session.", **AT)
    lock_study(study=study, actor=None, seed=7, **AT)
    enrollment.refresh_from_db()
    assert enrollment.arm is None
    assert not enrollment.reading_lists.exists()
    assert ReadingList.objects.count() == 5


# --- a session before the end of its washout ------------------------------------------------------------------
@pytest.fixture
def waiting(small):
    """The list of a session that opens in a week; the session before is finished."""
    study = make.study(changes={"every": {"washout_days": 7}})
    rita = make.reader_in(study)
    walk.finish_session(walk.client_of(rita), study.code, 1)
    return ReadingList.objects.get(session_plan__number=2, enrollment__reader=rita)


def test_a_session_is_allowed_early_once_with_a_reason(waiting):
    client = walk.client_of(waiting.enrollment.reader)
    opened = client.post(walk.address("tiny", 2, "open"))
    assert (opened.status_code, "opens on" in opened.json()["detail"]) == (409, True)
    with pytest.raises(BadInput, match="reason"):
        allow_early(reading_list=waiting, actor=None, reason="", **AT)
    allow_early(reading_list=waiting, actor=None, reason="She goes on leave.", **AT)
    assert Event.objects.get(verb="session.allowed_early").data == {"session": 2, "reason": "She goes on leave."}
    assert client.post(walk.address("tiny", 2, "open")).status_code == 200
    with pytest.raises(StudyError, match="no washout left"):
        allow_early(reading_list=waiting, actor=None, reason="Again.", **AT)


def test_a_session_without_washout_cannot_be_allowed_early(study, rita):
    reading_list = ReadingList.objects.get(session_plan__number=2)
    with pytest.raises(StudyError, match="no washout left"):
        allow_early(reading_list=reading_list, actor=None, reason="She goes on leave.", **AT)


# --- the rule of the plan -------------------------------------------------------------------------------------
def test_plans_of_earlier_versions_keep_their_hash():
    assert "withdrawn_readers" not in AnalysisPlan().as_data()
    assert AnalysisPlan.from_data({}).withdrawn_readers == "keep"
    assert AnalysisPlan(withdrawn_readers="leave_out").hash != AnalysisPlan().hash


# --- races ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_of_two_acts_at_once_one_wins(small):
    study = make.study()
    enrollment = Enrollment.objects.get(reader=make.reader_in(study))
    barrier = Barrier(4)

    def act(number: int) -> str:
        try:
            own = Enrollment.objects.get(pk=enrollment.pk)
            barrier.wait()
            withdraw(own, reason=f"Reason {number}.")
            return "withdrawn"
        except WrongReaderState:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as coordinators:
        assert sorted(coordinators.map(act, range(4))) == ["refused"] * 3 + ["withdrawn"]
    assert Event.objects.filter(verb="reader.withdrawn").count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_verdict_is_stored_after_a_withdrawal_at_the_same_moment(small):
    """The verdict waits for the withdrawal that was begun before it, and is refused."""
    study = make.study()
    rita = make.reader_in(study)
    step = walk.open_session(walk.client_of(rita), study.code, 1)

    def answer() -> int:
        try:
            return walk.answer(walk.client_of(rita), study.code, 1, step, "seen").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as reader:
        with transaction.atomic():
            withdraw(Enrollment.objects.get(reader=rita))
            status = reader.submit(answer)
            with pytest.raises(TimeoutError):
                status.result(timeout=1)
        assert status.result(timeout=10) == 409
    assert not Reading.objects.exists()
