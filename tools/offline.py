"""Write one archive from which the pages can be installed on a machine without internet: `make offline`.

It has the tracked files, a wheel of every locked package for this Python and platform, and the collected static files.
On the other machine `deploy/install` installs from it.
"""

import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from readerstudy import __version__

ROOT = Path(__file__).parent.parent


def main(out: Path) -> Path:
    """Write the archive to the folder `out`; return its path."""
    out.mkdir(parents=True, exist_ok=True)
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_")
    name = f"readerstudy-{__version__}"
    path = out / f"{name}-offline-{python}-{platform}.tar.gz"
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch) / name
        top.mkdir()
        copy_tracked_files(top)
        download_wheels(top / "wheels")
        collect_static_files(Path(scratch) / "var", top / "collected")
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:  # wheels are compressed already
            archive.add(top, arcname=name)
    return path


def copy_tracked_files(folder: Path) -> None:
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=packed, check=True)


def download_wheels(folder: Path) -> None:
    """Download what requirements/web.txt locks, checked by its hashes. A package without a wheel is an error."""
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", folder]
    subprocess.run([*command, "-r", ROOT / "requirements" / "web.txt"], check=True)


def collect_static_files(var: Path, folder: Path) -> None:
    """Collect static files under hashed names. The settings of a service need values; nothing connects to anything."""
    secret = "x" * 50
    addresses = {f"{role}DATABASE_URL": f"postgres://{role}web:x@localhost/x" for role in ("", "SEALED_")}
    keys = {"SECRET_KEY": secret, "RECORD_KEY": secret, "ALLOWED_HOSTS": "localhost"}
    service = {"CELERY_BROKER_URL": "redis://localhost/0", "VAR_DIR": str(var), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**addresses, **keys, **service}, check=True)
    folder.mkdir()
    for name in ("static", "static_files.json"):
        (var / name).rename(folder / name)


if __name__ == "__main__":
    print(main(ROOT / "var" / "release"))
