"""Requests that no honest client sends: each is rejected with a message, and nothing is stored."""

import base64
import json
from uuid import uuid4

import pytest

from readerstudy.audit.models import Event
from readerstudy.client.scripted_reader import PASSING_DISPLAY
from readerstudy.jobs.models import Job
from readerstudy.reading.models import CheckedDisplay, Claim, Reading
from readerstudy.studies.models import Enrollment
from tests import make, walk

pytestmark = pytest.mark.django_db
STORED = (Reading, Claim, CheckedDisplay, Enrollment, Job, Event)
# As JSON: `json.dumps` would not write all of them.
BAD_VALUES = {
    "infinity": "1e999",
    "minus infinity": "-1e999",
    "NaN": "NaN",
    "NUL": r'"a\u0000b"',
    "lone surrogate": r'"\ud800"',
    "lone surrogate as bytes": b'"\xed\xa0\x80"',
    "NUL in a name": r'{"a\u0000b": 1}',
    "lone surrogate in a name": r'{"\udfff": 1}',
    "endless integer": "1" + "0" * 5000,
    "deep list": "[" * 100 + "]" * 100,
    "very deep list": "[" * 100_000 + "]" * 100_000,
    "very deep object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "cut off": '{"a": [1, ',
}


def stored() -> list[int]:
    return [model.objects.count() for model in STORED]


def send(client, address: str, body: dict, value: str | bytes):
    """Post `body` with the string "VALUE" in it replaced by this JSON."""
    raw = value if isinstance(value, bytes) else value.encode()
    content = json.dumps(body).encode().replace(b'"VALUE"', raw)
    return client.generic("POST", address, content, content_type="application/json")


def verdict(step: dict, **changes) -> dict:
    body = {"stimulus": step["stimulus"]["code"], "verdict": "seen", "elapsed_ms": 4000, "key": str(uuid4())}
    return {**body, "paradata": {}, **changes}


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES.keys())
@pytest.mark.parametrize("name", ["paradata", "answers", "key", "verdict", "stimulus", "elapsed_ms", "page"])
def test_a_verdict_with_an_impossible_value_is_rejected(study, rita, value, name):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    before = stored()
    body = verdict(step, **{name: {"a": "VALUE"} if name in ("paradata", "answers") else "VALUE"})
    response = send(client, walk.address(study.code, 1, "verdicts"), body, value)
    assert response.status_code == 400, response.content
    assert response.json()["detail"]
    assert stored() == before


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES.keys())
@pytest.mark.parametrize(
    ("person", "call", "body"),
    [
        ("rita", "reading/tiny/sessions/1/open/", {"page": "VALUE"}),
        ("rita", "reading/tiny/sessions/1/open/", {"unknown": "VALUE", "page": "x"}),
        ("rita", "reading/tiny/sessions/1/display/", {"results": {**PASSING_DISPLAY, "card_px_per_mm": "VALUE"}}),
        ("rita", "reading/tiny/sessions/1/display/", {"results": {**PASSING_DISPLAY, "letters": "VALUE"}}),
        ("clara", "studies/tiny/readers/", {"user": "VALUE"}),
        ("rosa", "studies/tiny/unseal/", {"reason": "VALUE"}),
        ("rosa", "jobs/", {"kind": "train-classifier", "parameters": {"cohort": "films-tiny", "seed": "VALUE"}}),
        ("rosa", "jobs/", {"kind": "attack", "parameters": {"attack": {"method": "pgd", "name": "VALUE"}}}),
        ("rosa", "jobs/", {"kind": "VALUE", "parameters": {}}),
        ("nobody", "token/", {"username": "VALUE", "password": "x"}),
        ("nobody", "token/", {"username": "rita", "password": "VALUE"}),
    ],
)
def test_other_requests_with_an_impossible_value_are_rejected(study, rita, clara, rosa, person, call, body, value):
    before = stored()
    people = {"rita": rita, "clara": clara, "rosa": rosa}
    client = walk.client_of(people[person]) if person in people else walk.APIClient()
    response = send(client, f"/api/v1/{call}", body, value)
    assert response.status_code == 400, response.content
    assert stored() == before


