"""The folder in which the web processes of one gunicorn share their counters, by the rules of prometheus-client.

Each server of pages has its own folder, named after its host and the process that started the web processes. Two
containers that share VAR_DIR have equal process numbers and would otherwise write into each other's files.
"""

import os
import shutil
import socket
from pathlib import Path
from typing import Final

import psutil

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus-client, read when it is loaded


def prepare(var_dir: Path) -> Path:
    """Make the folder of this process's server, name it to prometheus-client, and remove those of ended servers."""
    folders = var_dir / "metrics"
    host, parent = socket.gethostname(), os.getppid()
    own = folders / f"{host}-{parent}"
    own.mkdir(parents=True, exist_ok=True)
    for folder in folders.glob(f"{host}-*"):
        number = folder.name.removeprefix(f"{host}-")
        if folder != own and number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(folder, ignore_errors=True)
    os.environ[VARIABLE] = str(own)
    return own
