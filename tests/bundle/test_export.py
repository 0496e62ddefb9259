"""What a bundle has, who may make it, and whom it names."""

import csv
import io
import json
import re
from pathlib import Path

import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.bundle.columns import table_specs
from readerstudy.bundle.writing.exporting import ExportedBundle, export_bundle
from readerstudy.bundle.writing.identities import NamesSomebody
from readerstudy.cohort.models import Patient
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.reading.models import Reading
from readerstudy.record import verifier
from readerstudy.studies.models import Allocation, Arm, Presentation, SessionPlan, Study
from readerstudy.truth.seal import StillSealed
from tests import make
from tests.analysis import rows
from tests.bundle.conftest import PEOPLE, files_of, json_of


def lines_of(exported: ExportedBundle, name: str) -> list[dict[str, str]]:
    text = files_of(Path(exported.path))[f"data/{name}.csv"].decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_every_presentation_is_a_row_also_without_reading(exported: ExportedBundle) -> None:
    lines = lines_of(exported, "readings")
    assert len(lines) == Presentation.objects.count()
    given = [line for line in lines if line["verdict"]]
    assert len(given) == Reading.objects.count()
    assert len(given) < len(lines)
    missing = next(line for line in lines if not line["verdict"])
    assert {missing[name] for name in ("elapsed_ms", "shown_s", "answers", "receipt")} == {""}
    assert missing["case"]


def test_a_bundle_without_lines_under_triptychs_has_no_file_of_them(exported: ExportedBundle) -> None:
    assert "protocol/lines.json" not in files_of(Path(exported.path))


def test_the_codebook_has_every_column_that_is_written(study: Study, exported: ExportedBundle) -> None:
    files = files_of(Path(exported.path))
    codebook = lines_of(exported, "codebook")
    specs = table_specs(study.cohort.modality)
    for spec in specs:
        written = files[f"data/{spec.name}.csv"].decode().splitlines()[0].split(",")
        assert written == [line["column"] for line in codebook if line["table"] == spec.name]
        assert written == pyarrow.parquet.read_schema(io.BytesIO(files[f"data/{spec.name}.parquet"])).names
    assert {line["table"] for line in codebook} == {spec.name for spec in specs}
    assert all(line["meaning"] and line["type"] for line in codebook)
    assert [each["name"] for each in json.loads(files["data/codebook.json"])] == [spec.name for spec in specs]


def test_every_value_is_one_of_the_levels_of_its_column(study: Study, exported: ExportedBundle) -> None:
    for spec in table_specs(study.cohort.modality):
        lines = lines_of(exported, spec.name)
        for column in spec.columns:
            if column.levels:
                assert {line[column.name] for line in lines} <= {*column.levels, ""}


def test_the_crate_describes_every_file(exported: ExportedBundle) -> None:
    files = files_of(Path(exported.path))
    crate = json.loads(files["ro-crate-metadata.json"])
    graph = {each["@id"]: each for each in crate["@graph"]}
    described = {each["@id"] for each in crate["@graph"] if each["@type"] == "File"}
    assert described == files.keys() - {"ro-crate-metadata.json", "manifest.json"}
    assert graph["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert {each["@id"] for each in graph["./"]["hasPart"]} == described
    assert graph["./"]["identifier"] == "small"
    assert graph["./"]["datePublished"] == make.MONDAY.date().isoformat()


def test_the_standalone_verifier_of_the_bundle_finds_nothing_wrong(exported: ExportedBundle, tmp_path, capsys) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(files_of(Path(exported.path))["record/record.jsonl"])
    assert verifier.main([str(path)]) == 0
    assert "Everything agrees." in capsys.readouterr().out


def test_the_same_study_gives_no_patient_the_same_pseudonym(study: Study, exported: ExportedBundle, tmp_path) -> None:
    again = export_bundle(study=study, target=tmp_path / "again.zip", actor=None, at=make.MONDAY)
    first, second = ({line["patient"] for line in lines_of(each, "images")} for each in (exported, again))
    assert len(first) == len(second)
    assert not first & second


# --- de-identification --------------------------------------------------------------------------------------------
def test_a_bundle_names_nobody(exported: ExportedBundle) -> None:
    said = [text for names in PEOPLE.values() for text in names]
    accounts = [*User.objects.values_list("username", flat=True), "klinik.example", "Rosalinde", "Quellwasser"]
    patients = [*Patient.objects.values_list("fingerprint", flat=True)]
    pseudonyms = [*Patient.objects.values_list("pseudonym", flat=True)]
    for name, content in files_of(Path(exported.path)).items():
        if name == "record/verifier.py" or name.endswith(".parquet"):  # the CSV has the same cells
            continue
        text = content.decode()
        for word in (*said, *accounts, *(each for each in (*patients, *pseudonyms) if len(each) > 4)):
            assert not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text), (name, word)
    assert b"[withheld]" in files_of(Path(exported.path))["analysis/facts.json"]


