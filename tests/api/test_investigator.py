"""The investigators' API: counts while readers read, verdicts after closing, the truth after unsealing."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from readerstudy.audit.models import Event
from readerstudy.cohort.models import Stimulus
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Enrollment
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.seeds import seed_of
from tests import make, walk

AID = {"aid_score", "aid_threshold", "aid_above"}
SCORES = {"classifier_score", "classifier_source_score"}
SIGHTED = {"authenticity", "pathology", "direction", "image", "patient", "split", "laterality", "view_position"}
SIGHTED |= AID | SCORES | {"paradata"}


def address(study, call: str = "") -> str:
    return f"/api/v1/studies/{study.code}/{call}"


@pytest.fixture
def read(study, rita):
    """The study with all five sessions read by Rita; every second verdict is "not_real"."""
    walk.finish_study(walk.client_of(rita), study.code, lambda step: ("real", "not_real")[step["position"] % 2])
    return study


@pytest.fixture
def closed(read, clara):
    close_study(study=read, actor=clara, reason="All have read.", at=make.MONDAY)
    return read


@pytest.fixture
def unsealed(closed, rosa):
    unseal_study(study=closed, actor=rosa, reason="All readers are done.", at=make.MONDAY)
    return closed


def readings(person, study) -> list[dict]:
    response = walk.client_of(person).get(address(study, "readings/"))
    assert response.status_code == 200, response.content
    return response.json()["results"]


# --- progress -----------------------------------------------------------------------------------------------
def test_clara_sees_how_far_rita_is_and_no_verdict(study, rita, clara):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    client = walk.client_of(clara)
    (line,) = client.get("/api/v1/studies/").json()["results"]
    page = client.get(address(study)).json()
    total = sum(plan.total for plan in study.session_plans.all())
    assert (line["readers"], line["answered"], line["total"]) == (1, 3, total)
    assert [(s["answered"], s["finished"]) for s in page["sessions"]] == [(3, 1), (0, 0), (0, 0), (0, 0), (0, 0)]
    (reader,) = page["enrolled"]
    assert (reader["code"], reader["user"], reader["answered"]) == ("R1", "rita", 3)
    assert page["sessions"] == client.get(address(study, "sessions/")).json()
    assert page["enrolled"] == client.get(address(study, "readers/")).json()
    assert '"verdict"' not in str(page)


def test_sums_do_not_mix_two_readers_or_two_studies(study, rita, clara):
    make.reader_in(study, "paul")
    other = make.study("other", scale=0.02)
    walk.finish_session(walk.client_of(rita), study.code, 1)
    lines = {line["code"]: line for line in walk.client_of(clara).get("/api/v1/studies/").json()["results"]}
    total = sum(plan.total for plan in study.session_plans.all())
    assert [lines[study.code][name] for name in ("readers", "answered", "total")] == [2, 3, 2 * total]
    assert [lines[other.code][name] for name in ("readers", "answered", "total")] == [0, 0, 0]


def test_the_seed_of_the_draw_stays_hidden_until_the_study_is_unsealed(closed, clara, rosa):
    pages = [walk.client_of(person).get(address(closed)).json() for person in (clara, rosa)]
    assert [page["seed"] for page in pages] == [None, None]
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    assert walk.client_of(rosa).get(address(closed)).json()["seed"] == seed_of(closed)


def test_an_unknown_study_is_not_found_by_a_sentence(study, clara):
    response = walk.client_of(clara).get("/api/v1/studies/nowhere/")
    assert response.status_code == 404
    assert response.json()["detail"] == "There is no study nowhere."


# --- acts ---------------------------------------------------------------------------------------------------
def test_clara_enrolls_a_reader_by_user_name(study, clara):
    paul = make.user("paul")
    response = walk.client_of(clara).post(address(study, "readers/"), {"user": "paul"})
    assert (response.status_code, response.json()["code"]) == (201, "R1")
    assert Enrollment.objects.get(reader=paul).reading_lists.count() == 5
    assert Event.objects.get(verb="reader.enrolled").actor == clara


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"user": "nobody"}, "user: there is nobody with the user name 'nobody'."),
        ({"user": "rosa"}, "rosa is a Researcher; only readers can be enrolled."),
        ({"user": "rita"}, "rita is enrolled in tiny already."),
        ({}, "user: This field is required."),
        ([], "Invalid data"),
    ],
)
def test_who_cannot_be_enrolled_is_said_in_a_sentence(study, rita, clara, rosa, body, sentence):
    response = walk.client_of(clara).post(address(study, "readers/"), body)
    assert response.status_code == 400
    assert sentence in response.json()["detail"]
    assert Enrollment.objects.count() == 1


def test_closing_is_on_record_and_happens_once(study, clara):
    client = walk.client_of(clara)
    assert client.post(address(study, "close/"), {"reason": "All have read."}).json()["status"] == "closed"
    again = client.post(address(study, "close/"), {"reason": "All have read."})
    assert (again.status_code, again.json()["detail"]) == (409, "Study tiny is not open or paused.")
    assert Event.objects.filter(verb="study.closed", actor=clara).count() == 1


def test_only_a_researcher_unseals_and_only_a_closed_study_for_a_reason(study, clara, rosa):
    why = {"reason": "All readers are done."}
    calls = [
        (rosa, why, 409),  # still open
        (clara, why, 403),
        (rosa, {"reason": " "}, 400),
        (rosa, {}, 400),
        (rosa, why, 200),
        (rosa, why, 409),  # once
    ]
    for step, (person, body, status) in enumerate(calls):
        if step == 1:
            close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
        response = walk.client_of(person).post(address(study, "unseal/"), body)
        assert response.status_code == status, response.json()
    study.refresh_from_db()
    assert study.status == StudyStatus.UNSEALED
    assert Event.objects.get(verb="study.unsealed").data["reason"] == why["reason"]


# --- readings -----------------------------------------------------------------------------------------------
def test_no_verdict_is_shown_while_the_study_is_open(read, clara, rosa):
    for person in (clara, rosa):
        for call in ("readings/", "readings/?format=csv", "readings.csv"):
            response = walk.client_of(person).get(address(read, call))
            assert response.status_code == 409
            assert b"its readings are shown once it is closed" in response.content


def test_every_reading_is_listed_once_in_the_order_given(closed, rosa):
    lines = readings(rosa, closed)
    stored = Reading.objects.order_by("pk").select_related("presentation")
    assert [line["receipt"] for line in lines] == [str(reading.receipt) for reading in stored]
    assert [line["presentation"] for line in lines] == [reading.presentation.code for reading in stored]
    assert [line["verdict"] for line in lines] == [reading.verdict for reading in stored]
    assert {line["reader"] for line in lines} == {"R1"}


def test_while_sealed_a_reading_holds_nothing_of_what_was_shown(closed, clara, rosa):
    """Not even by a detour: names, addresses, sizes and keys of the files are looked for in the bytes."""
    for person in (clara, rosa):
        for call in ("readings/", "readings.csv"):
            response = walk.client_of(person).get(address(closed, call))
            body = response.getvalue() if response.streaming else response.content
            for stimulus in Stimulus.objects.select_related("image__exam__patient"):
                tells = [stimulus.file, stimulus.sha256, stimulus.image.fingerprint[:12]]
                tells.append(stimulus.image.exam.patient.pseudonym)
                assert not any(tell.encode() in body for tell in tells)
    assert not SIGHTED & readings(rosa, closed)[0].keys()
    expected = {"reader", "session", "position", "presentation", "verdict", "elapsed_ms"}
    assert readings(rosa, closed)[0].keys() == expected | {
        "shown_at",
        "answered_at",
        "quality",
        "quality_reasons",
        "answers",
        "receipt",
        "is_repeat",
        "arm",
    }


def test_after_unsealing_rosa_sees_the_truth_and_clara_does_not(unsealed, clara, rosa):
    assert not SIGHTED & readings(clara, unsealed)[0].keys()
    for line in readings(rosa, unsealed):
        stimulus = Reading.objects.get(receipt=line["receipt"]).presentation.stimulus
        truth = Truth.objects.get(stimulus=stimulus)
        taught = line["session"] == 4
        assert line["authenticity"] == ("pair" if taught else truth.authenticity)
        assert line["pathology"] == ImageTruth.objects.get(image=stimulus.image).pathology
        assert line["direction"] == truth.direction
        assert line["view_position"] == stimulus.image.attributes["view_position"]
    authenticities = [line["authenticity"] for line in readings(rosa, unsealed) if line["session"] == 3]
    assert authenticities.count("adversarial") == authenticities.count("real") == 7


def test_pages_follow_one_another_without_gap_or_double(closed, rosa):
    client, found = walk.client_of(rosa), []
    following = address(closed, "readings/?page_size=10")
    while following:
        page = client.get(following).json()
        assert len(page["results"]) <= 10
        found += [line["receipt"] for line in page["results"]]
        following = page["next"]
    assert found == [str(receipt) for receipt in Reading.objects.order_by("pk").values_list("receipt", flat=True)]


@pytest.mark.parametrize("call", ["readings.csv", "readings/?format=csv"])
def test_the_csv_says_the_same_as_the_json(unsealed, rosa, call):
    response = walk.client_of(rosa).get(address(unsealed, call))
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    lines = readings(rosa, unsealed)
    assert len(rows) == len(lines) == 37
    for row, line in zip(rows, lines, strict=True):
        assert row.keys() == line.keys()
        same = {name for name in line if name not in ("shown_at", "answered_at")}
        assert {name: row[name] for name in same} == {name: in_csv(line[name]) for name in same}


def in_csv(value) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def test_readings_need_no_more_queries_when_there_are_more_of_them(study, rita, clara, rosa, monkeypatch):
    # Fetched from the server in small portions, so that the file is written before it is all read.
    monkeypatch.setattr("readerstudy.api.dataset.CHUNK", 4)
    counts = []
    paul = make.reader_in(study, "paul")
    for reader in (rita, paul):
        walk.finish_study(walk.client_of(reader), study.code)
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="Done.", at=make.MONDAY)
    for size in (5, 70):
        with CaptureQueriesContext(connection) as queries:
            walk.client_of(rosa).get(address(study, f"readings/?page_size={size}"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    response = walk.client_of(rosa).get(address(study, "readings.csv"))
    assert response.getvalue().count(b"\n") == 1 + 2 * 37


def test_results_wait_for_the_unsealing(closed, clara, rosa):
    client = walk.client_of(rosa)
    refused = client.get(address(closed, "results/"))
    assert (refused.status_code, "still sealed" in refused.json()["detail"]) == (409, True)
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    results = client.get(address(closed, "results/")).json()
    assert results["study"] == "tiny"
    assert {"table2", "table3", "table4"} <= results["tables"].keys()
    assert results["tables"]["table4"]["rows"]
    assert walk.client_of(clara).get(address(closed, "results/")).status_code == 403
