"""The reader's API: the server owns the position, a verdict is stored once, two images may be fetched ahead."""

from uuid import uuid4

import pytest

from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.models import Presentation
from tests import make, walk


def test_rita_reads_all_five_sessions_in_order_and_every_image_once(study, rita):
    client = walk.client_of(rita)
    given = walk.finish_study(client, study.code)
    readings = Reading.objects.select_related("presentation__reading_list__session_plan")
    places = [
        (r.presentation.reading_list.session_plan.number, r.presentation.position) for r in readings.order_by("id")
    ]
    assert given == len(places) == sum(plan.total for plan in study.session_plans.all())
    assert places == sorted(set(places))
    states = client.get("/api/v1/reading/").json()["studies"][0]["sessions"]
    assert [session["state"] for session in states] == ["done"] * 5


def test_a_session_opens_only_when_the_one_before_is_finished(study, rita):
    client = walk.client_of(rita)
    response = client.post(walk.address(study.code, 2, "open"))
    assert response.status_code == 409
    assert response.json()["detail"] == "Session 2 is locked until session 1 is done."
    assert not ReadingSession.objects.exists()


def test_the_step_stays_the_same_until_answered(study, rita):
    client = walk.client_of(rita)
    first = walk.open_session(client, study.code, 1)
    assert client.get(walk.address(study.code, 1, "step")).json() == first
    assert walk.open_session(client, study.code, 1) == first


def test_the_same_key_twice_is_one_reading_with_one_receipt(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    key = str(uuid4())
    first = walk.answer(client, study.code, 1, step, "seen", key=key)
    again = walk.answer(client, study.code, 1, step, "seen", key=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Reading.objects.count() == 1


def test_a_key_sent_again_with_another_verdict_is_rejected(study, rita):
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    step = walk.open_session(client, study.code, 2)
    key = str(uuid4())
    assert walk.answer(client, study.code, 2, step, "real", key=key).status_code == 201
    changed = walk.answer(client, study.code, 2, step, "not_real", key=key)
    assert changed.status_code == 409
    assert changed.json()["detail"] == "This key belongs to another verdict."
    assert Reading.objects.get(key=key).verdict == "real"


def test_an_answered_image_cannot_be_answered_under_another_key(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    after = walk.answer(client, study.code, 1, step, "seen").json()["step"]
    second = walk.answer(client, study.code, 1, step, "seen")
    assert second.status_code == 409
    assert second.json()["step"] == after
    assert Reading.objects.count() == 1


def test_the_next_image_cannot_be_answered_before_the_current_one(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    ahead = {**step, "stimulus": step["next"]}
    assert walk.answer(client, study.code, 1, ahead, "seen").status_code == 409
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "real"}, "verdict"),  # session 1 asks nothing
        ({"elapsed_ms": -1}, "elapsed_ms"),
        ({"elapsed_ms": "soon"}, "elapsed_ms"),
        ({"elapsed_ms": 10**12}, "elapsed_ms"),
        ({"key": "1"}, "key"),
        ({"stimulus": "../../etc"}, "stimulus"),
        ({"paradata": [1]}, "paradata"),
        ({"paradata": {str(n): n for n in range(100)}}, "paradata"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(study, rita, changes, named):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    response = walk.answer(client, study.code, 1, step, **{"verdict": "seen", **changes})
    assert response.status_code == 400
    assert named in response.json()["detail"]
    assert not Reading.objects.exists()


def test_a_key_of_another_reader_is_refused(study, rita):
    paul = make.reader_in(study, "paul")
    key = str(uuid4())
    for reader, status in ((rita, 201), (paul, 400)):
        client = walk.client_of(reader)
        step = walk.open_session(client, study.code, 1)
        assert walk.answer(client, study.code, 1, step, "seen", key=key).status_code == status


def test_only_the_current_picture_and_the_next_two_are_served(study, rita):
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 3)
    lists = Presentation.objects.filter(reading_list__enrollment__reader=rita, reading_list__session_plan__number=3)
    codes = lists.order_by("position").values_list("code", flat=True)
    addresses = [step["stimulus"]["image"].replace(codes[0], code) for code in codes]
    assert addresses[:3] == [step[name]["image"] for name in ("stimulus", "next", "after_next")]
    assert [client.get(address).status_code for address in addresses[:5]] == [200, 200, 200, 410, 410]
    after = walk.answer(client, study.code, 3, step, "real").json()["step"]
    assert after["after_next"]["image"] == addresses[3]
    assert client.get(addresses[0]).status_code == 410
    assert client.get(after["stimulus"]["image"]).status_code == 200


def test_somebody_elses_pictures_and_sessions_do_not_exist(study, rita):
    stranger = walk.client_of(make.user("sam"))
    step = walk.open_session(walk.client_of(rita), study.code, 1)
    assert stranger.get(step["stimulus"]["image"]).status_code == 410
    assert stranger.get(walk.address(study.code, 1, "step")).status_code == 404
    assert stranger.get("/api/v1/reading/").json() == {"studies": []}


def test_a_closed_study_takes_no_more_verdicts(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    study.close(at=make.MONDAY)
    response = walk.answer(client, study.code, 1, step, "seen")
    assert response.status_code == 409
    assert "closed" in response.json()["detail"]
    again = client.get(walk.address(study.code, 1, "step"))
    assert (again.status_code, "closed" in again.json()["detail"]) == (409, True)


def test_a_receipt_reaches_the_reader_after_the_study_was_closed(study, rita):
    client = walk.client_of(rita)
    step = walk.open_session(client, study.code, 1)
    key = str(uuid4())
    first = walk.answer(client, study.code, 1, step, "seen", key=key)
    study.close(at=make.MONDAY)
    again = walk.answer(client, study.code, 1, step, "seen", key=key)
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])


def test_every_reader_gets_the_same_images_in_the_same_order_under_other_codes(study, rita):
    paul = make.reader_in(study, "paul")
    lists = [
        [(p.position, p.stimulus_id) for p in reading_list.presentations.all()]
        for reader in (rita, paul)
        for reading_list in reader.enrollments.get().reading_lists.order_by("session_plan__number")
    ]
    assert lists[:5] == lists[5:]
    codes = [
        p.code
        for reader in (rita, paul)
        for rl in reader.enrollments.get().reading_lists.all()
        for p in rl.presentations.all()
    ]
    assert len(set(codes)) == len(codes)
