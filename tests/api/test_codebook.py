"""The codebook of readings says what every file holds, sealed and unsealed, for coordinators and researchers."""

import csv
import io
import json
from datetime import datetime

import pyarrow
import pyarrow.parquet
import pytest

from readerstudy.bundle.columns import Type
from readerstudy.bundle.tables import ARROW
from readerstudy.client import frames
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study, exclude_from_analysis, include_in_analysis
from readerstudy.studies.models import Presentation
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.models import Score, Truth
from tests import make, results, walk

pytestmark = pytest.mark.django_db
BASE = "/api/v1/studies/tiny/"
PAGE = "/report/tiny/codebook/"
NEED_TRUTH = {"classifier_score", "classifier_source_score", "is_excluded", "paradata"}
PARSERS = {
    "integer": int,
    "number": float,
    "boolean": {"True": True, "False": False}.__getitem__,
    "moment": datetime.fromisoformat,
    "list": json.loads,
    "json": json.loads,
    "text": str,
}


@pytest.fixture
def closed(study, rita, clara, rosa):
    """Rita has read the first three sessions, and left images of the others out."""
    results.score_everything(study.cohort.name, score=lambda stimulus: (stimulus.pk % 997) / 997)
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    step = walk.open_session(client, study.code, 3)
    walk.answer(client, study.code, 3, step, "not_real", paradata={"acts": {"zoom": 2}, "paused_ms": 1200})
    close_study(study=study, actor=clara, reason="Enough.", at=make.MONDAY)
    return study


@pytest.fixture
def unsealed(closed, rosa):
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    return closed


def codebook(person) -> list[dict]:
    return walk.client_of(person).get(f"{BASE}codebook/").json()


def rows_of_csv(person, query: str = "") -> list[dict[str, str]]:
    answer = walk.client_of(person).get(f"{BASE}readings.csv{query}")
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def table(person, query: str = "") -> pyarrow.Table:
    answer = walk.client_of(person).get(f"{BASE}readings.parquet{query}")
    return pyarrow.parquet.read_table(io.BytesIO(answer.getvalue()))


def check_files(person, entries: list[dict]) -> None:
    """Every file has the columns of the entries in order, with their types and no value that they do not list."""
    names = [entry["column"] for entry in entries]
    rows, parquet = rows_of_csv(person, "?missing=true"), table(person, "?missing=true")
    assert list(rows[0]) == parquet.column_names == names
    assert [parquet.schema.field(entry["column"]).type for entry in entries] == [
        ARROW[Type(entry["type"])] for entry in entries
    ]
    (line, *_) = walk.client_of(person).get(f"{BASE}readings/").json()["results"]
    assert list(line) == names
    for entry in entries:
        cells = {row[entry["column"]] for row in rows} - {""}
        assert all(PARSERS[entry["type"]](cell) is not None for cell in cells), entry
        if entry["levels"]:
            assert cells <= entry["levels"].keys(), entry
        assert entry["meaning"]


def test_the_codebook_says_what_the_files_hold_once_unsealed(unsealed, rosa, clara):
    entries = codebook(rosa)
    assert codebook(clara) == entries
    check_files(rosa, entries)
    check_files(clara, [entry for entry in entries if not entry["with_truth"]])


def test_the_codebook_says_what_the_files_hold_while_sealed(closed, rosa, clara):
    for person in (rosa, clara):
        check_files(person, [entry for entry in codebook(person) if not entry["with_truth"]])


def test_the_codebook_is_there_before_anything_is_read(study, clara, rosa):
    assert codebook(clara) == codebook(rosa)
    assert walk.client_of(clara).get(f"{BASE}readings.csv").status_code == 409


def test_paradata_and_scores_need_the_truth(closed, rosa, clara):
    assert {entry["column"] for entry in codebook(clara) if entry["with_truth"]} > NEED_TRUTH
    for person in (rosa, clara):
        assert not NEED_TRUTH & rows_of_csv(person)[0].keys()
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    assert not NEED_TRUTH & rows_of_csv(clara)[0].keys()
    assert not NEED_TRUTH & set(table(clara).column_names)
    rows = rows_of_csv(rosa)
    assert [json.loads(row["paradata"]) for row in rows] == list(
        Reading.objects.order_by("pk").values_list("paradata", flat=True)
    )
    assert json.loads(rows[-1]["paradata"]) == {"acts": {"zoom": 2}, "paused_ms": 1200}


