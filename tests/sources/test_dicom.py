"""DICOM mammograms: every way to store a picture gives the same picture, and no name comes out."""

from functools import partial
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.sr._snomed_dict import mapping as SNOMED  # no public name
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from readerstudy.errors import StudyError
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.modalities.mammography.attributes import VIEWS
from readerstudy.modalities.mammography.dicom import _MODIFIERS, _VIEW_CODES
from readerstudy.modalities.mammography.sources import VOCABULARY, read_folder
from readerstudy.sources.limited import limited
from readerstudy.sources.source import ImportBatch, without_contradictions
from tests.sources.make_files import CBIS_DDSM, compress_dicom, dicom_dataset, film, write_dicom, write_table

needs_cbis_ddsm = pytest.mark.skipif(not CBIS_DDSM.is_dir(), reason="the CBIS-DDSM files are not here")


def find_one(path: Path, *, row: str = "anna,,,normal", spacing: str = "") -> ImportBatch:
    """What a folder with this one file and a table that names it holds."""
    header = "image,patient,laterality,view,pathology,pixel_spacing_mm"
    return read_folder(path.parent, write_table(path.parent, [f"{path.name},{row},{spacing}"], header=header))


def load_one(path: Path) -> Pixels:
    found = find_one(path)
    assert not found.problems
    return found.images[0].load()


def sentences(found: ImportBatch) -> str:
    return "\n".join(problem.sentence for problem in found.problems)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.dcm"


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_bits_stored_are_the_depth(path: Path, bits: int) -> None:
    values = film(bits=bits)
    pixels = load_one(write_dicom(path, values, bits=bits))
    assert pixels.bits == bits
    assert np.array_equal(pixels.values, values)


@pytest.mark.parametrize(
    "syntax",
    [
        gdcm.TransferSyntax.RLELossless,
        gdcm.TransferSyntax.JPEGLosslessProcess14,
        gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        gdcm.TransferSyntax.JPEGLSLossless,
        gdcm.TransferSyntax.JPEG2000Lossless,
    ],
)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_every_lossless_compression_gives_the_same_picture(path: Path, bits: int, syntax: int) -> None:
    values = film(bits=bits, rows=64, columns=40)
    pixels = load_one(compress_dicom(write_dicom(path, values, bits=bits), syntax))
    assert dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    assert pixels.bits == bits
    assert np.array_equal(pixels.values, values)


@pytest.mark.parametrize(
    "syntax",
    [
        gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        gdcm.TransferSyntax.JPEGLSLossless,
        gdcm.TransferSyntax.JPEG2000Lossless,
    ],
)
@pytest.mark.parametrize("lie", [{"Rows": 63}, {"Columns": 41}, {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}])
def test_a_compressed_frame_that_is_not_what_the_header_says_is_refused(
    path: Path, syntax: int, lie: dict[str, int]
) -> None:
    dataset = dcmread(compress_dicom(write_dicom(path, film(bits=12, rows=64, columns=40), bits=12), syntax))
    for keyword, value in lie.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    with pytest.raises(UnreadableImage, match=r"^film\.dcm is damaged"):
        load_one(path)


def test_a_frame_that_ends_its_decoder_costs_one_image_and_not_the_import(path: Path) -> None:
    compress_dicom(write_dicom(path, film(bits=12), bits=12), gdcm.TransferSyntax.JPEGLSLossless)
    body = bytearray(path.read_bytes())
    body[body.index(b"\xff\xd8\xff\xf7") + 6] = 251  # bits of a sample; gdcm aborts on this
    path.write_bytes(body)
    with pytest.raises(UnreadableImage, match=r"^film\.dcm is damaged: it ended the program that reads it"):
        limited(partial(pixel_array, path, raw=True, decoding_plugin="gdcm"), name="film.dcm")
    with pytest.raises(UnreadableImage, match=r"^film\.dcm is damaged"):
        load_one(path)
    values = film(bits=12)
    assert np.array_equal(load_one(write_dicom(path, values, bits=12)).values, values)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_plain_encoding_gives_the_same_picture(path: Path, syntax: Any) -> None:
    values = film(bits=12)
    dataset = dicom_dataset(values, bits=12)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset["PixelData"].VR = "OW"
        dataset.PixelData = values.astype(">u2").tobytes()
    dataset.save_as(path, enforce_file_format=True)
    assert np.array_equal(load_one(path).values, values)


def test_a_file_without_preamble_and_meta_information_is_read_all_the_same(path: Path) -> None:
    values = film(bits=12)
    dataset = dicom_dataset(values, bits=12)
    del dataset.file_meta
    dataset.save_as(path, implicit_vr=True, little_endian=True)
    assert np.array_equal(load_one(path).values, values)


