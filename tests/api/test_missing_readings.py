"""Rows for presentations without a reading: each once, as an option of the files, refused where it makes no sense."""

import csv
import io
from collections import Counter
from dataclasses import replace

import pyarrow.parquet
import pytest
from django.db import connection

from readerstudy.api import dataset
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study, enroll, withdraw_reader
from readerstudy.studies.models import Allocation, Arm, Enrollment, Presentation, Study
from readerstudy.truth.actions import unseal_study
from tests import make, walk

pytestmark = pytest.mark.django_db
BASE = "/api/v1/studies/tiny/"
OF_READING = {
    "verdict", "elapsed_ms", "shown_at", "answered_at", "quality", "quality_reasons", "answers", "receipt", "paradata",
}  # fmt: skip


@pytest.fixture
def paul(study):
    """A reader in a second arm, whose lists have the same images in another order."""
    first = study.arms.get()
    second = Arm.objects.create(study=study, name="other", resolution=first.resolution)
    for each in Allocation.objects.filter(arm=first):
        position = each.session_plan.total + 1 - each.position
        values = {"session_plan": each.session_plan, "position": position, "stimulus": each.stimulus}
        Allocation.objects.create(arm=second, is_repeat=each.is_repeat, **values)
    reader = make.user("paul")
    enroll(study=study, reader=reader, arm=second, at=make.MONDAY)
    return reader


@pytest.fixture
def closed(study, rita, paul, clara):
    """Rita has read sessions 1 and 2 and one image of the third, Paul the first session."""
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    walk.answer(client, study.code, 3, walk.open_session(client, study.code, 3), "unsure")
    walk.finish_session(walk.client_of(paul), study.code, 1)
    close_study(study=study, actor=clara, reason="Enough.", at=make.MONDAY)
    return study


def rows(person, query: str = "missing=true") -> list[dict[str, str]]:
    answer = walk.client_of(person).get(f"{BASE}readings.csv?{query}")
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def missing(person, query: str = "missing=true") -> list[dict[str, str]]:
    return [row for row in rows(person, query) if not row["verdict"]]


@pytest.mark.parametrize("is_unsealed", [False, True])
def test_every_presentation_has_one_row_in_both_arms(closed, clara, rosa, is_unsealed):
    if is_unsealed:
        unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    for person in (clara, rosa):
        found = rows(person)
        codes = Counter(row["presentation"] for row in found)
        assert codes == dict.fromkeys(Presentation.objects.values_list("code", flat=True), 1)
        without = [row for row in found if not row["verdict"]]
        assert len(without) == Presentation.objects.count() - Reading.objects.count()
        assert found[-len(without) :] == without, "after the readings"
        for row in without:
            presentation = Presentation.objects.get(code=row["presentation"])
            enrollment = presentation.reading_list.enrollment
            assert {row[name] for name in OF_READING & row.keys()} == {""}
            assert (row["reader"], row["arm"]) == (enrollment.code, enrollment.arm.name)
            assert row["session"] == str(presentation.reading_list.session_plan.number)
            assert (row["position"], row["is_repeat"]) == (str(presentation.position), str(presentation.is_repeat))
        assert {row["arm"] for row in without} == {"low", "other"}
        places = [(row["reader"], int(row["session"]), int(row["position"])) for row in without]
        assert places == sorted(places)


def test_a_missing_row_has_the_truth_of_its_image(closed, clara, rosa):
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    of_arm = {(row["arm"], row["image"], row["session"]): row["authenticity"] for row in rows(rosa)}
    for (arm, image, session), authenticity in of_arm.items():
        assert of_arm["other" if arm == "low" else "low", image, session] == authenticity
    assert "authenticity" not in missing(clara)[0]