def test_no_moment_is_the_one_at_which_somebody_worked(exported: ExportedBundle) -> None:
    dates = {f"{each:%Y-%m-%d}" for each in Reading.objects.values_list("answered_at", flat=True)}
    dates.add(f"{make.MONDAY:%Y-%m-%d}")
    stated = {"record/record.jsonl", "ro-crate-metadata.json"}  # when the bundle was made, and the lists drawn
    for name, content in files_of(Path(exported.path)).items():
        if name not in stated and not name.endswith(".parquet"):
            assert not [date for date in dates if date.encode() in content], name


def test_the_record_gives_only_hashes(exported: ExportedBundle) -> None:
    lines = [json.loads(line) for line in files_of(Path(exported.path))["record/record.jsonl"].splitlines()]
    leaves = [line for line in lines if line.get("type") == "leaf"]
    assert leaves
    assert all(json.loads(leaf["data"])["table"] == "record_commitment" for leaf in leaves if "data" in leaf)
    assert not any("sealed" in leaf for leaf in leaves)
    assert sum(line.get("type") == "head" for line in lines) == 1


@pytest.mark.parametrize("name", ["Margarita Fernweh", "rita@klinik.example", "rolf"])
def test_a_title_with_a_name_is_refused(study: Study, tmp_path: Path, name: str) -> None:
    study.title = f"What {name} sees"
    study.save()
    with pytest.raises(NamesSomebody, match=r"line \d+ of \S+ has the name"):
        export_bundle(study=study, target=tmp_path / "small.zip", actor=None, at=make.MONDAY)
    assert {path.name for path in tmp_path.iterdir()} <= {"record"}  # the file of signed heads
    assert not Event.objects.filter(verb="export.made").exists()


def test_hashes_are_withheld_while_a_sealed_study_shows_the_images(study: Study, tmp_path: Path) -> None:
    other = _sealed_twin(study)
    exported = export_bundle(study=study, target=tmp_path / "small.zip", actor=None, at=make.MONDAY)
    assert {line["sha256"] for line in lines_of(exported, "images")} == {""}
    assert {line["made_from_sha256"] for line in lines_of(exported, "images")} == {""}
    assert b'"lines"' not in files_of(Path(exported.path))["record/record.jsonl"]
    assert "still sealed" in files_of(Path(exported.path))["README.md"].decode()
    assert other.is_sealed


def _sealed_twin(study: Study) -> Study:
    """Return an open study that shows one image of this one."""
    shown = Allocation.objects.filter(session_plan__study=study).first()
    values = {"title": "Twin", "template": "zhou2021", "cohort": study.cohort, "status": "open"}
    moments = {"locked_at": make.MONDAY, "opened_at": make.MONDAY, "created_at": make.MONDAY}
    twin = Study.objects.create(code="twin", plan={"generators": []}, image_bytes=1, **values, **moments)
    plan = SessionPlan.objects.create(study=twin, number=1, kind="blinded", title="One", instructions="", total=1)
    arm = Arm.objects.create(study=twin, name="high", resolution="high")
    Allocation.objects.create(session_plan=plan, arm=arm, position=1, stimulus=shown.stimulus)
    return twin


# --- who may -----------------------------------------------------------------------------------------------------
def test_a_sealed_study_is_not_exported(db: None, tmp_path: Path) -> None:
    sealed = rows.closed(rows.study())
    with pytest.raises(StillSealed):
        export_bundle(study=sealed, target=tmp_path / "small.zip", actor=None, at=make.MONDAY)
    assert not list(tmp_path.iterdir())


def test_a_coordinator_may_not_export(study: Study, tmp_path: Path) -> None:
    clara = make.user("clara", "coordinator")
    make.join([clara], [study])
    with pytest.raises(NotAllowed):
        export_bundle(study=study, target=tmp_path / "small.zip", actor=clara, at=make.MONDAY)


def test_a_file_that_is_there_is_kept(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "there.zip"
    path.write_text("mine")
    with pytest.raises(BadInput, match="is there already"):
        export_bundle(study=study, target=path, actor=None, at=make.MONDAY)
    assert path.read_text() == "mine"


def test_the_command_prints_what_it_wrote_and_the_trail_has_it(study: Study, tmp_path: Path, capsys) -> None:
    path = tmp_path / "small.zip"
    call_command("export_bundle", "small", str(path), json=True)
    said = json.loads(capsys.readouterr().out)
    event = Event.objects.get(verb="export.made")
    assert (event.data["part"], event.data["sha256"], event.study) == ("bundle", said["sha256"], "small")
    assert said["bytes"] == path.stat().st_size
    assert said["files"] == len(files_of(path))
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("export_bundle", "small", str(tmp_path / "none" / "small.zip"))


def test_the_manifest_lists_every_file(exported: ExportedBundle) -> None:
    files = files_of(Path(exported.path))
    manifest = json_of(Path(exported.path), "manifest.json")
    assert manifest["files"].keys() == files.keys() - {"manifest.json"}
    assert (manifest["study"], manifest["language"], manifest["rehearsal"]) == ("small", "en", False)