@pytest.mark.parametrize("side", ["viewport", "width", "color_depth"])
def test_a_display_of_impossible_size_is_rejected(study, rita, side):
    size = 10**400
    screen = {**PASSING_DISPLAY["screen"], side: [size, size] if side == "viewport" else size}
    body = {"results": {**PASSING_DISPLAY, "screen": screen}}
    response = walk.client_of(rita).post(walk.address(study.code, 1, "display"), body, format="json")
    assert response.status_code == 400
    assert f"results.screen.{side}" in response.json()["detail"]
    assert not CheckedDisplay.objects.exists()


@pytest.mark.parametrize("number", [10**5, 10**10, 10**30])
def test_a_session_or_a_job_with_an_impossible_number_does_not_exist(study, rita, rosa, number):
    assert walk.client_of(rita).get(walk.address(study.code, number, "step")).status_code == 404
    assert walk.client_of(rosa).get(f"/api/v1/jobs/{number}/").status_code == 404


@pytest.mark.parametrize("cursor", [b"p=x", b"p=\0", b"p=1e999", b"p=" + b"9" * 40, b"\xff", b"o=-1"])
def test_a_damaged_cursor_is_not_found(study, rosa, clara, cursor):
    study.close(at=make.MONDAY)
    address = f"/api/v1/studies/{study.code}/readings/"
    response = walk.client_of(rosa).get(address, {"cursor": base64.b64encode(cursor).decode()})
    assert response.status_code in (200, 404)


# --- codes ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("session", [2, 4])
def test_images_of_a_session_that_is_not_open_are_gone(study, rita, session):
    """The reader cannot know these codes; a guess gets the answer of every other code."""
    reading_list = rita.enrollments.get().reading_lists.get(session_plan__number=session)
    code = reading_list.presentations.first().code
    addresses = [f"images/{code}", *(f"triptychs/{code}/{panel}" for panel in ("real", "adversarial", "difference"))]
    for address in addresses:
        response = walk.client_of(rita).get(f"/api/v1/reading/{study.code}/{address}/")
        assert (response.status_code, response.json()) == (
            410,
            {"title": "Gone", "status": 410, "detail": "This is not the current image."},
        )


# --- size -----------------------------------------------------------------------------------------------------
def nested(levels: int):
    return 0 if levels == 0 else {"a": nested(levels - 1)}


@pytest.mark.parametrize(
    ("paradata", "message"),
    [
        ({"note": "x" * 16_374}, "paradata is 16385 bytes of JSON; at most 16384 are allowed."),
        ({"note": "ä" * 8_187}, "paradata is 16385 bytes of JSON; at most 16384 are allowed."),
        ({str(number): number for number in range(65)}, "paradata has 65 entries; at most 64 are allowed."),
        (nested(6), "paradata is nested 6 levels deep; at most 5 are allowed."),
        (
            {"settings": {"scale": "blurred"}},
            "paradata.settings.scale must be one of: one_to_one, reduced, enlarged, not_exact.",
        ),
    ],
)
def test_paradata_beyond_their_limits_are_rejected(study, rita, paradata, message):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    response = walk.answer(client, study.code, 1, step, "seen", paradata=paradata)
    assert (response.status_code, response.json()["detail"]) == (400, message)
    assert not Reading.objects.exists()


@pytest.mark.parametrize("paradata", [{"note": "x" * 16_373}, nested(5), {str(number): number for number in range(64)}])
def test_paradata_at_their_limits_are_stored(study, rita, paradata):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    assert walk.answer(client, study.code, 1, step, "seen", paradata=paradata).status_code == 201
    assert Reading.objects.get().paradata == paradata


def test_a_request_larger_than_the_limit_is_rejected(study, rita, settings):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    note = "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    response = walk.answer(client, study.code, 1, step, "seen", paradata={"note": note})
    assert response.status_code == 400
    assert response.json()["detail"] == "The request is larger than 2621440 bytes."
    assert not Reading.objects.exists()


@pytest.mark.parametrize("name", ["key", "page"])
def test_a_number_is_not_a_uuid(study, rita, name):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    response = walk.answer(client, study.code, 1, step, "seen", **{name: 5})
    assert response.status_code == 400
    assert name in response.json()["detail"]
