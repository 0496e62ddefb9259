"""DICOM mammograms: what stored values mean, and what is no part of the picture."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from readerstudy.imaging.image import UnreadableImage
from tests.sources.make_files import dicom_dataset, film, write_dicom
from tests.sources.test_dicom import find_one, load_one, path

__all__ = ["path"]


def test_monochrome1_is_turned_so_that_larger_is_brighter(path: Path) -> None:
    values = film(bits=12)
    pixels = load_one(write_dicom(path, 4095 - values, bits=12, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(pixels.values, values)


def test_a_rescale_counts_by_its_sign(path: Path) -> None:
    values = film(bits=12)
    steep = {"RescaleSlope": 2, "RescaleIntercept": -100}
    falling = {"RescaleSlope": -1, "RescaleIntercept": 4095}
    assert np.array_equal(load_one(write_dicom(path, values, bits=12, **steep)).values, values)
    assert np.array_equal(load_one(write_dicom(path, 4095 - values, bits=12, **falling)).values, values)
    both = {**falling, "PhotometricInterpretation": "MONOCHROME1"}
    assert np.array_equal(load_one(write_dicom(path, values, bits=12, **both)).values, values)


def test_a_modality_lookup_table_is_applied(path: Path) -> None:
    curve = (np.arange(4096) ** 2 // 4095 // 4).astype(int)
    table = Dataset()
    table.LUTDescriptor = [len(curve), 0, 10]
    table.LUTData = curve.tolist()
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    values = film(bits=12)
    pixels = load_one(write_dicom(path, values, bits=12, ModalityLUTSequence=Sequence([table])))
    assert pixels.bits == 10
    assert np.array_equal(pixels.values, curve[values])


def test_signed_values_begin_at_black(path: Path) -> None:
    values = film(bits=12)
    pixels = load_one(write_dicom(path, values.astype(np.int16) - 2048, bits=12))
    assert np.array_equal(pixels.values, values)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_shown_as_background(path: Path, photometric: str) -> None:
    values = np.clip(film(bits=12), 50, 4000)
    stored = 4095 - values if photometric == "MONOCHROME1" else values
    padded = stored.copy()
    padded[:, -3:] = 4095 if photometric == "MONOCHROME2" else 0
    header = {"PixelPaddingValue": int(padded[0, -1]), "PhotometricInterpretation": photometric}
    pixels = load_one(write_dicom(path, padded, bits=12, **header))
    assert (pixels.values[:, -3:] == 50).all()
    assert np.array_equal(pixels.values[:, :-3], values[:, :-3])


def test_a_padding_range_is_shown_as_background(path: Path) -> None:
    values = np.clip(film(bits=12), 50, 4000)
    padded = values.copy()
    padded[:, -2], padded[:, -1] = 10, 20
    pixels = load_one(write_dicom(path, padded, bits=12, PixelPaddingValue=10, PixelPaddingRangeLimit=20))
    assert (pixels.values[:, -2:] == 50).all()


def test_negative_padding_is_known_even_where_it_is_stated_without_its_sign(path: Path) -> None:
    values = np.clip(film(bits=12), 50, 4000)
    stored = values.astype(np.int16) - 2048
    stored[:, -3:] = -2000
    dataset = dicom_dataset(stored, bits=12)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    dataset.save_as(path, enforce_file_format=True)
    assert (load_one(path).values[:, -3:] == 50).all()


def test_a_header_that_leaves_out_what_goes_without_saying_is_read(path: Path) -> None:
    values = film(bits=12)
    pixels = load_one(write_dicom(path, values, bits=12, PixelRepresentation=None, SamplesPerPixel=None, HighBit=None))
    assert np.array_equal(pixels.values, values)


def test_overlay_bits_above_or_below_the_values_are_not_part_of_the_picture(path: Path) -> None:
    values = film(bits=12)
    above = load_one(write_dicom(path, values | 0xA000, bits=12))
    below = load_one(write_dicom(path, values << 4 | 0x000B, bits=12, HighBit=15))
    assert np.array_equal(above.values, values)
    assert np.array_equal(below.values, values)


# pydicom warns of the odd values that this test writes on purpose.
@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_broken_overlays_and_odd_headers_do_not_break_reading(path: Path) -> None:
    values = film(bits=12)
    dataset = dicom_dataset(values, bits=12)
    dataset.add_new(0x60000010, "US", 9999)
    dataset.add_new(0x60003000, "OW", b"\1\2")
    dataset.add_new(0x00185100, "LO", "x" * 200)
    dataset.save_as(path, enforce_file_format=True)
    body = path.read_bytes().replace(b"19610203", b"not date").replace(b"0.07\\0.07", b"no\\number")
    path.write_bytes(body)
    found = find_one(path, spacing="0.1")
    assert not found.problems
    assert found.images[0].pixel_spacing_mm == 0.1
    assert np.array_equal(found.images[0].load().values, values)


def stored_noise(bits: int) -> NDArray[np.uint16]:
    return np.random.default_rng(bits).integers(0, 2**bits, (16, 16), dtype=np.uint16)


def test_values_beyond_the_stated_bits_are_refused_where_they_cannot_be_masked(path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 0, 8]
    table.LUTData = [500] * 256
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    write_dicom(path, stored_noise(8), bits=8, ModalityLUTSequence=Sequence([table]))
    with pytest.raises(UnreadableImage, match="beyond the 8 bits"):
        load_one(path)