def test_what_the_header_knows_comes_from_the_header_and_the_rest_from_the_table(path: Path) -> None:
    image = find_one(write_dicom(path, film(bits=12), bits=12), spacing="0.2").images[0]
    assert (image.attributes["laterality"], image.attributes["view_position"], image.modality) == ("L", "CC", "MG")
    assert image.pixel_spacing_mm == 0.07
    bare = {"ImageLaterality": None, "ViewPosition": None, "ImagerPixelSpacing": None, "Modality": None}
    write_dicom(path, film(bits=12), bits=12, **bare)
    image = find_one(path, row="anna,right,mlo,benign", spacing="0.2").images[0]
    assert (image.attributes["laterality"], image.attributes["view_position"], image.modality) == ("R", "MLO", "MG")
    assert (image.pixel_spacing_mm, image.patient_key, image.pathology) == (0.2, "anna", "other")


def test_a_header_against_the_table_is_followed_and_reported(path: Path) -> None:
    found = find_one(write_dicom(path, film(bits=12), bits=12), row="anna,R,CC,benign")
    assert found.images[0].attributes["laterality"] == "L"
    assert "Row 2 (film.dcm) has the laterality R, the file's header L" in sentences(found)


@pytest.mark.parametrize(
    ("header", "laterality", "view"),
    [
        ({"ImageLaterality": None, "Laterality": "R"}, "R", "CC"),
        ({"ViewPosition": None, "PatientOrientation": "MLO"}, "L", "MLO"),
        ({"ViewPosition": None, "PatientOrientation": ["A", "R"]}, "L", "CC"),
        ({"ImageLaterality": None, "ViewPosition": None, "PatientOrientation": ["A", "FR"]}, "L", "MLO"),
        ({"ImageLaterality": None, "ViewPosition": None, "PatientOrientation": ["P", "FL"]}, "R", "MLO"),
        ({"ImageLaterality": "B", "ViewPosition": None}, "", ""),
    ],
)
def test_side_and_view_are_found_where_vendors_put_them(
    path: Path, header: dict[str, Any], laterality: str, view: str
) -> None:
    image = find_one(write_dicom(path, film(bits=12), bits=12, **header)).images[0]
    known = (image.attributes.get("laterality", ""), image.attributes.get("view_position", ""))
    assert known == (laterality, view)


# Table CID 4014 of DICOM PS3.16: code meanings, as pydicom has them from the standard, and the abbreviations there.
VIEW_OF_MEANING = {
    "medial-lateral": "ML",
    "medio-lateral oblique": "MLO",
    "latero-medial": "LM",
    "latero-medial oblique": "LMO",
    "cranio-caudal": "CC",
    "caudo-cranial": "FB",
    "superolateral to inferomedial oblique": "SIO",
    "inferomedial to superolateral oblique": "ISO",
    "cranio-caudal exaggerated laterally": "XCCL",
    "cranio-caudal exaggerated medially": "XCCM",
    "tissue specimen from breast": "",
}


def test_the_codes_of_views_are_those_of_the_standard() -> None:
    members, modifiers = (
        [code for name in dir(group) if isinstance(code := getattr(group, name), Code)]
        for group in (codes.cid4014, codes.cid4015)
    )
    assert {code.meaning for code in members} == VIEW_OF_MEANING.keys()
    expected = {code.value: VIEW_OF_MEANING[code.meaning] for code in members if VIEW_OF_MEANING[code.meaning]}
    older = {rt: expected[ct] for rt, ct in SNOMED["SRT"].items() if ct in expected}
    assert len(older) == len(expected) == 10
    withdrawn = {"Y-X1770": "XCCL", "Y-X1771": "XCCM", "R-102CF": "XCC", SNOMED["SRT"]["R-102CF"]: "XCC"}
    assert {**expected, **older, **withdrawn} == _VIEW_CODES
    assert set(_VIEW_CODES.values()) <= set(VIEWS)
    known = {code.value for code in modifiers}
    assert {SNOMED["SRT"].get(value, value) for value in _MODIFIERS} <= known