def test_images_that_the_analysis_leaves_out_are_marked(closed, rosa):
    """One that was read, one that was not; not one that was included again, nor a showing in another session."""
    read, again, unread = Presentation.objects.filter(reading_list__session_plan__number=3).order_by("position")[:3]
    act = {"actor": None, "reason": "Cut off.", "at": make.MONDAY}
    for each in (read, again, unread):
        exclude_from_analysis(presentation=each, **act)
    include_in_analysis(presentation=again, **act)
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    rows = {row["presentation"]: row for row in rows_of_csv(rosa, "?missing=true")}
    assert (rows[read.code]["verdict"], rows[unread.code]["verdict"]) == ("not_real", "")
    for number in range(1, 6):
        marked = {code for code, row in rows.items() if (row["session"], row["is_excluded"]) == (str(number), "True")}
        assert marked == ({read.code, unread.code} if number == 3 else set())


def test_scores_are_those_of_the_image_and_of_its_source(unsealed, rosa):
    scores = dict(Score.objects.filter(classifier="cad-1").values_list("stimulus_id", "probability"))
    stimuli = dict(Presentation.objects.values_list("code", "stimulus_id"))
    sources = dict(Truth.objects.values_list("stimulus_id", "source_image_id"))
    rows = table(rosa, "?missing=true").to_pylist()
    assert {row["authenticity"] for row in rows} == {"real", "adversarial", "pair"}
    for row in rows:
        stimulus = stimuli[row["presentation"]]
        assert row["classifier_score"] == scores[stimulus]
        assert row["classifier_source_score"] == scores.get(sources[stimulus])
    assert any(row["classifier_source_score"] is None for row in rows)


def test_without_an_evaluation_there_are_no_scores(study, rita, clara, rosa):
    walk.finish_session(walk.client_of(rita), study.code, 1)
    close_study(study=study, actor=clara, reason="Enough.", at=make.MONDAY)
    unseal_study(study=study, actor=rosa, reason="Done.", at=make.MONDAY)
    rows = table(rosa).to_pylist()
    assert [(row["classifier_score"], row["classifier_source_score"]) for row in rows] == [(None, None)] * 3


# --- the codebook as a file and as a page ------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_file_and_the_page_say_what_the_list_says(study, clara, language):
    client, said = walk.client_of(clara), {"Accept-Language": language}
    entries = client.get(f"{BASE}codebook/", headers=said).json()
    answer = client.get(f"{BASE}codebook.csv", headers=said)
    assert answer["Content-Disposition"] == 'attachment; filename="tiny-codebook.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    for line, entry in zip(lines, entries, strict=True):
        levels = "; ".join(f"{level}: {meaning}" for level, meaning in entry["levels"].items())
        assert line == {**entry, "levels": levels, "with_truth": str(entry["with_truth"])}
    client.force_login(clara)
    page = client.get(PAGE, headers=said)
    shown = [column for part in ("blind", "sighted") for column in page.context[part]]
    assert [(column.name, column.meaning, column.levels) for column in shown] == [
        (entry["column"], entry["meaning"], entry["levels"]) for entry in entries
    ]
    text = page.content.decode()
    assert all(entry["meaning"] in text for entry in entries)


def test_meanings_are_translated(study, clara):
    client = walk.client_of(clara)
    english, german = (
        client.get(f"{BASE}codebook/", headers={"Accept-Language": language}).json() for language in ("en", "de")
    )
    for one, other in zip(english, german, strict=True):
        assert one["meaning"] != other["meaning"]
        assert one["levels"].keys() == other["levels"].keys()
        assert all(one["levels"][level] != other["levels"][level] for level in one["levels"])


def test_the_page_and_the_report_lead_to_files_and_codebook(closed, clara, rosa, client):
    client.force_login(clara)
    page = client.get("/desk/studies/tiny/").content.decode()
    links = [PAGE, f"{BASE}readings.csv", f"{BASE}readings.parquet", f"{BASE}readings.csv?missing=true"]
    assert [link for link in links if f'href="{link}"' not in page] == []
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    client.force_login(rosa)
    report = client.get("/report/tiny/").content.decode()
    assert [link for link in links if f'href="{link}"' not in report] == []


def test_the_page_of_an_open_study_leads_to_the_codebook_only(study, clara, client):
    client.force_login(clara)
    page = client.get("/desk/studies/tiny/").content.decode()
    assert f'href="{PAGE}"' in page
    assert "readings.csv" not in page
    codebook_page = client.get(PAGE).content.decode()
    assert "readings.csv" not in codebook_page


# --- the client --------------------------------------------------------------------------------------------------
def test_the_types_of_frames_are_those_of_the_codebook(study, rosa):
    entries = codebook(rosa)

    def named(*types: str) -> set[str]:
        return {entry["column"] for entry in entries if entry["type"] in types}

    assert set(frames.WHOLE) == named("integer")
    assert set(frames.FRACTIONS) == named("number")
    assert set(frames.TRUTHS) == named("boolean")
    assert set(frames.MOMENTS) == named("moment")
    assert set(frames.TEXTS) == named("json", "list") | {"presentation", "receipt"}
    for entry in entries:
        if entry["column"] in frames.WORDS:
            assert set(frames.WORDS[entry["column"]]) - {""} == entry["levels"].keys()
