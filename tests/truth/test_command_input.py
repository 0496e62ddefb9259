"""Commands that create cohorts and studies: bad input gives a clear message and changes nothing."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image as PillowImage

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort, Image, Patient, Stimulus
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.models import Study
from readerstudy.truth.models import ImageTruth, Truth
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]

TABLES = (Cohort, Patient, Image, Stimulus, ImageTruth, Truth, Study, ReadingSession, Event)


def counts() -> list[int]:
    return [table.objects.count() for table in TABLES]


def require_refusal(*words: str, message: str) -> None:
    """Run the command and check that it fails with the message and stores nothing."""
    before = counts()
    with pytest.raises(CommandError) as error:
        call_command(*words)
    assert message in str(error.value)
    assert counts() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bad name", "--patients", "3"], "cohort 'bad name'"),
        (["a/b", "--patients", "3"], "cohort 'a/b'"),
        (["n" * 65, "--patients", "3"], "64 at most"),
        (["nul\0", "--patients", "3"], "letters, digits"),
        (["x"], "--patients"),
        (["x", "--patients", "ten"], "invalid int value"),
        (["x", "--patients", "0"], "1 to 100000 patients"),
        (["x", "--patients", "-3"], "1 to 100000 patients"),
        (["x", "--patients", "999999999999"], "1 to 100000 patients"),
        (["x", "--patients", "3", "--seed", "-1"], "whole number from 0"),
        (["x", "--patients", "3", "--seed", "9" * 30], "whole number from 0"),
        (["x", "--patients", "3", "--resolution", "medium"], "'medium'; Mammography has: high, low"),
        (["x", "--patients", "3", "--modality", "XX"], "no modality 'XX'; there are: MG"),
        (["x", "--patients", "3", "--split", "nan/nan/nan"], "three positive percentages"),
        (["x", "--patients", "3", "--split", "inf/-inf/100"], "three positive percentages"),
        (["x", "--patients", "3", "--split", "50/50/0"], "three positive percentages"),
    ],
)
def test_make_phantoms_refuses_bad_input(words: list[str], message: str) -> None:
    require_refusal("make_phantoms", *words, message=message)


TABLE = "image,patient,pathology\ngood.png,p1,normal\n"


@pytest.mark.parametrize(
    ("words", "table", "message"),
    [
        ([], TABLE, "Say where the images are"),
        (["--dicom", "nowhere"], TABLE, "nowhere is not a folder"),
        (["--dicom", "table.csv"], TABLE, "is not a folder"),
        (["--dicom", "empty"], TABLE, "holds no DICOM files"),
        (["--table", "missing.csv"], TABLE, "cannot be read"),
        (["--table", "empty"], TABLE, "cannot be read"),
        (["--table", "table.csv"], "", "is empty"),
        (["--table", "table.csv"], "a,b\n1,2\n", "it lacks"),
        (["--table", "table.csv"], "image,patient,pathology\n", "no rows"),
        (["--table", "table.csv"], TABLE + '"open', "not a CSV table"),
        (["--table", "table.csv"], "image,patient,pathology\n" + "n" * 5000 + ",p1,normal\n", "cannot be opened"),
        (["--table", "table.csv"], "image,patient,pathology\nloop,p1,normal\n", "not there"),
        (["--table", "table.csv"], "image,patient,pathology\n.,p1,normal\n", "not there"),
        (["--table", "table.csv", "--column", "side"], TABLE, "OURS=THEIRS"),
        (["--table", "table.csv", "--column", "side=left"], TABLE, "no column 'side' to map"),
        (["--table", "table.csv", "--column", "view=projection"], TABLE, "there is no 'projection'"),
        (["--table", "table.csv", "--folder", "nowhere"], TABLE, "not there"),
        (["--table", "table.csv", "--pathology-per", "eye"], TABLE, "invalid choice: 'eye'"),
        (["--table", "table.csv", "--resolution", "medium"], TABLE, "'medium'; Mammography has: high, low"),
        (["--table", "table.csv", "--modality", "XX"], TABLE, "no modality 'XX'; there are: MG"),
        (["--table", "table.csv", "--split", "80/20"], TABLE, "three positive percentages"),
        (["--table", "table.csv", "--seed", "one"], TABLE, "whole number from 0"),
    ],
)
def test_import_cohort_refuses_bad_input(
    words: list[str], table: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "table.csv").write_text(table)
    PillowImage.fromarray(make.drawn(1).values.astype(np.uint16)).save(tmp_path / "good.png")
    require_refusal("import_cohort", "x", *words, message=message)


@pytest.mark.parametrize("name", ["bad name", "", "../x", "-x", "n" * 65])
def test_import_cohort_refuses_a_bad_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("image,patient,pathology\nmissing.png,p1,normal\n")
    require_refusal("import_cohort", "--table", str(tmp_path / "table.csv"), "--", name, message="letters, digits")


def test_a_resolution_named_twice_is_stored_once(tmp_path: Path) -> None:
    PillowImage.fromarray(make.drawn(1).values.astype(np.uint16)).save(tmp_path / "good.png")
    (tmp_path / "table.csv").write_text(TABLE)
    resolutions = ["--resolution", "low", "--resolution", "low"]
    call_command("import_cohort", "x", "--table", str(tmp_path / "table.csv"), *resolutions)
    assert Cohort.objects.get().resolutions == ("low",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Say what to draw from"),
        (["--cohort", "nothing"], "no cohort named 'nothing'"),
        (["--same-draw-as", "nothing"], "nothing"),
        (["--cohort", "films", "--same-draw-as", "nothing"], "not both"),
        (["--cohort", "films", "--scale", "0"], "above 0 and at most 1"),
        (["--cohort", "films", "--scale", "nan"], "above 0 and at most 1"),
        (["--cohort", "films", "--scale", "much"], "invalid float value"),
        (["--cohort", "films", "--scale", "1"], "lacks"),
        (["--cohort", "films", "--resolution", "high"], "high"),
        (["--cohort", "films", "--attack", "nothing"], "no adversarial images of nothing"),
        (["--cohort", "films", "--code", "a b"], "code 'a b'"),
        (["--cohort", "films", "--title", "t" * 121], "at most 120 characters"),
        (["--cohort", "films", "--template", "other"], "invalid choice: 'other'"),
        (["--cohort", "films", "--seed", "-1"], "whole number from 0"),
        (["--cohort", "films", "--plan", "missing.toml"], "missing.toml"),
        (["--cohort", "films", "--plan", "."], "cannot be read"),
        (["--cohort", "films", "--plan", "broken.toml"], "broken.toml"),
        (["--cohort", "films", "--plan", "unknown.toml"], "nonsense"),
        (["--cohort", "films", "--reader", "nobody"], "no user named 'nobody'"),
        (["--cohort", "films", "--reader", "admin"], "reader"),
        (["--cohort", "films", "--reader", "anna", "--reader", "anna"], "anna"),
    ],
)
def test_create_study_refuses_bad_input(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("[every\n")
    (tmp_path / "unknown.toml").write_text("[every]\nnonsense = 1\n")
    films = make.cohort()
    make.adversarial_images_for(films)
    User.objects.create_user("anna", role=Role.READER)
    User.objects.create_user("admin", role=Role.COORDINATOR)
    scale = [] if "--scale" in words else ["--scale", "0.02"]
    require_refusal("create_study", *words, *scale, message=message)


@pytest.mark.django_db
def test_each_problem_names_its_path_once(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE + "gone.png,p2,normal\n")
    PillowImage.fromarray(make.drawn(1).values.astype(np.uint16)).save(tmp_path / "good.png")
    with pytest.raises(CommandError) as caught:
        call_command("import_cohort", "x", table=tmp_path / "table.csv")
    assert "\n  Row 3 (gone.png) names a file that is not there." in str(caught.value)
    with pytest.raises(CommandError, match=r"The table /nope\.csv cannot be read"):
        call_command("import_cohort", "x", table=Path("/nope.csv"))
