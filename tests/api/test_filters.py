"""Filters and pages of lists: what is not understood is refused by its name, and no row is missed or doubled."""

import pytest
from django.utils.timezone import now

from readerstudy.accounts.models import Role
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.experiments.models import Attack, Checkpoint
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import new_job
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study
from readerstudy.truth.actions import unseal_study
from tests import make, walk

pytestmark = pytest.mark.django_db
LISTS = (
    *("studies/", "studies/tiny/readings/", "studies/tiny/mails/", "studies/tiny/events/"),
    *("events/", "jobs/", "runs/", "attacks/", "evaluations/", "images/"),
)
FILES = ("studies/tiny/readings.csv", "studies/tiny/readings.parquet")
OTHERS = ("studies/tiny/", "studies/tiny/monitor/", "studies/tiny/results/", "studies/tiny/plans/")


def get(who, address: str, /, **query):
    return walk.client_of(who).get(f"/api/v1/{address}", query)


@pytest.fixture
def closed(study, rita, clara):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    walk.finish_session(walk.client_of(rita), study.code, 2)
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    return study


def seen_on_pages(who, address: str, name: str, /, **query) -> list:
    """The values of one member over all pages, followed by `next`."""
    answer, values = get(who, address, **query).json(), []
    while True:
        values += [row[name] for row in answer["results"]]
        if answer["next"] is None:
            return values
        answer = walk.client_of(who).get(answer["next"]).json()


# --- refused ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", [*LISTS, *FILES, *OTHERS])
def test_an_unknown_filter_is_refused_by_its_name(closed, rosa, address):
    answer = get(rosa, address, colour="red")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("colour: there is no such filter")


