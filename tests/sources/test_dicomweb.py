"""Searching and fetching: what is asked of an archive, and what each of its faults does."""

import json
import time

import pytest
import requests
from pydicom import dcmread

from readerstudy.errors import BadInput, StudyError
from readerstudy.sources.dicomweb import archive as archives
from readerstudy.sources.dicomweb import fetch
from readerstudy.sources.dicomweb.archive import Archive, Lost, Refused
from readerstudy.sources.dicomweb.fetch import fetch_instances
from readerstudy.sources.dicomweb.search import Wanted, find_instances
from tests.sources.archive import (
    MULTIPART,
    StubArchive,
    basic,
    cut_off,
    once,
    related,
    running,
    sends,
    status,
    stored,
)


@pytest.fixture
def stub():
    with running(StubArchive([stored(n, study=study) for study in (1, 2, 3) for n in range(4)])) as made:
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Attempts follow each other at once."""
    monkeypatch.setattr(archives.Retry, "get_backoff_time", lambda self: 0.0)


def found(stub: StubArchive, **wanted):
    return find_instances(Archive(stub.url), Wanted(**wanted))


# --- searching ------------------------------------------------------------------------------------------------
def test_studies_are_found_by_uid_and_by_accession_number(stub):
    instances, problems = found(stub, studies=[stub.instances[0].study, "A2", "A9"])
    assert {each.uid for each in instances} == {each.uid for each in stub.instances[:8]}
    assert [problem.text for problem in problems] == ["A9: is not at the archive."]


def test_a_search_by_attributes_reads_all_pages(stub, monkeypatch):
    monkeypatch.setattr("readerstudy.sources.dicomweb.search._PAGE", 2)
    assert len(found(stub, filters={"StudyDate": "20200101-"})[0]) == 12
    assert any("StudyDate=20200101-" in query for query in stub.queries)
    assert any("offset=2" in query for query in stub.queries)


def test_a_search_ends_if_an_archive_ignores_the_offset(stub, monkeypatch):
    monkeypatch.setattr("readerstudy.sources.dicomweb.search._PAGE", 3)
    monkeypatch.setattr(
        "tests.sources.archive.Handler.rows",
        lambda self, rows, asked: self.send(200, json.dumps(rows[:3]).encode(), "application/dicom+json"),
    )
    assert len(found(stub, filters={"PatientID": "*"})[0]) == 9


def test_only_series_of_the_modality_are_taken():
    mixed = [stored(1), stored(2, modality="SR")]
    with running(StubArchive(mixed)) as stub:
        assert [each.uid for each in found(stub, modalities=["MG"])[0]] == [mixed[0].uid]


def test_an_answer_that_is_no_dicom_json_is_said(stub, monkeypatch):
    monkeypatch.setattr(
        "tests.sources.archive.Handler.rows", lambda self, rows, asked: self.send(200, b"<html>", "text/html")
    )
    with pytest.raises(StudyError, match=r"127.0.0.1 (sent an answer that is not DICOMweb|does not answer)"):
        found(stub, filters={"PatientID": "*"})


# --- signing in ------------------------------------------------------------------------------------------------
def test_a_wrong_sign_in_stops_at_once_and_names_the_settings(stub):
    stub.sign_in = "Bearer right"
    with pytest.raises(Refused, match=r"refuses the sign-in .status 401.*DICOMWEB_TOKEN_FILE") as error:
        find_instances(Archive(stub.url, token="wrong"), Wanted(filters={"PatientID": "*"}))
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize("by", ["token", "password"])
def test_a_right_sign_in_is_sent_with_every_request(stub, tmp_path, by):
    stub.sign_in = "Bearer right" if by == "token" else basic("rosa", "right")
    archive = Archive(stub.url, token="right") if by == "token" else Archive(stub.url, user="rosa", password="right")
    instances, _ = find_instances(archive, Wanted(filters={"PatientID": "*"}))
    assert fetch_instances(archive, instances, tmp_path).new == 12


def test_a_sign_in_that_ends_stops_the_fetching_and_keeps_what_is_there(stub, tmp_path):
    instances, _ = found(stub, filters={"PatientID": "*"})
    stub.faults[instances[-1].uid] = status(401)
    with pytest.raises(Refused):
        fetch_instances(Archive(stub.url, connections=1), instances, tmp_path)
    assert len(list(tmp_path.glob("*.dcm"))) >= 9


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://pacs.example.org", "is not the address of a DICOMweb server"),
        ("pacs.example.org", "is not the address of a DICOMweb server"),
        ("https://rosa:secret@pacs.example.org", "must hold no password"),
        ("https://pacs.example.org/dicom-web?token=secret", "must hold no password"),
        ("http://pacs.example.org/dicom-web", "would be asked without TLS"),
    ],
)
def test_addresses_that_give_secrets_away_are_refused(url, message):
    with pytest.raises(BadInput, match=message) as error:
        Archive(url)
    assert "secret" not in str(error.value)


def test_secrets_stand_in_no_representation():
    shown = repr(Archive("https://pacs.example.org", token="hunter2", user="rosa", password="hunter3"))
    assert "hunter" not in shown


def test_a_redirect_is_not_followed(stub, tmp_path):
    def elsewhere(handler, _stored):
        handler.send_response(302)
        handler.send_header("Location", "http://127.0.0.1:9/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    instances, _ = found(stub, studies=["A1"])
    stub.faults[instances[0].uid] = elsewhere
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert [problem.sentence for problem in fetched.problems] == [
        "127.0.0.1 sends to another address, which is not followed."
    ]


def test_a_certificate_of_nobody_is_not_trusted(monkeypatch, tmp_path):
    """The session verifies; what verifying means is the library's."""
    assert Archive("https://pacs.example.org").session().verify is True
    assert Archive("https://pacs.example.org", ca_bundle=tmp_path / "ca.pem").session().verify == str(
        tmp_path / "ca.pem"
    )
    error = Archive("https://pacs.example.org").failure(requests.exceptions.SSLError("self-signed"))
    assert "certificate of pacs.example.org is not trusted" in str(error)


