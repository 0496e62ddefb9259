"""Tables without file names, unusual views, and files outside the allowed folder."""

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from readerstudy.modalities.mammography.sources import read_folder
from readerstudy.vocabulary import Pathology
from tests.sources.make_files import film, write_dicom, write_table
from tests.sources.test_dicom import find_one, path, sentences

__all__ = ["path"]


PER_PATIENT = "patient,laterality,view,pathology"


def test_a_table_by_patient_is_about_all_files_of_the_patient(tmp_path: Path) -> None:
    write_dicom(tmp_path / "one.dcm", film(bits=12, seed=1), bits=12, PatientID="Mass-Test_P_001_LEFT_CC")
    write_dicom(tmp_path / "two.dcm", film(bits=12, seed=2), bits=12, PatientID="Mass-Test_P_001_LEFT_MLO")
    write_dicom(tmp_path / "three.dcm", film(bits=12, seed=3), bits=12, PatientID="Mass-Test_P_0010_LEFT_CC")
    (tmp_path / "P_002").mkdir()
    write_dicom(tmp_path / "P_002" / "four.dcm", film(bits=12, seed=4), bits=12)
    rows = ["P_001,,,malignant", "P_002,,,normal", "P_003,,,normal"]
    found = read_folder(tmp_path, write_table(tmp_path, rows, header=PER_PATIENT))
    assert {image.name: (image.patient_key, image.pathology) for image in found.images} == {
        "one.dcm": ("P_001", Pathology.POSITIVE),
        "two.dcm": ("P_001", Pathology.POSITIVE),
        "P_002/four.dcm": ("P_002", Pathology.NORMAL),
    }
    assert "Row 4 (P_003) fits no file" in sentences(found)
    assert "three.dcm has no row in the table" in sentences(found)


def test_a_row_by_patient_with_a_side_is_about_that_side(tmp_path: Path) -> None:
    for side in "LR":
        write_dicom(tmp_path / f"{side}.dcm", film(bits=12), bits=12, PatientID="P_001", ImageLaterality=side)
    rows = ["P_001,L,CC,malignant", "P_001,R,CC,normal"]
    found = read_folder(tmp_path, write_table(tmp_path, rows, header=PER_PATIENT))
    assert {image.name: image.pathology for image in found.images} == {
        "L.dcm": Pathology.POSITIVE,
        "R.dcm": Pathology.NORMAL,
    }
    assert not found.problems


def test_a_row_by_patient_with_a_bad_lesion_leaves_that_patient_out(tmp_path: Path) -> None:
    write_dicom(tmp_path / "one.dcm", film(bits=12), bits=12, PatientID="P_001")
    write_dicom(tmp_path / "two.dcm", film(bits=12), bits=12, PatientID="P_002")
    rows = ["P_001,malignant,1,2,3", "P_001,malignant,1,,3", "P_002,malignant,1,2,3"]
    header = "patient,pathology,lesion_x,lesion_y,lesion_radius"
    found = read_folder(tmp_path, write_table(tmp_path, rows, header=header))
    assert [image.name for image in found.images] == ["two.dcm"]


def test_magnification_and_spot_views_are_imported_with_a_remark(path: Path) -> None:
    modifier, view = Dataset(), Dataset()
    modifier.CodeValue, view.CodeValue = "R-102D7", "R-10242"
    view.ViewModifierCodeSequence = Sequence([modifier])
    for header, words in (
        ({"ViewCodeSequence": Sequence([view])}, "a spot compression view"),
        ({"EstimatedRadiographicMagnificationFactor": "1.8"}, "a magnification view"),
        ({"PartialView": "YES"}, "a partial view"),
    ):
        found = find_one(write_dicom(path, film(bits=12), bits=12, **header))
        assert sentences(found) == f"film.dcm is {words}: it is imported as a plain view."
        assert len(found.images) == 1
    usual = find_one(write_dicom(path, film(bits=12), bits=12, EstimatedRadiographicMagnificationFactor="1.1"))
    assert not usual.problems


def test_dicom_files_outside_the_allowed_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_dicom(tmp_path / "out.dcm", film(bits=12), bits=12)
    (tmp_path / "in" / "link.dcm").symlink_to(tmp_path / "out.dcm")
    table = write_table(tmp_path / "in", ["link.dcm,anna,,,normal", "../out.dcm,bea,,,normal"])
    found = read_folder(tmp_path / "in", table, root=tmp_path / "in")
    assert not found.images
    assert "link.dcm names a file outside the folder of the import." in sentences(found)
