"""The header of a compressed frame, compared with the DICOM header before the frame is decoded.

The decoder (gdcm) ends the whole process where a damaged frame is smaller than its header promises, and decodes a
damaged JPEG 2000 stream without a word: these are the checks that it lacks. JPEG 2000 has no checksum. A stream that is
cut off is always found; changed bytes are found only where they form a marker, which 200 changed bytes of a frame of
1.2 MB did 5 times of 12.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

# Start of frame: FFC0 to FFCF but for three others (ITU-T T.81, table B.1), and FFF7 of JPEG-LS.
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_START_OF_SCAN: Final = 0xDA
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
# Of ITU-T T.800, annex A. Coded data holds no byte above 8F after FF, but for the two that mark packets.
_CODING_STYLE, _TILE_PART, _TILE_DATA, _END_OF_STREAM = b"\xff\x52", b"\xff\x90", b"\xff\x93", b"\xff\xd9"
_HIGHEST_AFTER_FF: Final = 0x8F
_PACKET_MARKERS: Final = {2: 0x91, 4: 0x92}  # by the bit of the coding style that allows them


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
    _check_stream(body[at:])
    right, bottom, left, top = struct.unpack_from(">4I", body, at + 8)
    channels, precision = struct.unpack_from(">HB", body, at + 40)
    return _Frame(bottom - top, right - left, channels, (precision & 0x7F) + 1)


def _check_stream(stream: bytes) -> None:
    """Walk the tile-parts of a JPEG 2000 codestream to its end.

    Raises FrameDiffers if one is cut off, or holds a marker where there is only coded data, or an error of struct.
    """
    at, packets = 2, set[int]()
    while stream[at : at + 2] != _END_OF_STREAM:
        marker = stream[at : at + 2]
        (length,) = struct.unpack_from(">H", stream, at + 2)
        if marker == _CODING_STYLE:
            packets = {byte for bit, byte in _PACKET_MARKERS.items() if stream[at + 4] & bit}
        if marker != _TILE_PART:
            if len(marker) < 2 or marker[0] != 0xFF or length < 2:
                raise FrameDiffers("no end of the stream")
            at += 2 + length
            continue
        (size,) = struct.unpack_from(">I", stream, at + 6)
        end = at + size if size else stream.rfind(_END_OF_STREAM)  # 0: the last one, up to the end
        begin = stream.find(_TILE_DATA, at) + 2
        if not at < begin <= end <= len(stream) - 2:
            raise FrameDiffers("a tile-part is cut off")
        _check_coded(np.frombuffer(stream, np.uint8, end - begin, begin), packets)
        at = end


def _check_coded(data: NDArray[np.uint8], packets: set[int]) -> None:
    after = data[1:][data[:-1] == 0xFF]
    if ((after > _HIGHEST_AFTER_FF) & ~np.isin(after, list(packets))).any():
        raise FrameDiffers("a marker in coded data")