@pytest.mark.parametrize(("code", "view"), [("R-10226", "MLO"), ("399162004", "CC"), ("441555000", "ISO")])
def test_the_view_is_found_by_its_code(path: Path, code: str, view: str) -> None:
    item = Dataset()
    item.CodeValue = code
    header = {"ViewPosition": None, "ViewCodeSequence": Sequence([item])}
    assert find_one(write_dicom(path, film(bits=12), bits=12, **header)).images[0].attributes["view_position"] == view


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"NumberOfFrames": 3}, "holds 3 frames"),
        ({"PhotometricInterpretation": "YBR_FULL"}, "is not a grey picture"),
        ({"BitsStored": 6}, "stores 6 of 16 bits"),
        ({"Rows": None}, "holds no DICOM image"),
    ],
)
def test_what_is_no_single_grey_picture_is_refused_with_a_sentence(
    path: Path, header: dict[str, Any], sentence: str
) -> None:
    found = find_one(write_dicom(path, film(bits=12), bits=12, **header))
    assert not found.images
    assert f"film.dcm {sentence}" in sentences(found)


def test_files_that_are_not_dicom_are_passed_over_unless_they_claim_to_be(path: Path) -> None:
    write_dicom(path, film(bits=12), bits=12)
    write_dicom(path.with_name("noending"), film(bits=12), bits=12)
    path.with_name("readme.md").write_text("# images")
    path.with_name("claims.dcm").write_text("no DICOM at all")
    path.with_name("empty.dcm").write_bytes(b"")
    table = write_table(path.parent, ["film,anna,L,CC,benign", "noending,anna,,,benign"])
    found = read_folder(path.parent, table)
    assert {image.name for image in found.images} == {"film.dcm", "noending"}
    assert {problem.name for problem in found.problems} == {"claims.dcm", "empty.dcm"}


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_file_is_named_at_the_latest_when_it_is_loaded(path: Path, kept: float) -> None:
    body = write_dicom(path, film(bits=12, rows=64, columns=64), bits=12).read_bytes()
    path.write_bytes(body[: int(len(body) * kept)])
    with pytest.raises(UnreadableImage, match=r"^film\.dcm is damaged, cut off"):
        find_one(path).images[0].load()


def test_a_file_without_a_row_and_a_row_without_a_file_are_reported(path: Path) -> None:
    write_dicom(path, film(bits=12), bits=12)
    write_dicom(path.with_name("other.dcm"), film(bits=12), bits=12)
    found = read_folder(path.parent, write_table(path.parent, ["film.dcm,anna,,,normal", "gone.dcm,bea,,,normal"]))
    assert [image.name for image in found.images] == ["film.dcm"]
    assert "other.dcm has no row in the table, so its patient and pathology are unknown." in sentences(found)
    assert "Row 3 (gone.dcm) names a file that is not there" in sentences(found)
    assert "pathology are unknown" in sentences(read_folder(path.parent))


def test_rows_that_disagree_about_a_file_leave_it_out(path: Path) -> None:
    write_dicom(path, film(bits=12), bits=12)
    found = read_folder(path.parent, write_table(path.parent, ["film.dcm,anna,,,normal", "film,bea,,,normal"]))
    assert not found.images
    assert "described differently in rows 2, 3" in sentences(found)


# pydicom warns of the names that this test writes into code strings on purpose.
@pytest.mark.filterwarnings("ignore:.*Invalid value for VR CS:UserWarning")
def test_nothing_that_identifies_the_patient_is_kept(
    path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write_dicom(path, film(bits=12), bits=12, ImageLaterality="DOE^JANE^61", ViewPosition="Doe, Jane 1961-02-03")
    caplog.clear()
    capfd.readouterr()  # writing such a file is complained about too; that is not what is asked here
    found = find_one(path)
    image = found.images[0]
    image.load()
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    with pytest.raises(UnreadableImage) as refused:
        image.load()
    told = f"{found} {refused.value} {capfd.readouterr()} {caplog.text}".lower()
    assert not [word for word in ("doe", "jane", "secret", "1961", "1.2.826") if word in told]


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="holds no DICOM files"):
        read_folder(tmp_path)
    with pytest.raises(StudyError, match="is not a folder"):
        read_folder(tmp_path / "gone")


@needs_cbis_ddsm
def test_the_four_images_of_cbis_ddsm_are_one_patient() -> None:
    found = without_contradictions(read_folder(CBIS_DDSM, CBIS_DDSM / "images.csv"), VOCABULARY)
    assert not found.problems
    assert {image.patient_key for image in found.images} == {"P_00173"}
    assert [(image.attributes["laterality"], image.attributes["view_position"]) for image in found.images] == [
        ("L", "CC"),
        ("L", "MLO"),
        ("R", "CC"),
        ("R", "MLO"),
    ]
    pixels = found.images[0].load()
    assert (pixels.values.shape, pixels.bits, int(pixels.values.max())) == ((4432, 2864), 16, 55879)
    assert len(np.unique(pixels.values)) == 2427