@pytest.mark.parametrize(
    ("address", "query", "sentence"),
    [
        ("studies/", {"status": "ajar"}, "status: Select a valid choice. ajar is not one"),
        ("studies/", {"is_rehearsal": "maybe"}, "is_rehearsal: Select a valid choice."),
        ("studies/", {"status": ""}, "status: give one value."),
        ("studies/", {"page_size": "0"}, "page_size: from 1 to 1000 rows."),
        ("studies/", {"page_size": "many"}, "page_size: from 1 to 1000 rows."),
        ("jobs/", {"status": ["done", "failed"]}, "status: give one value."),
        ("jobs/", {"queued_after": "yesterday"}, "queued_after: Enter a valid date/time."),
        ("runs/", {"kind": "carousel"}, "kind: Select a valid choice."),
        ("images/", {"is_fooled": "true"}, "is_fooled: name a classifier."),
        ("images/", {"split": "half"}, "split: Select a valid choice."),
        ("events/", {"kind": "weather"}, "kind: Select a valid choice."),
        ("events/", {"person": "nobody"}, "person: there is nobody with the user name nobody."),
        ("studies/tiny/readings/", {"session": "first"}, "session: Enter a whole number."),
        ("studies/tiny/readings/", {"session": "1.5"}, "session: Enter a whole number."),
        ("studies/tiny/readings.csv", {"verdict": "fine"}, "verdict: Select a valid choice."),
        ("studies/tiny/readings.parquet", {"quality": "D"}, "quality: Select a valid choice."),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_filter(closed, rosa, address, query, sentence):
    answer = get(rosa, address, **query)
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("cursor", ["x", "cD14", "-1", "99999999999999999999"])
def test_a_damaged_cursor_is_not_found_in_any_list(closed, rosa, address, cursor):
    assert get(rosa, address, cursor=cursor).status_code in (200, 404)


# --- selected -----------------------------------------------------------------------------------------------
def test_readings_are_selected_by_what_was_answered(closed, clara):
    everything = get(clara, "studies/tiny/readings/").json()["results"]
    assert {row["session"] for row in everything} == {1, 2}
    for query in ({"session": 2}, {"verdict": everything[-1]["verdict"]}, {"reader": "R1"}, {"reader": "R9"}):
        ((name, value),) = query.items()
        expected = [row["receipt"] for row in everything if row[name] == value]
        assert [row["receipt"] for row in get(clara, "studies/tiny/readings/", **query).json()["results"]] == expected
        lines = get(clara, "studies/tiny/readings.csv", **query).getvalue().decode().splitlines()
        assert len(lines) == 1 + len(expected)
    last = everything[-2]["answered_at"]
    later = get(clara, "studies/tiny/readings/", answered_after=last).json()["results"]
    assert [row["receipt"] for row in later] == [everything[-1]["receipt"]]


@pytest.mark.parametrize("name", ["authenticity", "pathology", "direction", "image", "aid_above", "presentation"])
def test_no_filter_of_readings_asks_for_the_truth(closed, rosa, name):
    """Not even after the unsealing: a filter that was there before would have answered."""
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    assert get(rosa, "studies/tiny/readings/", **{name: "real"}).status_code == 400


def test_studies_jobs_and_runs_are_selected(study, clara, rosa):
    assert [row["code"] for row in get(clara, "studies/", status="open").json()["results"]] == ["tiny"]
    assert get(clara, "studies/", status="draft").json()["results"] == []
    assert get(clara, "studies/", is_rehearsal="true").json()["results"] == []
    job = new_job("attack", {"cohort": "films"}, requested_by=rosa, at=make.MONDAY)
    assert [row["id"] for row in get(clara, "jobs/", status="queued", requested_by="rosa").json()["results"]] == [
        job.pk
    ]
    assert get(clara, "jobs/", kind="evaluate").json()["results"] == []
    runs = Checkpoint.objects.filter(kind="generator")
    names = {row["name"] for row in get(rosa, "runs/", kind="generator").json()["results"]}
    assert names == set(runs.values_list("name", flat=True))


def test_one_run_one_attack_and_one_reader_have_addresses_of_their_own(study, rita, rosa):
    for kind, model in (("runs", Checkpoint), ("attacks", Attack)):
        for row in get(rosa, f"{kind}/").json()["results"]:
            assert get(rosa, f"{kind}/{row['name']}/").json() == row
            assert model.objects.filter(name=row["name"]).exists()
        assert get(rosa, f"{kind}/none/").status_code == 404
    (reader,) = get(rosa, "studies/tiny/readers/").json()
    assert get(rosa, "studies/tiny/readers/R1/").json() == reader
    assert get(rosa, "studies/tiny/readers/R2/").status_code == 404


def test_the_plans_of_a_study_are_those_that_were_locked(study, clara):
    plans = get(clara, "studies/tiny/plans/").json()
    page = get(clara, "studies/tiny/").json()
    assert plans["is_locked"]
    assert {name: plans[name] for name in ("plan", "plan_sha256", "analysis_sha256")} == {
        name: page[name] for name in ("plan", "plan_sha256", "analysis_sha256")
    }
    assert plans["analysis"] == study.analysis.as_data()
    assert plans["analysis_sha256"] == study.analysis.hash


# --- pages --------------------------------------------------------------------------------------------------
def test_pages_miss_and_double_nothing_while_rows_are_added(rosa):
    jobs = [new_job("attack", {"seed": number}, requested_by=rosa, at=make.MONDAY).pk for number in range(7)]
    first = get(rosa, "jobs/", page_size=3).json()
    new_job("attack", {"seed": 99}, requested_by=rosa, at=make.MONDAY)
    second = walk.client_of(rosa).get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == jobs[:0:-1]
    assert [row["id"] for row in walk.client_of(rosa).get(second["next"]).json()["results"]] == jobs[:1]
    assert seen_on_pages(rosa, "jobs/", "id", page_size=2, status="queued") == [
        Job.objects.latest("pk").pk,
        *jobs[::-1],
    ]


def test_events_of_one_moment_come_once_on_pages(study, clara):
    for number in range(5):
        record("trail.reviewed", actor=clara, subject=study, at=make.MONDAY, up_to=number, remark="Read.")
    expected = Event.objects.filter(study="tiny").order_by("-at", "-pk").values_list("pk", flat=True)
    assert seen_on_pages(clara, "studies/tiny/events/", "event", page_size=2) == list(expected)


def test_readings_come_in_the_order_of_storing_on_pages(closed, clara):
    stored = [str(receipt) for receipt in Reading.objects.order_by("pk").values_list("receipt", flat=True)]
    assert seen_on_pages(clara, "studies/tiny/readings/", "receipt", page_size=2) == stored


# --- events -------------------------------------------------------------------------------------------------
def test_the_trail_says_what_the_page_says_to_the_same_people(study, rita, clara, rosa):
    record("study.commented", actor=clara, subject=study, at=now(), reason="Too dark.")
    (newest, *_) = get(clara, "studies/tiny/events/").json()["results"]
    assert (newest["name"], newest["by"], newest["study"], newest["reason"]) == (
        "study.commented",
        "clara",
        "tiny",
        "Too dark.",
    )
    assert newest["sentence"].startswith("clara")
    by_rita = get(clara, "events/", person="rita", study="tiny").json()["results"]
    assert {row["by"] for row in by_rita} <= {"clara", "", "rita"}
    assert get(clara, "studies/tiny/events/", kind="study", person="clara").json()["results"][0] == newest
    assert get(clara, "studies/tiny/events/", until="2000-01-01T00:00:00Z").json()["results"] == []
    carl = make.stranger("carl", Role.COORDINATOR)
    assert not any(row["study"] for row in get(carl, "events/").json()["results"])
    for address in ("studies/tiny/events/", "studies/none/events/"):
        assert get(carl, address).status_code == 404
    assert get(carl, "events/", study="tiny").json()["detail"] == "There is no study tiny."
