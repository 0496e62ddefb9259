"""The client for programs: sessions, steps, verdicts, errors, and no Django."""

import subprocess
import sys
from uuid import uuid4

import pytest

from readerstudy.client.api_client import ApiError
from readerstudy.client.reader_client import image_addresses
from readerstudy.client.scripted_reader import play_session
from readerstudy.errors import StudyError
from readerstudy.reading.models import CheckedDisplay, Reading
from tests import make, walk


@pytest.fixture
def program(study, rita):
    """Rita's client in `study`."""
    return walk.program_of(walk.client_of(rita))


def test_the_client_imports_no_django():
    code = "import sys, readerstudy.client.scripted_reader; print('django' in sys.modules, 'httpx' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


def test_a_scripted_reader_practises_answers_questions_and_finishes(db, small):
    study = make.study(changes={"every": {"practice": True, "questions": ["confidence", "diagnosis"]}})
    program = walk.program_of(walk.client_of(make.reader_in(study, "rita")))
    positions = []
    for session in program.sessions(study.code):
        for step in play_session(program, study.code, session["number"], lambda step: ("not_real", 1234)):
            positions.append((session["number"], step["position"]))
            assert Reading.objects.count() == len(positions) - 1, "a step is yielded before it is answered"
    assert len(positions) == Reading.objects.count() == sum(plan.total for plan in study.session_plans.all())
    assert [session["state"] for session in program.sessions(study.code)] == ["done"] * 5
    readings = Reading.objects.filter(presentation__reading_list__session_plan__number=3)
    assert {reading.verdict for reading in readings} == {"not_real"}
    assert readings[0].answers == {"confidence": "1", "diagnosis": "negative"}
    assert CheckedDisplay.objects.filter(passed=True).count() == 5


def test_a_rejected_request_raises_the_message_of_the_server(study, program):
    with pytest.raises(ApiError, match="Session 2 is locked until session 1 is done") as caught:
        program.open_session(study.code, 2)
    assert caught.value.status == 409


def test_a_study_of_somebody_else_is_an_error(program):
    with pytest.raises(StudyError, match="not enrolled in a study elsewhere"):
        program.sessions("elsewhere")


def test_the_same_key_gives_the_same_receipt(study, program):
    step, key = program.open_session(study.code, 1), uuid4()
    receipts = [program.give_verdict(study.code, 1, step, "seen", elapsed_ms=900, key=key)["receipt"] for _ in range(2)]
    assert receipts[0] == receipts[1]
    assert program.current_step(study.code, 1)["position"] == 2


def test_another_page_takes_the_session_over(study, program):
    program.open_session(study.code, 1, page=uuid4())
    step = program.open_session(study.code, 1, page=uuid4())
    assert step["position"] == 1


def test_an_image_comes_with_everything_that_a_browser_could_see(study, program):
    step = program.open_session(study.code, 1)
    (address,) = image_addresses(step)
    response = program.fetch_image(address)
    assert (response.status, len(response.body)) == (200, study.image_bytes)
    assert dict(response.headers)["Content-Type"] == "application/octet-stream"
    assert response.body.startswith(b"\x89PNG")
    assert response.seconds > 0