def test_both_files_have_the_same_missing_rows(closed, rosa):
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    answer = walk.client_of(rosa).get(f"{BASE}readings.parquet?missing=true")
    table = pyarrow.parquet.read_table(io.BytesIO(answer.getvalue())).to_pylist()
    assert [row["presentation"] for row in table] == [row["presentation"] for row in rows(rosa)]
    without = [row for row in table if row["verdict"] is None]
    assert len(without) == len(missing(rosa)) > 0
    assert {row[name] for row in without for name in OF_READING} == {None}


def test_missing_rows_are_an_option(closed, clara):
    assert rows(clara, "missing=false") == rows(clara, "") == [row for row in rows(clara) if row["verdict"]]
    by_format = walk.client_of(clara).get(f"{BASE}readings/?format=csv&missing=true").getvalue().decode()
    assert list(csv.DictReader(io.StringIO(by_format))) == rows(clara)


def test_missing_rows_are_selected_by_reader_session_and_repeat(closed, clara):
    everything = rows(clara)
    for name, value in (("reader", "R2"), ("session", "3"), ("is_repeat", "true"), ("is_repeat", "false")):
        expected = [row for row in everything if row[name].lower() == value.lower()]
        assert rows(clara, f"missing=true&{name}={value}") == expected
    assert {row["reader"] for row in missing(clara, "missing=true&reader=R2&session=5")} == {"R2"}


@pytest.mark.parametrize(
    ("address", "query", "sentence"),
    [
        ("readings.csv", "missing=true&verdict=real", "missing: a row without a reading has no verdict."),
        ("readings.parquet", "missing=true&quality=A", "missing: a row without a reading has no quality."),
        ("readings.csv", "missing=true&answered_after=2026-01-01T00:00:00Z", "has no answered_after."),
        ("readings.csv", "missing=true&answered_before=2026-01-01T00:00:00Z", "has no answered_before."),
        ("readings/", "missing=true", "missing: only readings.csv and readings.parquet"),
        ("readings.csv", "missing=perhaps", "missing: Select a valid choice."),
        ("readings.csv", "missing=", "missing: give one value."),
        ("readings.csv", "missing=true&missing=false", "missing: give one value."),
        ("readings.csv", "absent=true", "absent: there is no such filter"),
        ("codebook/", "missing=true", "missing: there is no such filter"),
        ("codebook.csv", "missing=true", "missing: there is no such filter"),
    ],
)
def test_what_contradicts_missing_rows_is_refused(closed, clara, address, query, sentence):
    answer = walk.client_of(clara).get(f"{BASE}{address}?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_an_open_study_has_no_missing_rows_yet(study, rita, clara, rosa):
    for person in (clara, rosa):
        for name in ("readings.csv", "readings.parquet"):
            assert walk.client_of(person).get(f"{BASE}{name}?missing=true").status_code == 409


@pytest.mark.parametrize("rule", ["keep", "leave_out"])
def test_withdrawn_readers_are_left_out_if_their_readings_are(study, rita, paul, clara, monkeypatch, rule):
    walk.finish_session(walk.client_of(paul), study.code, 1)
    enrollment = Enrollment.objects.get(reader=paul)
    withdraw_reader(enrollment=enrollment, actor=clara, reason="Ill.", at=make.MONDAY)
    close_study(study=study, actor=clara, reason="Enough.", at=make.MONDAY)
    monkeypatch.setattr(Study, "analysis", replace(study.analysis, withdrawn_readers=rule))
    assert {row["reader"] for row in rows(clara)} == ({"R1"} if rule == "leave_out" else {"R1", "R2"})


def test_missing_rows_are_read_by_a_cursor_of_the_server(closed, rosa, monkeypatch):
    opened, inner = [], connection.chunked_cursor

    def chunked_cursor():
        opened.append(inner())
        return opened[-1]

    monkeypatch.setattr(connection, "chunked_cursor", chunked_cursor)
    monkeypatch.setattr(dataset, "CHUNK", 4)
    assert len(rows(rosa)) == Presentation.objects.count()
    assert len(opened) == 2
    assert all(cursor.cursor.name for cursor in opened)
