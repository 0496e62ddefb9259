"""`import_cohort --dicomweb`: from an archive to a cohort, checked, resumed, and reported."""

import json
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from readerstudy.cohort.models import Cohort, Image
from readerstudy.truth.models import ImageTruth
from tests.sources.archive import StubArchive, running, status, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def stub(small, settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path / "uploads"
    # Six patients with two images each.
    with running(StubArchive([stored(n, study=study) for study in range(1, 7) for n in (1, 2)])) as made:
        yield made


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "labels.csv"
    rows = [f"P{n},{'malignant' if n % 2 else 'normal'}" for n in range(1, 7)]
    path.write_text("\n".join(["patient,pathology", *rows]))
    return path


def run(stub, table, *options: str, name: str = "archive") -> dict:
    out = StringIO()
    arguments = ["--dicomweb", stub.url, "--table", str(table), "--series-modality", "MG", "--json", *options]
    call_command("import_cohort", name, *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_images_of_an_archive_become_a_cohort_and_their_files_are_removed(stub, table, settings):
    result = run(stub, table)
    assert (result["images_new"], result["patients"], result["problems"]) == (12, 6, [])
    assert sorted(Counter(ImageTruth.objects.values_list("pathology", flat=True)).values()) == [6, 6]
    assert list(settings.UPLOADS_DIR.iterdir()) == []
    again = run(stub, table)
    assert (again["images_new"], again["images_known"]) == (0, 12)


def test_a_check_imports_nothing_and_keeps_the_files_for_the_import(stub, table):
    result = run(stub, table, "--check")
    assert result["images_new"] == 12
    assert not Cohort.objects.exists()
    run(stub, table)
    assert Image.objects.count() == 12
    assert set(stub.fetched.values()) == {1}


def test_one_bad_instance_is_reported_and_fetched_alone_the_next_time(stub, table):
    bad = stub.instances[3].uid
    stub.faults[bad] = status(500)
    with pytest.raises(CommandError, match=f"{bad}.dcm: The archive answered with the status 500."):
        run(stub, table)
    assert Image.objects.count() == 11
    del stub.faults[bad]
    run(stub, table)
    assert Image.objects.count() == 12
    assert stub.fetched[bad] == 2
    assert {count for uid, count in stub.fetched.items() if uid != bad} == {1}


def test_an_import_that_was_cut_goes_on_where_it_was(stub, table):
    def end(*args, **options):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("readerstudy.truth.management.commands.import_cohort.import_cohort", end)
        with pytest.raises(KeyboardInterrupt):
            run(stub, table)
    stub.faults = {each.uid: status(404) for each in stub.instances}
    assert run(stub, table)["images_new"] == 12
    assert set(stub.fetched.values()) == {1}


def test_a_table_can_name_images_by_their_uid(stub, tmp_path):
    table = tmp_path / "images.csv"
    rows = [f"{each.uid},patient {number // 2},normal" for number, each in enumerate(stub.instances)]
    table.write_text("\n".join(["image,patient,pathology", *rows]))
    assert run(stub, table)["images_new"] == 12


def test_a_patient_is_not_found_in_the_digits_of_a_uid(stub, tmp_path):
    """A patient called 2 would otherwise be in most of the UIDs."""
    table = tmp_path / "short.csv"
    table.write_text("patient,pathology\n2,normal\n826,normal\n")
    with pytest.raises(CommandError, match="fits no file"):
        run(stub, table)
    assert not Image.objects.exists()


def test_a_refused_sign_in_changes_nothing(stub, table):
    stub.sign_in = "Bearer right"
    with pytest.raises(CommandError, match="refuses the sign-in"):
        run(stub, table)
    assert not Cohort.objects.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--studies", "/nowhere.txt"], "cannot be read as a list of studies"),
        (["--find", "StudyDate"], "write KEYWORD=VALUE"),
        (["--dicom", "/tmp"], "--dicomweb stands for --dicom"),
        (["--find", "PatientID=nobody", "--modality", "DX"], "has no image that fits"),
    ],
)
def test_wrong_options_say_what_is_wrong(stub, table, options, message):
    stub.instances = []
    with pytest.raises(CommandError, match=message):
        run(stub, table, *options)
    assert not Cohort.objects.exists()


def test_a_search_needs_a_limit(stub, table):
    with pytest.raises(CommandError, match="Say which images"):
        call_command("import_cohort", "archive", "--dicomweb", stub.url, "--table", str(table))


def test_no_file_name_or_uid_is_stored(stub, table):
    run(stub, table)
    values = json.dumps([list(row) for row in Image.objects.values_list()], default=str)
    assert not any(each.uid in values or each.study in values for each in stub.instances)
    assert "P1" not in values
