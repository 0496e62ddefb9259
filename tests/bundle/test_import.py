"""A bundle elsewhere: the same tables to the digit, and every change found. Nothing here has a database."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.build import StudyReport
from readerstudy.bundle import archive
from readerstudy.bundle.checking import contents
from readerstudy.bundle.checking.importing import ImportedBundle, import_bundle
from readerstudy.bundle.writing.exporting import ExportedBundle
from readerstudy.errors import BadInput
from readerstudy.provenance import ROOT
from readerstudy.reading.models import Reading
from readerstudy.record.exports import make_receipt
from readerstudy.record.heads import sign
from readerstudy.record.verifier import canonical
from readerstudy.studies.models import Study
from tests import make
from tests.bundle.conftest import files_of


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"


def imported(path: Path, folder: Path, **options) -> ImportedBundle:
    return import_bundle(path=path, folder=folder, at=make.MONDAY, **options)


def refused(path: Path, folder: Path, said: str, **options) -> None:
    with pytest.raises(BadInput, match=said):
        imported(path, folder, **options)
    assert not list(folder.iterdir())


# --- the same tables ---------------------------------------------------------------------------------------------
def test_every_cell_is_the_same_in_the_report_the_bundle_and_elsewhere(study: Study, exported, elsewhere) -> None:
    result = imported(Path(exported.path), elsewhere)
    assert result.comparison.is_same
    assert result.comparison.cells > 300
    with contents.report_language("en"):
        own = contents.results_of(StudyReport(study_record(study), at=make.MONDAY, plan=study.analysis))
    computed = result.comparison.computed
    differing = {key for key, table in own["tables"].items() if table != computed["tables"].get(key)}
    assert differing == set(exported.differing)
    assert own["tables"].keys() == computed["tables"].keys()
    # Dates, names and reasons are in the tables on conduct alone.
    assert differing <= {"sources", "blinding", "missing", "stard", "stard_ai", "claim", "reader_study", "plan"}
    assert (result.readings, result.readings + result.missing) == (Reading.objects.count(), 42)


def test_another_process_without_a_database_computes_the_same(exported: ExportedBundle, elsewhere: Path) -> None:
    keys = dict.fromkeys(("SECRET_KEY", "PSEUDONYM_KEY", "RECORD_KEY"), "k" * 64)
    service = {**keys, "ALLOWED_HOSTS": "elsewhere.example", "CELERY_BROKER_URL": "redis://127.0.0.1:1"}
    names = {"DATABASE_URL": "nobody", "SEALED_DATABASE_URL": "nobody-else"}
    database = {name: f"postgres://{user}@127.0.0.1:1/none" for name, user in names.items()}
    environment = {**os.environ, **service, **database, "VAR_DIR": str(elsewhere)}
    command = [sys.executable, "manage.py", "import_bundle", exported.path, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["study"], said["differing"], said["other_parts"]) == ("small", [], [])
    assert said["tables"] == exported.tables
    assert (elsewhere / "bundles" / "small" / "comparison.html").is_file()


def test_tables_that_the_bundle_states_otherwise_are_shown(exported, changed, elsewhere, monkeypatch, capsys) -> None:
    def lie(files: dict[str, bytes]) -> None:
        report = json.loads(files["analysis/report.json"])
        report["tables"]["table4"]["rows"][0]["minutes"] = 99.5
        files["analysis/report.json"] = json.dumps(report).encode()
        resign(files, None)

    # The installation itself states another number: its signature is right.
    with pytest.raises(CommandError, match=r"Computed otherwise than in the bundle: table4\."):
        call_command("import_bundle", str(changed(lie)), out=elsewhere)
    page = (elsewhere / "small" / "comparison.html").read_text()
    assert page.count("≠") == 1
    assert "99.5" in page


def resign(files: dict[str, bytes], key: Ed25519PrivateKey | None) -> None:
    """Write the manifest again as its owner would: with the key of the installation, or with another one."""
    manifest = json.loads(files["manifest.json"])
    manifest.pop("signature")
    for name in manifest["files"]:
        manifest["files"][name] = {"bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
    if key is not None:
        manifest["public_key"] = key.public_key().public_bytes_raw().hex()
    message = f"readerstudy bundle 1\n{canonical(manifest)}".encode()
    manifest["signature"] = (key.sign(message) if key else sign(message)).hex()
    files["manifest.json"] = json.dumps(manifest).encode()


# --- changes -----------------------------------------------------------------------------------------------------
def test_a_changed_byte_is_found_in_every_file(exported, changed, elsewhere) -> None:
    elsewhere.mkdir()
    names = files_of(Path(exported.path)).keys() - {"manifest.json"}
    assert len(names) > 40
    for name in names:

        def flip(files: dict[str, bytes], name=name) -> None:
            content = bytearray(files[name])
            content[len(content) // 2] ^= 1
            files[name] = bytes(content)

        refused(changed(flip), elsewhere, f"Changed since the export: {name}")


def _swap_a_verdict(files: dict[str, bytes]) -> None:
    text = files["data/readings.csv"].decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    given = next(line for line in lines if line["verdict"] == "real")
    given["verdict"] = "not_real"
    out = io.StringIO()
    writer = csv.DictWriter(out, lines[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    files["data/readings.csv"] = out.getvalue().encode()


def test_rows_changed_with_their_hashes_break_the_signature(changed, elsewhere) -> None:
    def forge(files: dict[str, bytes]) -> None:
        _swap_a_verdict(files)
        manifest = json.loads(files["manifest.json"])
        manifest["files"]["data/readings.csv"]["sha256"] = sha256(files["data/readings.csv"]).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()

    refused(changed(forge), elsewhere, "The signature of manifest.json is wrong")


def test_a_manifest_signed_by_somebody_else_does_not_have_the_record(changed, elsewhere) -> None:
    def forge(files: dict[str, bytes]) -> None:
        _swap_a_verdict(files)
        resign(files, Ed25519PrivateKey.generate())

    refused(changed(forge), elsewhere, "the record belongs to another study, or to another installation")


def test_csv_and_parquet_have_to_agree(changed, elsewhere) -> None:
    def forge(files: dict[str, bytes]) -> None:
        _swap_a_verdict(files)
        resign(files, None)

    refused(changed(forge), elsewhere, "readings.csv and readings.parquet do not have the same rows")


def test_a_column_whose_name_is_not_utf_8_is_refused(changed, elsewhere) -> None:
    def damage(files: dict[str, bytes]) -> None:
        files["data/readings.csv"] = b"r\xee" + files["data/readings.csv"]
        resign(files, None)

    refused(changed(damage), elsewhere, r"readings\.csv cannot be read")


def test_a_verdict_other_than_in_a_readers_receipt_is_found(study, exported, changed, elsewhere, tmp_path) -> None:
    keys = {"reading_reading": [str(pk) for pk in Reading.objects.values_list("pk", flat=True)]}
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(make_receipt("small", keys, at=make.MONDAY, about={})[0]))
    later = tmp_path / "later.zip"
    call_command("export_bundle", "small", str(later))
    assert imported(later, elsewhere, receipts=[receipt]).readings == Reading.objects.count()

    def forge(files: dict[str, bytes]) -> None:
        _swap_a_verdict(files)
        schema = pyarrow.parquet.read_schema(io.BytesIO(files["data/readings.parquet"]))
        options = pyarrow.csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=True)
        table = pyarrow.csv.read_csv(io.BytesIO(files["data/readings.csv"]), convert_options=options)
        out = io.BytesIO()
        pyarrow.parquet.write_table(table, out)
        files["data/readings.parquet"] = out.getvalue()
        resign(files, None)

    # By the installation that signs: only a receipt shows it.
    refused(changed(forge), tmp_path / "forged", "another verdict than the receipt", receipts=[receipt])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data/readings.csv", "The bundle lacks data/readings.csv"),
        ("manifest.json", "this is not a bundle of a study"),
    ],
)
def test_a_file_that_was_left_out_is_missed(changed, elsewhere, name: str, said: str) -> None:
    refused(changed(lambda files: files.pop(name)), elsewhere, said)


def test_a_file_that_was_added_is_found(changed, elsewhere) -> None:
    refused(changed(lambda files: files.update({"data/more.csv": b"x"})), elsewhere, "does not list data/more.csv")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"format": "readerstudy bundle 2"}, "has the format 'readerstudy bundle 2'; this version reads"),
        ({"files": 3}, "manifest.json is incomplete"),
        ({"study": "../small"}, "The signature"),
        ({"signature": "zz"}, "The signature"),
    ],
)
def test_another_manifest_is_refused(changed, elsewhere, values: dict, said: str) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **values}).encode()

    refused(changed(change), elsewhere, said)


def test_a_study_that_is_there_stays_as_it_is(exported: ExportedBundle, elsewhere: Path) -> None:
    imported(Path(exported.path), elsewhere)
    before = sorted(path.stat().st_mtime_ns for path in elsewhere.rglob("*"))
    with pytest.raises(BadInput, match="is there already"):
        imported(Path(exported.path), elsewhere)
    assert sorted(path.stat().st_mtime_ns for path in elsewhere.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("image_sets", "x"), ("readers", 3), ("modality", "none"), ("questions", [{}]), ("conduct", {"cohort": {}})],
)
def test_facts_that_do_not_belong_to_the_rows_are_refused(changed, elsewhere, name: str, value) -> None:
    def change(files: dict[str, bytes]) -> None:
        facts = {**json.loads(files["analysis/facts.json"]), name: value}
        files["analysis/facts.json"] = json.dumps(facts).encode()
        resign(files, None)

    elsewhere.mkdir()
    with pytest.raises(BadInput):
        imported(changed(change), elsewhere)
    assert not list(elsewhere.iterdir())


# --- zip files ---------------------------------------------------------------------------------------------------
def _zip(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, content in members:
            file.writestr(member, content)
    return path


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\\out", "a//out", "C:out", "./out", "a/"])
def test_paths_out_of_the_folder_are_refused(tmp_path: Path, elsewhere: Path, name: str) -> None:
    refused(_zip(tmp_path / "bad.zip", (name, b"x")), elsewhere, "an entry that is no plain file")
    assert not (tmp_path / "out").exists()


def test_links_and_names_that_occur_twice_are_refused(tmp_path: Path, elsewhere: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(_zip(tmp_path / "link.zip", (link, b"/etc/passwd")), elsewhere, "an entry that is no plain file")
    refused(_zip(tmp_path / "twice.zip", ("a", b"x"), ("A", b"y")), elsewhere, "has 'A' twice")


def test_a_bomb_is_not_unpacked(tmp_path: Path, elsewhere: Path, monkeypatch) -> None:
    bomb = _zip(tmp_path / "bomb.zip", ("zeros", bytes(64 << 20)))
    refused(bomb, elsewhere, "zeros unpacks to more than a bundle can have")
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    many = _zip(tmp_path / "many.zip", *((str(number), b"") for number in range(3)))
    refused(many, elsewhere, "has 3 files")


def test_a_file_that_is_no_zip_is_refused(exported: ExportedBundle, tmp_path: Path, elsewhere: Path) -> None:
    path = tmp_path / "no.zip"
    path.write_text("no zip")
    refused(path, elsewhere, "The zip file is damaged")
    refused(tmp_path / "none.zip", elsewhere, "There is no file")
    whole = Path(exported.path).read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, elsewhere, "The zip file is damaged")
