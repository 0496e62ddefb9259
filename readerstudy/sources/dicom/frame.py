"""The header of a compressed frame, compared with the DICOM header before the frame is decoded.

The decoder (gdcm) ends the whole process where a damaged frame is smaller than its header promises: this is the
check that it lacks.
"""

import struct
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

# Start of frame: FFC0 to FFCF but for three others (ITU-T T.81, table B.1), and FFF7 of JPEG-LS.
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_START_OF_SCAN: Final = 0xDA
_JPEG_2000: Final = b"\xff\x4f\xff\x51"


class FrameDiffers(ValueError):
    """The frame is not the image that the header describes."""


@dataclass(frozen=True)
class _Frame:
    rows: int
    columns: int
    channels: int
    precision: int


def check_frame(dataset: Dataset) -> None:
    """Check a compressed frame. Raises FrameDiffers if it does not fit the header, or an error of pydicom."""
    syntax = dataset.file_meta.TransferSyntaxUID
    body = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if syntax in JPEG2000TransferSyntaxes:
        frame = _jpeg_2000(body)
    elif syntax in JPEGTransferSyntaxes or syntax in JPEGLSTransferSyntaxes:
        frame = _jpeg(body)
    else:
        raise FrameDiffers(f"{syntax.name} is not read")
    # Decoders return one byte for a sample of up to 8 bits and two for more, whatever the header allows.
    fits = 8 < frame.precision <= 16 if dataset.BitsAllocated == 16 else 2 <= frame.precision <= 8
    if (frame.rows, frame.columns, frame.channels) != (dataset.Rows, dataset.Columns, 1) or not fits:
        raise FrameDiffers("size, channels or depth differ")


def _jpeg(body: bytes) -> _Frame:
    """Walk the marker segments up to the start of the frame."""
    at = 2
    while body[:2] == b"\xff\xd8" and at + 10 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if marker in _START_OF_FRAME:
            precision, rows, columns, channels = struct.unpack_from(">BHHB", body, at + 4)
            return _Frame(rows, columns, channels, precision)
        if marker == _START_OF_SCAN:
            break
        if marker == 0xFF:  # a fill byte
            at += 1
        else:
            at += 2 if marker in _WITHOUT_LENGTH else 2 + int(struct.unpack_from(">H", body, at + 2)[0])
    raise FrameDiffers("no start of frame")


def _jpeg_2000(body: bytes) -> _Frame:
    """The SIZ segment, the first of a codestream; a few writers wrap the stream in a JP2 file."""
    at = body.find(_JPEG_2000)
    if at < 0:
        raise FrameDiffers("no JPEG 2000 codestream")
    right, bottom, left, top = struct.unpack_from(">4I", body, at + 8)
    channels, precision = struct.unpack_from(">HB", body, at + 40)
    return _Frame(bottom - top, right - left, channels, (precision & 0x7F) + 1)
