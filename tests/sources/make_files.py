"""Small picture files and tables for tests, written to a folder."""

import io
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

HEADER = "image,patient,laterality,view,pathology"
MINI_MIAS = Path(__file__).parents[2] / ".." / "shared" / "data" / "mini-mias"
CBIS_DDSM = Path(__file__).parents[2] / ".." / "shared" / "data" / "cbis-ddsm-dicom"


def film(*, bits: int = 8, rows: int = 24, columns: int = 16, seed: int = 0) -> NDArray[np.uint16]:
    """A little breast at the left border that uses the whole range of its bits."""
    grid = np.mgrid[:rows, :columns]
    inside = np.hypot(grid[0] - rows / 2, grid[1]) < 0.8 * columns
    grain = np.random.default_rng(seed).integers(2 ** (bits - 2), 2**bits, (rows, columns))
    values = np.where(inside, grain, 0)
    values[rows // 2, 0] = 2**bits - 1
    return values.astype(np.uint16)


def write_table(folder: Path, rows: Iterable[str], *, header: str = HEADER, name: str = "table.csv") -> Path:
    table = folder / name
    table.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return table


def write_png(path: Path, values: NDArray[Any], *, significant_bits: int | None = None) -> Path:
    """8-bit grey or colour, or 16-bit grey, by the type of the values; with sBIT where it is given."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(stream, format="PNG")
    body = stream.getvalue()
    if significant_bits is not None:
        content = b"sBIT" + bytes([significant_bits])
        chunk = struct.pack(">I", 1) + content + struct.pack(">I", zlib.crc32(content))
        body = body[:33] + chunk + body[33:]
    path.write_bytes(body)
    return path


def write_pgm(path: Path, values: NDArray[Any], *, largest: int, digits: bool = False) -> Path:
    rows, columns = values.shape
    header = f"{'P2' if digits else 'P5'}\n# a comment of 12 words\n{columns} {rows}\n{largest}\n".encode()
    body = " ".join(map(str, values.ravel())).encode() if digits else values.astype(">u2" if largest > 255 else "u1")
    path.write_bytes(header + bytes(body))
    return path


def write_tiff(path: Path, values: NDArray[Any], *, white_is_zero: bool = False, big_endian: bool = False) -> Path:
    """One uncompressed grey strip, 8 or 16 bits, byte by byte: the values are stored exactly as given."""
    order, wide = (">" if big_endian else "<"), values.dtype.itemsize > 1
    body = values.astype(f"{order}u2" if wide else "u1").tobytes()
    rows, columns = values.shape
    tags = [
        (256, columns),
        (257, rows),
        (258, 16 if wide else 8),
        (259, 1),
        (262, 0 if white_is_zero else 1),
        (273, 8),
        (277, 1),
        (278, rows),
        (279, len(body)),
    ]
    directory = struct.pack(f"{order}H", len(tags))
    for tag, value in tags:
        directory += struct.pack(f"{order}HHII", tag, 4, 1, value)
    signature = b"MM\0*" if big_endian else b"II*\0"
    start = struct.pack(f"{order}I", 8 + len(body))
    path.write_bytes(signature + start + body + directory + b"\0\0\0\0")
    return path


def dicom_dataset(values: NDArray[Any], *, bits: int, **header: Any) -> Dataset:
    """A left CC mammogram of Jane Doe as a data set; header elements are added, or with None removed."""
    signed, wide = values.dtype.kind == "i", bits > 8
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["instance"])
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Doe^Jane", "secret-17", "19610203"
    dataset.Modality, dataset.ImageLaterality, dataset.ViewPosition = "MG", "L", "CC"
    dataset.ImagerPixelSpacing = [0.07, 0.07]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (16 if wide else 8), bits, bits - 1
    dataset.PixelRepresentation = int(signed)
    dataset.PixelData = values.astype(f"<{'i' if signed else 'u'}{2 if wide else 1}").tobytes()
    for keyword, value in header.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def write_dicom(path: Path, values: NDArray[Any], *, bits: int, **header: Any) -> Path:
    dicom_dataset(values, bits=bits, **header).save_as(path, enforce_file_format=True)
    return path


def compress_dicom(path: Path, syntax: int) -> Path:
    """Rewrite a DICOM file in one of gdcm's transfer syntaxes, such as gdcm.TransferSyntax.RLELossless."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path
