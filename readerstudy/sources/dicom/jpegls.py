"""JPEG-LS frames, decoded in a process of their own.

On some damaged frames gdcm's JPEG-LS decoder ends the process that it runs in: here that costs one image instead of
a whole import. Images in JPEG-LS are rare enough that a process for each does not matter.
"""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

_SECONDS: Final = 300


class DecoderFailed(ValueError):
    """The decoder ended without a picture."""


def decode(path: Path) -> NDArray[Any]:
    """The stored values of a DICOM file whose frame is JPEG-LS. Raises DecoderFailed, and lives on."""
    # -P: the files beside this one are no top-level modules.
    command = [sys.executable, "-P", __file__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
        values: NDArray[Any] = np.load(io.BytesIO(done.stdout), allow_pickle=False)
    except (subprocess.SubprocessError, ValueError, EOFError) as error:
        raise DecoderFailed from error
    return values


def _write_values(path: str) -> None:
    dataset = dcmread(path, force=True)
    np.save(sys.stdout.buffer, pixel_array(dataset, raw=True, decoding_plugin="gdcm"))


if __name__ == "__main__":
    _write_values(sys.argv[1])
