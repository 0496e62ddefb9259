"""Write the wheel to var/release: `make wheel`.

It is built from the last commit, in a copy, because a build leaves folders behind. It needs no index.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.offline import ROOT, copy_tracked_files


def main(out: Path) -> Path:
    """Write the wheel to the folder `out`; return its path."""
    out.mkdir(parents=True, exist_ok=True)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        source.mkdir()
        copy_tracked_files(source)
        built = Path(scratch) / "built"
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", built, source], check=True)
        (wheel,) = built.glob("readerstudy-*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


if __name__ == "__main__":
    print(main(ROOT / "var" / "release"))
