"""Write what a release consists of to var/release: `make release`.

The source, the wheel, the archive for machines without internet, the list of components, and the SHA-256 of each.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from readerstudy import __version__
from tools import offline, sbom, wheel

ROOT = Path(__file__).parent.parent

SUMS = "SHA256SUMS"


def main(out: Path) -> list[Path]:
    """Write all files anew; return their paths. Raises SystemExit if tracked files have changes that no commit has."""
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    if changed:
        raise SystemExit(f"Commit or undo these changes first, so that a release has a commit:\n{changed}")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    name = f"readerstudy-{__version__}"
    source = out / f"{name}.tar.gz"
    subprocess.run(["git", "archive", f"--prefix={name}/", "-o", source, "HEAD"], cwd=ROOT, check=True)
    files = [source, wheel.main(out), offline.main(out), sbom.main(out / f"{name}.cdx.json")]
    return [*files, write_sums(out, files)]


def write_sums(out: Path, files: list[Path]) -> Path:
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / SUMS).write_text("".join(lines))
    return out / SUMS


if __name__ == "__main__":
    for path in main(ROOT / "var" / "release"):
        print(path.relative_to(ROOT))
