"""One image file of any format that is read: PNG, PGM, TIFF or DICOM, with facts of the file itself."""

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from pydicom import Dataset

from readerstudy.errors import Sentence as _
from readerstudy.imaging.image import Pixels, UnreadableImage
from readerstudy.sources import raster
from readerstudy.sources.dicom import pixels as dicom_pixels
from readerstudy.sources.dicom.folder import claims_to_be_dicom
from readerstudy.sources.dicom.header import HeaderAttributes, NotDicom, TooLarge, read_header
from readerstudy.sources.limited import limited


@dataclass(frozen=True)
class ImageFile:
    """A file that was read. `format` is PNG, PGM, TIFF or DICOM; `bytes` the length of the file."""

    pixels: Pixels
    format: str
    bytes: int
    sha256: str


def load_file(path: Path, *, name: str) -> ImageFile:
    """Return the image of a file, read with limits. `name` is used in messages.

    Raises UnreadableImage, with a sentence.
    """
    return limited(partial(_load_file, path, name=name), name=name)


def _load_file(path: Path, *, name: str) -> ImageFile:
    try:
        content = path.read_bytes()
        kind = raster.format_of(path) or ("DICOM" if claims_to_be_dicom(path) else "")
    except FileNotFoundError as error:
        raise UnreadableImage(_("%(name)s is not there.", name=name)) from error
    except OSError as error:
        raise UnreadableImage(
            _("%(name)s cannot be opened: %(strerror)s.", name=name, strerror=error.strerror)
        ) from error
    if not kind:
        raise UnreadableImage(_("%(name)s is not a PNG, PGM, TIFF or DICOM file.", name=name))
    pixels = _load_dicom(path, name) if kind == "DICOM" else raster.load(path, name=name)
    return ImageFile(pixels, kind, len(content), sha256(content).hexdigest())


def with_bits(file: ImageFile, bits: int, *, name: str) -> ImageFile:
    """Return the file with values of `bits`, for those whose type has more. Raises UnreadableImage if it has larger."""
    highest = int(file.pixels.values.max())
    if highest >= 2**bits:
        raise UnreadableImage(
            _(
                "%(name)s holds values up to %(highest)s, more than %(bits)s bits.",
                name=name,
                highest=highest,
                bits=bits,
            )
        )
    return replace(file, pixels=replace(file.pixels, bits=bits))


def _load_dicom(path: Path, name: str) -> Pixels:
    try:
        refusal = read_header(path, _no_attributes).refusal
    except NotDicom as error:
        raise UnreadableImage(_("%(name)s holds no DICOM image.", name=name)) from error
    except TooLarge as error:
        raise UnreadableImage(_("%(name)s %(error)s", name=name, error=error)) from error
    except MemoryError:
        raise
    except Exception as error:  # pydicom raises many types of error, whose messages can quote the header
        raise UnreadableImage(_("%(name)s cannot be read as DICOM: it is damaged or cut off.", name=name)) from error
    if refusal:
        raise UnreadableImage(_("%(name)s %(refusal)s", name=name, refusal=refusal))
    return dicom_pixels.load(path, name=name)


def _no_attributes(dataset: Dataset) -> HeaderAttributes:
    return HeaderAttributes()
