"""Files of readings, and entity tags: what a program has already is not sent again."""

import csv
import io
import json
import tracemalloc

import pyarrow.parquet
import pytest
from django.db import connection
from django.utils.timezone import now

from readerstudy.api.outcome import parquet
from readerstudy.audit.models import Event
from readerstudy.bundle.reading_columns import BLIND, SIGHTED
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Presentation
from readerstudy.truth.actions import unseal_study
from tests import make, walk

pytestmark = pytest.mark.django_db
BASE = "/api/v1/studies/tiny/"


@pytest.fixture
def closed(study, rita, clara):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    walk.finish_session(walk.client_of(rita), study.code, 2)
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    return study


def table_of(answer) -> pyarrow.Table:
    assert answer.status_code == 200
    return pyarrow.parquet.read_table(io.BytesIO(answer.getvalue()))


@pytest.mark.parametrize("sighted", [False, True])
def test_parquet_has_the_rows_and_columns_of_the_csv(closed, clara, rosa, sighted):
    if sighted:
        unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    client = walk.client_of(rosa)
    lines = list(csv.DictReader(io.StringIO(client.get(f"{BASE}readings.csv").getvalue().decode())))
    answer = client.get(f"{BASE}readings.parquet")
    table = table_of(answer)
    assert answer["Content-Type"] == parquet.MEDIA_TYPE
    assert answer["Content-Disposition"] == 'attachment; filename="tiny-readings.parquet"'
    assert table.column_names == list(lines[0])
    assert ("authenticity" in table.column_names) is sighted
    for row, line in zip(table.to_pylist(), lines, strict=True):
        for name, value in row.items():
            if name in ("shown_at", "answered_at"):
                assert value.isoformat() == line[name]
            elif name in ("answers", "paradata", "quality_reasons"):
                assert (value if name == "quality_reasons" else json.loads(value)) == json.loads(line[name])
            else:
                assert ("" if value is None else str(value)) == line[name]
    assert Event.objects.filter(verb="export.made", data__format="parquet", data__with_truth=sighted).count() == 1


def test_parquet_says_nothing_of_the_truth_before_the_unsealing(closed, clara, rosa):
    for person in (clara, rosa):
        assert set(table_of(walk.client_of(person).get(f"{BASE}readings.parquet")).column_names) == set(
            table_of(walk.client_of(clara).get(f"{BASE}readings.parquet")).column_names
        )
    assert walk.client_of(clara).get(f"{BASE}readings.parquet").status_code == 200


def test_an_open_study_gives_no_parquet(study, clara, rosa):
    for person in (clara, rosa):
        assert walk.client_of(person).get(f"{BASE}readings.parquet").status_code == 409


@pytest.mark.parametrize("name", ["readings.csv", "readings.parquet"])
def test_rows_are_read_by_a_cursor_of_the_server(closed, rosa, monkeypatch, name):
    opened, inner = [], connection.chunked_cursor

    def chunked_cursor():
        opened.append(inner())
        return opened[-1]

    monkeypatch.setattr(connection, "chunked_cursor", chunked_cursor)
    walk.client_of(rosa).get(f"{BASE}{name}").getvalue()
    assert all(cursor.cursor.name for cursor in opened)
    assert len(opened) == 1


def test_memory_does_not_grow_with_the_number_of_rows():
    """Rows are made while they are written: ten times as many take no more memory than one group of them."""
    moment = now()
    columns = [column for column in BLIND if column.name in ("reader", "session", "verdict", "shown_at")]

    def peak(rows: int) -> int:
        lines = ({"reader": f"R{n % 9}", "session": 3, "verdict": "real", "shown_at": moment} for n in range(rows))
        tracemalloc.start()
        for _part in parquet.stream("x", columns, lines):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = peak(2 * parquet.ROWS), peak(20 * parquet.ROWS)
    assert many < 1.2 * few


def test_long_paradata_end_a_group_of_rows_early(monkeypatch):
    monkeypatch.setattr(parquet, "TEXTS", 1000)
    columns = [column for column in SIGHTED if column.name in ("image", "paradata")]
    lines = [{"image": f"{n}", "paradata": {"acts": "x" * 300}} for n in range(10)]
    file = pyarrow.parquet.ParquetFile(io.BytesIO(parquet.stream("x", columns, lines).getvalue()))
    groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert groups == [4, 4, 2]
    assert [json.loads(text) for text in file.read().to_pydict()["paradata"]] == [line["paradata"] for line in lines]


# --- entity tags --------------------------------------------------------------------------------------------
def test_results_that_are_known_are_not_sent_again(closed, rosa):
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    client = walk.client_of(rosa)
    first = client.get(f"{BASE}results/")
    assert first.status_code == 200
    tag = first.headers["ETag"]
    exports = Event.objects.filter(verb="export.made").count()
    for known in (tag, f'"other", {tag}', "*"):
        again = client.get(f"{BASE}results/", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert Event.objects.filter(verb="export.made").count() == exports, "nothing was exported"
    assert client.get(f"{BASE}results/", headers={"If-None-Match": '"other"'}).status_code == 200
    german = client.get(f"{BASE}results/", headers={"Accept-Language": "de", "If-None-Match": tag})
    assert german.status_code == 200, "its words are others"


def test_a_tag_opens_nothing(closed, clara, rosa):
    """The seal and the role are asked before the tag."""
    for person, status in ((rosa, 409), (clara, 403)):
        answer = walk.client_of(person).get(f"{BASE}results/", headers={"If-None-Match": "*"})
        assert answer.status_code == status


def test_each_form_of_the_schema_has_a_tag(clara):
    client = walk.client_of(clara)
    forms = [client.get("/api/v1/schema/", {"format": form}) for form in ("yaml", "json")]
    tags = [answer.headers["ETag"] for answer in forms]
    assert len(set(tags)) == 2
    assert client.get("/api/v1/schema/", headers={"If-None-Match": tags[0]}).status_code == 304
    assert client.get("/api/v1/schema/", headers={"If-None-Match": tags[1]}).status_code == 200


def test_readings_can_be_clustered_by_patient_once_unsealed(closed, clara, rosa):
    client = walk.client_of(rosa)
    sealed = next(csv.DictReader(io.StringIO(client.get(f"{BASE}readings.csv").getvalue().decode())))
    assert (sealed["arm"], "patient" in sealed, "split" in sealed) == ("low", False, False)
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    lines = list(csv.DictReader(io.StringIO(client.get(f"{BASE}readings.csv").getvalue().decode())))
    shown = Presentation.objects.select_related("stimulus__image__exam__patient")
    patients = {each.code: each.stimulus.image.exam.patient for each in shown}
    for line in lines:
        patient = patients[line["presentation"]]
        assert (line["patient"], line["split"]) == (patient.fingerprint[:12], patient.split)
    assert 1 < len({line["patient"] for line in lines}) <= len({line["image"] for line in lines})
    held = next(csv.DictReader(io.StringIO(walk.client_of(clara).get(f"{BASE}readings.csv").getvalue().decode())))
    assert not {"patient", "split", "image"} & held.keys()