# --- fetching --------------------------------------------------------------------------------------------------
def test_files_come_as_the_archive_keeps_them(stub, tmp_path):
    instances, _ = found(stub, filters={"PatientID": "*"})
    steps = []
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path, progress=lambda *step: steps.append(step))
    assert (fetched.new, fetched.known, fetched.problems) == (12, 0, ())
    for each in stub.instances:
        assert (tmp_path / f"{each.uid}.dcm").read_bytes() == each.body
    assert steps[-1] == (12, 12)
    assert stub.encodings == {"identity"}  # Orthanc would compress each file, at 150 ms
    assert not list(tmp_path.glob(".*"))


def test_what_is_there_is_not_fetched_again(stub, tmp_path):
    instances, _ = found(stub, filters={"PatientID": "*"})
    fetch_instances(Archive(stub.url), instances[:5], tmp_path)
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert (fetched.new, fetched.known) == (7, 5)
    assert set(stub.fetched.values()) == {1}


def test_an_answer_that_is_cut_off_once_is_asked_for_again(stub, tmp_path):
    instances, _ = found(stub, studies=["A1"])
    stub.faults[instances[1].uid] = once(cut_off)
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert (fetched.new, fetched.problems) == (4, ())
    assert stub.fetched[instances[1].uid] == 2


def test_an_archive_that_goes_away_stops_the_fetching_and_a_second_call_goes_on(stub, tmp_path):
    instances, _ = found(stub, filters={"PatientID": "*"})

    def last_one(handler, each):
        handler.send(200, related(each.body), MULTIPART)
        stub.is_gone = True

    stub.faults[instances[3].uid] = last_one
    with pytest.raises(Lost, match=r"127.0.0.1 has stopped answering. \d+ of 12 images are here; nothing was imp"):
        fetch_instances(Archive(stub.url, connections=1), instances, tmp_path)
    here = {file.stem for file in tmp_path.glob("*.dcm")}
    assert len(here) >= 4
    stub.is_gone = False
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert fetched.known == len(here)
    assert len(list(tmp_path.glob("*.dcm"))) == 12


FAULTS = {
    "missing": (status(404), "The archive answered with the status 404."),
    "broken server": (status(500), "The archive answered with the status 500."),
    "always busy": (status(503), "The archive answered with the status 503."),
    "a page": (sends(b"<html>", "text/html"), "The archive sent no DICOM file but text/html."),
    "no boundary": (sends(b"x", "multipart/related"), "The archive sent an answer without a boundary"),
    "no part": (sends(b"x", MULTIPART), "The archive sent an answer without a part."),
    "no file": (sends(related(b"x" * 400), MULTIPART), "The archive sent something that is no DICOM file."),
    "another image": (sends(related(stored(99).body), MULTIPART), "The archive sent another image than the one"),
    "two files": (
        sends(related(stored(98).body, ends=False) + b"\r\n" + related(stored(97).body), MULTIPART),
        "The archive sent several files for one image.",
    ),
    "no end": (sends(related(stored(96).body, ends=False), MULTIPART), "127.0.0.1 does not answer, or its answer"),
    "always cut off": (cut_off, "127.0.0.1 does not answer, or its answer broke off."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_instance_is_a_problem_and_the_others_come(stub, tmp_path, name):
    fault, sentence = FAULTS[name]
    instances, _ = found(stub, studies=["A1"])
    stub.faults[instances[2].uid] = fault
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert (fetched.new, len(fetched.problems)) == (3, 1)
    assert fetched.problems[0].name == f"{instances[2].uid}.dcm"
    assert fetched.problems[0].sentence.startswith(sentence)
    assert not (tmp_path / instances[2].file_name).exists()


def test_a_file_beyond_the_limit_is_refused(stub, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "LARGEST", 1000)
    instances, _ = found(stub, studies=["A1"])
    fetched = fetch_instances(Archive(stub.url), instances, tmp_path)
    assert len(fetched.problems) == 4
    assert "larger than" in fetched.problems[0].sentence


def test_an_archive_that_sends_the_file_alone_is_understood(stub, tmp_path):
    instances, _ = found(stub, studies=["A1"])
    body = next(each.body for each in stub.instances if each.uid == instances[0].uid)
    stub.faults[instances[0].uid] = sends(body, "application/dicom")
    assert fetch_instances(Archive(stub.url), instances, tmp_path).new == 4
    assert dcmread(tmp_path / instances[0].file_name).PatientID == "P1"


def test_no_more_images_are_fetched_at_once_than_the_setting_says(stub, tmp_path):
    def slow(handler, each):
        time.sleep(0.05)
        handler.send(200, related(each.body), MULTIPART)

    instances, _ = found(stub, filters={"PatientID": "*"})
    stub.faults = {each.uid: slow for each in instances}
    fetch_instances(Archive(stub.url, connections=3), instances, tmp_path)
    assert 1 < stub.most_at_once <= 3


def test_a_folder_that_takes_no_files_is_said_once(stub, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch.os, "fsync", full)
    instances, _ = found(stub, filters={"PatientID": "*"})
    with pytest.raises(StudyError, match="cannot be written: No space left on device"):
        fetch_instances(Archive(stub.url), instances, tmp_path)
    assert not list(tmp_path.iterdir())
