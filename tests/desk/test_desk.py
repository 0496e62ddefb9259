"""The study desk: what it shows coordinators, what it does, and what it must not show."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role
from readerstudy.desk.monitor import SessionState, readers_of
from readerstudy.desk.queries import attention, reported_images, study_lines
from readerstudy.participation.actions import save_rules
from readerstudy.reading.actions import open_session
from readerstudy.reading.models import CheckedDisplay, ImageProblem, ReadingSession
from readerstudy.studies.models import AnalysisExclusion, Presentation, ReadingList, Study
from readerstudy.truth.actions import unseal_study
from tests import make, walk
from tests.analysis import rows
from tests.tamper import without_triggers


@pytest.fixture
def small_study(db):
    return rows.study()


@pytest.fixture
def desk(client, clara):
    client.force_login(clara)
    return client


def report(study, number=3, position=2, reader="R1"):
    presentation = Presentation.objects.get(
        reading_list__enrollment__code=reader, reading_list__session_plan__number=number, position=position
    )
    return ImageProblem.objects.create(presentation=presentation, text="It is cut off.", at=now(), key=uuid4())


PAGES = ("board", "study", "monitor", "reported-images", "record")


def address(page, study):
    return reverse(f"desk:{page}", args=[] if page == "board" else [study.code])


# --- who may see it -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("role", "status"), [(None, 302), (Role.READER, 403), (Role.COORDINATOR, 200), (Role.RESEARCHER, 200)]
)
def test_the_desk_is_for_coordinators_and_researchers(client, small_study, page, role, status):
    if role:
        client.force_login(make.user("somebody", role))
    assert client.get(address(page, small_study)).status_code == status


@pytest.mark.parametrize("role", [None, Role.READER])
def test_nobody_else_resumes_or_excludes(client, small_study, role):
    problem = report(small_study)
    if role:
        client.force_login(make.user("somebody", role))
    for name in ("decide", "resume"):
        answer = client.post(reverse(f"desk:{name}", args=[small_study.code, problem.pk]), {"reason": "Why not."})
        assert answer.status_code in (302, 403)
    assert not AnalysisExclusion.objects.exists()


def test_a_study_that_does_not_exist_is_not_found(desk):
    for page in ("study", "monitor", "reported-images"):
        assert desk.get(reverse(f"desk:{page}", args=["nowhere"])).status_code == 404


def test_coordinators_start_at_the_desk(desk):
    assert desk.get("/").url == reverse("desk:board")


# --- the board ------------------------------------------------------------------------------------------------
TUESDAY = make.MONDAY + timedelta(days=1)  # readers of these studies are enrolled on Monday


def texts(at=TUESDAY):
    return [each.text for each in attention(make.overseer(), at=at)]


def test_an_untroubled_study_needs_nobody(study, rita):
    assert texts() == []


def test_a_session_on_hold_is_named_until_it_is_resumed(desk, db, small):
    study = make.study(changes={"every": {"rest_hours": 1}})
    rita = make.reader_in(study, "rita")
    opened = now() - timedelta(hours=5)
    open_session(reader=rita, study=study.code, number=1, at=opened)
    with pytest.raises(Exception, match="on hold"):
        open_session(reader=rita, study=study.code, number=1, at=now())
    (text,) = texts()
    assert text == "tiny: Session 1 of reader R1 is on hold and waits for you to resume it."
    session = ReadingSession.objects.get()
    assert "on hold" in desk.get(address("study", study)).content.decode()
    desk.post(reverse("desk:resume", args=[study.code, session.pk]), {"reason": ""})
    assert len(texts()) == 1  # a reason is needed
    desk.post(reverse("desk:resume", args=[study.code, session.pk]), {"reason": "She was ill."})
    assert texts() == []


def test_readers_who_have_not_begun_are_counted_after_three_days(study, rita):
    assert texts(make.MONDAY + timedelta(days=2)) == []
    later = make.MONDAY + timedelta(days=4)
    assert texts(later) == ["tiny: 1 reader has not begun within 3 days."]
    make.reader_in(study, "tom")
    assert texts(later) == ["tiny: 2 readers have not begun within 3 days."]
    walk.open_session(walk.client_of(rita), study.code, 1)
    assert texts(later) == ["tiny: 1 reader has not begun within 3 days."]


def test_a_failed_display_check_is_named_until_one_passes(study, rita):
    reading_list = ReadingList.objects.get(enrollment__reader=rita, session_plan__number=1)
    CheckedDisplay.objects.create(reading_list=reading_list, at=now(), passed=False)
    assert texts() == ["tiny: The display of reader R1 did not pass the check before session 1."]
    CheckedDisplay.objects.create(reading_list=reading_list, at=now(), passed=True)
    assert texts() == []


def test_links_are_counted_before_they_expire(rita, clara):
    make_link(user=rita, actor=clara, at=make.MONDAY, days=5)
    assert texts(make.MONDAY + timedelta(days=1)) == []
    assert texts(make.MONDAY + timedelta(days=3)) == ["1 unused sign-in link expires within 3 days."]
    assert "sign-in link" not in str(texts(make.MONDAY + timedelta(days=6)))


def test_reported_images_are_counted_until_they_are_decided(desk, small_study):
    problem = report(small_study)
    assert "small: 1 report of a problem with an image." in texts()
    desk.post(reverse("desk:decide", args=["small", problem.pk]), {"act": "exclude", "reason": "It is cut off."})
    assert not any("report of a problem" in text for text in texts())


def test_the_board_asks_the_database_the_same_number_of_questions(desk, small_study):
    with CaptureQueriesContext(connection) as few:
        desk.get(reverse("desk:board"))
    for number in range(5):
        rows.study(readers=[f"reader{number}"], code=f"other{number}", is_rehearsal=True)
    with CaptureQueriesContext(connection) as many:
        desk.get(reverse("desk:board"))
    assert len(many) == len(few)


def test_a_line_of_a_study_sums_its_readers(small_study):
    (line,) = study_lines(make.overseer())
    readings = sum(reader.answered for reader in readers_of(small_study, at=now()))
    assert (line.study, line.readers, line.answered) == (small_study, 2, readings)


# --- the monitor ----------------------------------------------------------------------------------------------
def test_the_monitor_follows_a_reader_through_the_sessions(study, rita):
    (reader,) = readers_of(study, at=now())
    assert [each.state for each in reader.sessions] == [SessionState.READY, *[SessionState.LOCKED] * 4]
    assert (reader.last_seen, reader.has_begun) == (None, False)
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    walk.answer(client, study.code, 1, step, "seen", elapsed_ms=2500)
    (reader,) = readers_of(study, at=now())
    first = reader.sessions[0]
    assert (first.state, first.answered, first.pace_s) == (SessionState.READING, 1, 2.5)
    walk.finish_session(client, study.code, 1)
    (reader,) = readers_of(study, at=now())
    assert [each.state for each in reader.sessions[:3]] == [SessionState.DONE, SessionState.READY, SessionState.LOCKED]
    assert reader.last_seen is not None


def test_a_washout_is_shown_with_its_end(db, small):
    study = make.study(changes={"every": {"washout_days": 7}})
    walk.finish_session(walk.client_of(make.reader_in(study, "rita")), study.code, 1)
    (reader,) = readers_of(study, at=now())
    assert reader.sessions[1].state is SessionState.WASHOUT
    assert timedelta(days=6) < reader.sessions[1].opens_at - now() <= timedelta(days=7)
    (later,) = readers_of(study, at=now() + timedelta(days=8))
    assert later.sessions[1].state is SessionState.READY


@pytest.mark.parametrize(("elapsed_ms", "warned"), [(799, True), (800, False)])
def test_a_run_of_very_quick_verdicts_is_marked_as_the_study_says(desk, study, rita, clara, elapsed_ms, warned):
    save_rules(study=study, values={"quick_ms": 800, "quick_run": 3}, actor=clara, at=make.MONDAY)
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    for _ in range(2):
        step = walk.answer(client, study.code, 1, step, "seen", elapsed_ms=elapsed_ms).json()["step"]
    (reader,) = readers_of(study, at=now())
    assert not reader.sessions[0].is_too_quick  # too few to tell
    walk.answer(client, study.code, 1, step, "seen", elapsed_ms=elapsed_ms)
    (reader,) = readers_of(study, at=now())
    assert reader.sessions[0].is_too_quick is warned
    assert ("very quick" in desk.get(address("monitor", study)).content.decode()) is warned


def test_the_monitor_asks_one_question_however_many_read(desk, small_study):
    with CaptureQueriesContext(connection) as queries:
        readers_of(small_study, at=now())
    assert len(queries) == 1


# --- reported images ------------------------------------------------------------------------------------------
def test_reports_of_one_image_are_counted_over_the_readers(small_study):
    for reader in ("R1", "R2"):
        report(small_study, reader=reader)
    report(small_study, position=1)
    assert [(each.reader, each.position, each.same_image) for each in reported_images(small_study)] == [
        ("R1", 1, 1),
        ("R2", 2, 2),
        ("R1", 2, 2),
    ]


def test_an_image_is_excluded_and_included_again_with_reasons(desk, small_study):
    problem = report(small_study)
    page, decide = address("reported-images", small_study), reverse("desk:decide", args=["small", problem.pk])
    desk.post(decide, {"act": "exclude", "reason": "Half of it is missing."})
    assert "Half of it is missing." in desk.get(page).content.decode()
    answer = desk.post(decide, {"act": "include", "reason": ""}, follow=True)
    assert "Enter a reason" in answer.content.decode()
    desk.post(decide, {"act": "include", "reason": "It was her browser."})
    assert "Half of it is missing." not in desk.get(page).content.decode()
    assert AnalysisExclusion.objects.get().withdrawn_at is not None


def test_nothing_is_decided_once_the_study_is_unsealed(desk, small_study, rosa):
    problem = report(small_study)
    unseal_study(study=rows.closed(small_study), actor=rosa, reason="All have read.", at=make.MONDAY)
    page = desk.get(address("reported-images", small_study)).content.decode()
    assert '<form method="post" action="/desk' not in page
    answer = desk.post(
        reverse("desk:decide", args=["small", problem.pk]), {"act": "exclude", "reason": "Spoils it."}, follow=True
    )
    assert "unsealed" in answer.content.decode()
    assert not AnalysisExclusion.objects.exists()


def test_a_report_of_another_study_is_not_decided_here(desk, small_study):
    problem = report(small_study)
    answer = desk.post(reverse("desk:decide", args=["other", problem.pk]), {"act": "exclude", "reason": "x"})
    assert answer.status_code == 404


# --- blinding -------------------------------------------------------------------------------------------------
def test_no_page_of_the_desk_depends_on_the_truth(desk, small_study):
    """Every page stays the same, byte for byte, if real and adversarial images change places in the truth's tables."""
    report(small_study)
    report(small_study, position=1)
    connection.check_constraints()  # the entries of the record, which a commit writes
    before = _pages(desk, small_study)
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("UPDATE truth_truth SET label = 1 - label")
        cursor.execute("UPDATE truth_imagetruth SET pathology = 'other'")
    assert _pages(desk, small_study) == before


def _pages(desk, study):
    # The time of the request and the tokens against forged requests are of each answer.
    volatile = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|As of [^.]*\.')
    return [volatile.sub("", desk.get(address(page, study)).content.decode()) for page in PAGES]


def test_pages_of_the_desk_hold_no_key_of_an_image(desk, small_study):
    report(small_study)
    keys = {str(key) for key in Presentation.objects.values_list("stimulus_id", flat=True)}
    codes = set(Presentation.objects.values_list("code", flat=True))
    for body in _pages(desk, small_study):
        assert not any(key in body for key in keys | codes)
    assert Study.objects.count() == 1
