"""The pixels of a DICOM file: decompressed, unsigned, and inverted if needed so that larger is brighter."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import RLELossless

from readerstudy.errors import Sentence as _
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.sources.dicom.frame import check_frame
from readerstudy.sources.dicom.header import (
    NotDicom,
    TooLarge,
    decimal,
    number,
    quietly,
    read_dataset,
)

Values = NDArray[np.int32]
_DEEPEST: Final = 16


def load(path: Path, *, name: str) -> Pixels:
    """Return the image. `name` is used in messages. Raises UnreadableImage."""
    try:
        with quietly():
            dataset = read_dataset(path, pixels=True)
            stored = _stored_values(dataset)
            return _as_brightness(dataset, stored, name=name)
    except (UnreadableImage, MemoryError):
        raise
    except TooLarge as error:
        raise UnreadableImage(f"{name} {error}") from error
    except NotDicom as error:
        raise UnreadableImage(_("%(name)s holds no DICOM image.", name=name)) from error
    except Exception as error:  # decoders raise many types of error for damaged data
        # Their messages can quote the header, so they are not repeated.
        raise UnreadableImage(
            _("%(name)s is damaged, cut off, or compressed in a way that is not read.", name=name)
        ) from error


def _stored_values(dataset: Dataset) -> Values:
    """Return the stored values, without overlay bits above or below them."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed and syntax != RLELossless:
        check_frame(dataset)
        return pixel_array(dataset, raw=True, decoding_plugin="gdcm").astype(np.int32)
    return _uncompressed_values(dataset)


def _uncompressed_values(dataset: Dataset) -> Values:
    bits, high = int(dataset.BitsStored), number(dataset, "HighBit")
    below = 0 if high is None else max(0, high + 1 - bits)
    # pydicom takes the lowest bits as the stored ones: have it keep all up to the highest, then drop the rest.
    dataset.BitsStored = bits + below
    values = pixel_array(dataset, raw=True).astype(np.int32)
    dataset.BitsStored = bits
    return values >> below


def _as_brightness(dataset: Dataset, stored: Values, *, name: str) -> Pixels:
    """Convert stored values as the header defines, with padding as background."""
    padding = _padding(dataset, stored)
    values, bits, inverted = _modality_values(dataset, stored)
    if int(values.min()) < 0 or int(values.max()) >= 2**bits:
        raise UnreadableImage(
            _("%(name)s holds values beyond the %(bits)s bits that its header states.", name=name, bits=bits)
        )
    if (dataset.PhotometricInterpretation == "MONOCHROME1") != inverted:
        values = 2**bits - 1 - values
    if padding.any() and not padding.all():
        values[padding] = values[~padding].min()
    return Pixels(values.astype(np.uint16), bits)


def _padding(dataset: Dataset, stored: Values) -> NDArray[np.bool_]:
    """Return a mask of the padding: pixels of the stated value, or of the range up to the stated limit."""
    stated = (number(dataset, keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    value, limit = (_signed(dataset, end) if end is not None else None for end in stated)
    if value is None:
        return np.zeros(stored.shape, dtype=bool)
    low, high = sorted((value, value if limit is None else limit))
    return (stored >= low) & (stored <= high)


def _signed(dataset: Dataset, value: int) -> int:
    """A stored value as the pixels have it: some writers state a negative one without its sign."""
    return value - 2**16 if dataset.PixelRepresentation == 1 and value >= 2**15 else value


def _modality_values(dataset: Dataset, stored: Values) -> tuple[Values, int, bool]:
    """Values from 0 up, their bits, and whether they run from bright to dark.

    A linear rescale moves and stretches the whole range of the bits, and spreading that range over ours undoes it:
    only its sign is left. A lookup table changes the curve, and is applied.
    """
    table = _lookup_table(dataset)
    if table is not None:
        first, entries, bits = table
        return entries[np.clip(stored - first, 0, len(entries) - 1)], bits, False
    bits = int(dataset.BitsStored)
    values = stored + 2 ** (bits - 1) if dataset.PixelRepresentation == 1 else stored
    return values, bits, (decimal(dataset, "RescaleSlope") or 1.0) < 0


def _lookup_table(dataset: Dataset) -> tuple[int, Values, int] | None:
    """Return the modality lookup table: first value mapped, entries, bits of an entry (DICOM C.11.1)."""
    sequence = dataset.get("ModalityLUTSequence")
    if not sequence:
        return None
    item = sequence[0]
    count, first, bits = (int(part) for part in item.LUTDescriptor)
    data: Any = item.LUTData
    if isinstance(data, bytes):
        little_endian = dataset.file_meta.TransferSyntaxUID.is_little_endian
        data = np.frombuffer(data, dtype="<u2" if little_endian else ">u2")
    entries = np.asarray(data, dtype=np.int32)[: count or 2**16]
    return _signed(dataset, first), entries, min(bits, _DEEPEST)
