"""Picture files and the table that names them: depth as the file says it, and every bad row by number."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from readerstudy.errors import StudyError
from readerstudy.imaging.grey_levels import to_16_bit
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.modalities.mammography.sources import VOCABULARY, read_table
from readerstudy.sources.source import ImportBatch, without_contradictions
from tests.sources.make_files import MINI_MIAS, film, write_pgm, write_png, write_table, write_tiff

needs_mini_mias = pytest.mark.skipif(not MINI_MIAS.is_dir(), reason="the mini-MIAS images are not here")


def load_one(path: Path, *, bits: str = "") -> Pixels:
    """The only picture of a table that names this file."""
    header = "image,patient,pathology,bits"
    found = read_table(write_table(path.parent, [f"{path.name},anna,normal,{bits}"], header=header))
    assert not found.problems
    return found.images[0].load()


def sentences(found: ImportBatch) -> str:
    return "\n".join(problem.sentence for problem in found.problems)


@pytest.fixture
def film_png(tmp_path: Path) -> Path:
    return write_png(tmp_path / "film.png", film(bits=8).astype(np.uint8))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_keeps_its_values_and_its_depth(tmp_path: Path, bits: int) -> None:
    values = film(bits=bits)
    pixels = load_one(write_png(tmp_path / "a.png", values.astype(np.uint8 if bits == 8 else np.uint16)))
    assert pixels.bits == bits
    assert np.array_equal(pixels.values, values)


def test_twelve_significant_bits_of_sixteen_are_counted_wherever_they_stand(tmp_path: Path) -> None:
    values = film(bits=12)
    spread = load_one(write_png(tmp_path / "spread.png", values << 4 | values >> 8, significant_bits=12))
    bottom = load_one(write_png(tmp_path / "bottom.png", values, significant_bits=12))
    assert (spread.bits, bottom.bits) == (12, 12)
    assert np.array_equal(spread.values, values)
    assert np.array_equal(bottom.values, values)


def test_the_table_may_state_the_bits_that_a_file_cannot(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", film(bits=12))
    assert to_16_bit(load_one(path)).max() == 4095
    assert to_16_bit(load_one(path, bits="12")).max() == 65535
    with pytest.raises(UnreadableImage, match="more than 10 bits"):
        load_one(path, bits="10")


@pytest.mark.parametrize("digits", [False, True])
@pytest.mark.parametrize(("largest", "bits"), [(255, 8), (1023, 10), (4095, 12), (65535, 16)])
def test_a_pgm_has_the_depth_of_its_largest_value(tmp_path: Path, largest: int, bits: int, digits: bool) -> None:
    values = film(bits=bits)
    pixels = load_one(write_pgm(tmp_path / "a.pgm", values, largest=largest, digits=digits))
    assert pixels.bits == bits
    assert np.array_equal(pixels.values, values)


def test_a_pgm_whose_white_is_1000_is_as_white_as_any_other(tmp_path: Path) -> None:
    values = film(bits=8).astype(int) * 1000 // 255
    grey = to_16_bit(load_one(write_pgm(tmp_path / "a.pgm", values, largest=1000)))
    assert np.abs(grey - values / 1000 * 65535).max() < 65


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_keeps_its_values_and_its_depth(tmp_path: Path, bits: int, big_endian: bool) -> None:
    values = film(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    pixels = load_one(write_tiff(tmp_path / "a.tif", values, big_endian=big_endian))
    assert pixels.bits == bits
    assert np.array_equal(pixels.values, values)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_with_white_as_zero_is_turned_round(tmp_path: Path, bits: int) -> None:
    values = film(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    inverted = (2**bits - 1 - values).astype(values.dtype)
    pixels = load_one(write_tiff(tmp_path / "a.tif", inverted, white_is_zero=True))
    assert np.array_equal(pixels.values, values)


def test_colour_is_taken_where_its_channels_agree_and_refused_where_they_differ(tmp_path: Path) -> None:
    values = film(bits=8).astype(np.uint8)
    grey = load_one(write_png(tmp_path / "grey.png", np.stack([values] * 3, axis=-1)))
    assert np.array_equal(grey.values, values)
    with pytest.raises(UnreadableImage, match="channels differ"):
        load_one(write_png(tmp_path / "red.png", np.stack([values, values // 2, values], axis=-1)))


@pytest.mark.parametrize("name", ["a.png", "a.pgm", "a.tif"])
def test_a_truncated_file_is_named_when_it_is_loaded(tmp_path: Path, name: str) -> None:
    values = film(bits=16, rows=80, columns=60)
    writers = {
        "a.png": lambda path: write_png(path, values),
        "a.pgm": lambda path: write_pgm(path, values, largest=65535),
        "a.tif": lambda path: write_tiff(path, values),
    }
    path = writers[name](tmp_path / name)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableImage, match=f"^{name} is (damaged or )?cut off"):
        load_one(path)


@pytest.mark.parametrize("body", [b"P5", b"P5\n3 x\n", b"P5 0 4 255\n", b"P2 2 2 255\n1 2 three 4", b"P2 1 1 200\n201"])
def test_a_broken_pgm_is_refused_with_a_sentence(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.pgm").write_bytes(body)
    with pytest.raises(UnreadableImage, match=r"^a\.pgm "):
        load_one(tmp_path / "a.pgm")


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*"])
@pytest.mark.parametrize("rest", [b"", b"\0" * 40, b"\xff" * 40])
def test_a_file_that_only_begins_like_a_picture_is_refused(tmp_path: Path, start: bytes, rest: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(start + rest)
    with pytest.raises(UnreadableImage):
        load_one(tmp_path / "a.bin")


def test_a_file_of_several_pictures_is_refused(tmp_path: Path) -> None:
    page = Image.fromarray(film(bits=8).astype(np.uint8))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    with pytest.raises(UnreadableImage, match="several images"):
        load_one(tmp_path / "a.tif")


def test_every_bad_row_is_reported_by_number_and_name_and_the_others_are_found(film_png: Path) -> None:
    (film_png.parent / "notes.txt").write_text("not a picture")
    write_png(film_png.parent / "other.png", film(bits=8).astype(np.uint8))
    table = write_table(
        film_png.parent,
        [
            "film.png,anna,Left,cc,Malignant",
            "gone.png,anna,L,CC,malignant",
            "notes.txt,anna,L,CC,malignant",
            "film.png,anna,up,CC,malignant",
            "film.png,anna,L,CC,maybe",
            "film.png,,L,CC,malignant",
            ",anna,L,CC,malignant",
            'film.png,anna,L,"seen by Dr Who, 3 May",malignant',
            "film.png,anna,L,CC,malignant,one more",
            "",
            "other.png,bea,rechts,mediolateral oblique,normal",
        ],
    )
    found = read_table(table)
    assert [(i.patient_key, *i.attributes.values(), i.pathology) for i in found.images] == [
        ("anna", "L", "CC", "positive"),
        ("bea", "R", "MLO", "normal"),
    ]
    told = sentences(found)
    for expected in (
        "Row 3 (gone.png) names a file that is not there.",
        "Row 4 (notes.txt) names a file that is not a PNG, PGM or TIFF picture.",
        "Row 5 (film.png) has the laterality 'up'",
        "Row 6 (film.png) has the pathology 'maybe'",
        "Row 7 (film.png) names no patient.",
        "Row 8 names no image.",
        "Row 9 (film.png) has the view 'seen by Dr Who, 3 May'",
        "Row 10 (film.png) has more cells",
    ):
        assert expected in told
    assert len(found.problems) == 8


def test_a_file_named_twice_alike_is_taken_once_and_reported(film_png: Path) -> None:
    found = read_table(write_table(film_png.parent, ["film.png,anna,L,CC,benign", "./film.png,anna,L,CC,benign"]))
    assert len(found.images) == 1
    assert "Row 3 (./film.png) repeats row 2" in sentences(found)


def test_a_file_of_which_two_rows_say_different_things_is_left_out(film_png: Path) -> None:
    found = read_table(write_table(film_png.parent, ["film.png,anna,L,CC,benign", "film.png,bea,L,CC,benign"]))
    assert not found.images
    assert "describes it differently" in sentences(found)


def test_side_and_view_may_be_absent_and_columns_may_be_mapped_by_hand(film_png: Path) -> None:
    header = "File;Patient_ID;marker;Label;pixel_spacing"
    table = write_table(film_png.parent, ["film.png;anna;right;NORMAL;0,07"], header=header)
    plain = read_table(table).images[0]
    mapped = read_table(table, columns={"laterality": "marker"}).images[0]
    assert (*plain.attributes.values(), plain.pixel_spacing_mm) == ("", "", 0.07)
    assert mapped.attributes["laterality"] == "R"


def test_subgroups_stay_short_and_two_lesions_do_not_conflict(film_png: Path) -> None:
    header = "image,patient,pathology,abnormality type,breast density"
    lines = ["film.png,anna,benign,Calcification,heterogeneously dense", "film.png,anna,benign,mass,3"]
    found = read_table(write_table(film_png.parent, lines, header=header))
    (image,) = found.images
    assert image.groups == {"lesion_kind": "calcification", "density": "heteroge"}
    assert "the image is taken once" in sentences(found)


def test_paths_may_be_relative_to_another_folder(film_png: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "tables"
    elsewhere.mkdir()
    table = write_table(elsewhere, ["film.png,anna,L,CC,benign"])
    assert "not there" in sentences(read_table(table))
    assert read_table(table, folder=film_png.parent).images[0].load().bits == 8


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "is empty"),
        (b"image,patient,side\n", "has the columns image, patient, side; it lacks 'pathology'"),
        (b"image,patient,pathology\n", "has a header and no rows"),
        (b"\xff\xfe\x00image", "is not UTF-8 text"),
        (b"image,patient\0,pathology\n", "is not a text file"),
        (b'image,patient,pathology\n"a.png,anna,normal\n', "is not a CSV table"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_as_a_whole(tmp_path: Path, body: bytes, sentence: str) -> None:
    (tmp_path / "table.csv").write_bytes(body)
    with pytest.raises(StudyError, match=sentence):
        read_table(tmp_path / "table.csv")


def test_a_missing_table_and_a_missing_mapped_column_are_refused_by_name(film_png: Path) -> None:
    with pytest.raises(StudyError, match=r"gone\.csv cannot be read"):
        read_table(film_png.parent / "gone.csv")
    table = write_table(film_png.parent, ["film.png,anna,L,CC,benign"])
    with pytest.raises(StudyError, match="there is no 'marker' for 'laterality'"):
        read_table(table, columns={"laterality": "marker"})
    with pytest.raises(StudyError, match="no column 'colour'"):
        read_table(table, columns={"colour": "view"})


def test_a_patient_with_two_pathologies_is_left_out_by_name(tmp_path: Path) -> None:
    for name in ("left.png", "right.png", "bea.png"):
        write_png(tmp_path / name, film(bits=8).astype(np.uint8))
    rows = ["left.png,anna,L,MLO,benign", "right.png,anna,R,MLO,normal", "bea.png,bea,L,MLO,malignant"]
    found = read_table(write_table(tmp_path, rows))
    by_patient = without_contradictions(found, VOCABULARY)
    assert [image.patient_key for image in by_patient.images] == ["bea"]
    assert by_patient.problems[-1].name == "anna"
    assert "benign (left.png) and normal (right.png)" in by_patient.problems[-1].sentence


@needs_mini_mias
def test_all_images_of_mini_mias_are_read() -> None:
    table = MINI_MIAS / "labels_images.csv"
    found = read_table(table, columns={"laterality": "side_by_note1"})
    assert (len(found.images), len({image.patient_key for image in found.images})) == (322, 161)
    assert not found.problems
    assert {image.attributes["view_position"] for image in found.images} == {"MLO"}
    counts = [sum(image.pathology == word for image in found.images) for word in ("normal", "other", "positive")]
    assert counts == [207, 63, 52]
    for image in found.images[::40]:
        pixels = image.load()
        assert (pixels.values.shape, pixels.bits) == ((1024, 1024), 8)


@needs_mini_mias
def test_an_original_pgm_of_mini_mias_is_its_png(tmp_path: Path) -> None:
    for original in sorted((MINI_MIAS / "pgm_originals_sample").glob("*.pgm")):
        copy = tmp_path / original.name
        copy.write_bytes(original.read_bytes())
        pixels = load_one(copy)
        with Image.open(MINI_MIAS / "png" / f"{original.stem}.png") as png:
            assert np.array_equal(pixels.values, np.asarray(png))
