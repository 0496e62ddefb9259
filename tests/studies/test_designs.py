"""The published designs in docs/designs: each file is checked, drawn from a small cohort, read and reported."""

from dataclasses import replace
from pathlib import Path

import pytest

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.build import build_report
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.participation.study_file import read_design_file
from readerstudy.protocol.yaml_file import write_protocol
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import ReadingList
from readerstudy.truth.actions import create_study, unseal_study
from readerstudy.truth.checklist import checklist
from tests import make, results, walk

FOLDER = Path(__file__).parents[2] / "docs" / "designs"
DESIGNS = sorted(FOLDER.glob("*.yaml"))
WORDS = MAMMOGRAPHY.words.reading


def small_protocol(path: Path):
    """Return the protocol with 4 images of each kind, and without the wait."""
    protocol = read_design_file(path, words=WORDS).protocol
    sessions = [
        replace(each, real=min(each.real, 4), adversarial=min(each.adversarial, 4), washout_days=0)
        for each in protocol.sessions
    ]
    return replace(protocol, sessions=tuple(sessions))


def drawn(protocol, code: str):
    """A study of the protocol; the images of its cohort have scores, for designs with an aid."""
    films = make.cohort(f"films-{code}")
    make.adversarial_images_for(films)
    results.score_everything(films.name, score=lambda stimulus: (stimulus.pk % 997) / 997)
    return create_study(
        code=code, title="A design", cohort=films, protocol=protocol, seed=7, at=make.MONDAY, persons_to_unseal=1
    )


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_a_published_design_comes_back_from_its_file_and_is_named_in_the_readme(path):
    protocol = read_design_file(path, words=WORDS).protocol
    (FOLDER / "README.md").read_text().index(f"## {path.name}")
    assert len(protocol.sessions) >= 2
    assert write_protocol(protocol).startswith("format: 1")


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_a_published_design_is_drawn_read_and_reported(path, db, small):
    protocol = small_protocol(path)
    study = drawn(protocol, "design")
    assert checklist(study.cohort, protocol) == ()
    for name in ("rita", "rosa"):
        client = walk.client_of(make.reader_in(study, name))
        for session in client.get("/api/v1/reading/").json()["studies"][0]["sessions"]:
            walk.finish_whole_session(client, "design", session["number"])
    close_study(study=study, actor=None, reason="Read.", at=make.MONDAY)
    unseal_study(study=study, actor=None, reason="Report.", at=make.MONDAY)
    study.refresh_from_db()
    record = study_record(study)
    report = build_report(study, at=make.MONDAY)
    tables = {table.key for section in report.sections for table in section.tables}
    assert "answers" in tables
    assert ("intra_reader" in tables) == any(each.repeat_share for each in protocol.sessions)
    assert record.compares_nothing == (len(protocol.asking) < 2) == ("no sessions are compared" in report.summary[0])
    shown = sum(protocol.source(number).total for number in range(1, len(protocol.sessions) + 1))
    assert len(record.readings) == 2 * shown
    assert ("same_images" in tables) == any(each.images_of for each in protocol.sessions)


def test_half_of_the_readers_begin_a_crossover_with_the_other_session(db, small):
    study = drawn(small_protocol(FOLDER / "unaided-aided-crossover.yaml"), "crossed")
    readers = [make.reader_in(study, f"reader-{number}") for number in range(6)]
    orders = [
        tuple(
            ReadingList.objects.filter(enrollment__reader=reader)
            .order_by("place")
            .values_list("session_plan__number", flat=True)
        )
        for reader in readers
    ]
    assert all({*pair} == {(1, 2, 3), (1, 3, 2)} for pair in zip(orders[::2], orders[1::2], strict=True))
    crossing = readers[orders.index((1, 3, 2))]
    client = walk.client_of(crossing)
    walk.finish_whole_session(client, "crossed", 1)
    listed = client.get("/api/v1/reading/").json()["studies"][0]["sessions"]
    assert [(each["number"], each["state"]) for each in listed] == [(1, "done"), (3, "open"), (2, "waiting")]
    refused = client.post(walk.address("crossed", 2, "open"))
    assert refused.json()["detail"] == "Session 2 is locked until session 3 is done."
    client.force_login(crossing)
    assert b"sessions/2/step/" in client.get("/read/crossed/3/").content
    walk.finish_whole_session(client, "crossed", 3)
    assert walk.open_session(client, "crossed", 2)["kind"] in ("read", "practise")


def test_the_wait_belongs_to_the_place_of_a_session_not_to_the_session(db, small):
    protocol = small_protocol(FOLDER / "unaided-aided-crossover.yaml")
    sessions = (*protocol.sessions[:2], replace(protocol.sessions[2], washout_days=28))
    study = drawn(replace(protocol, sessions=sessions), "waiting")
    for name in ("rita", "rosa"):
        reader = make.reader_in(study, name)
        waits = ReadingList.objects.filter(enrollment__reader=reader).order_by("place")
        assert list(waits.values_list("washout_days", flat=True)) == [0, 0, 28]
