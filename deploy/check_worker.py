"""Exit with 0 if a worker on this machine, which is the container's own name, answers over the queue."""

import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from readerstudy.celery import app

host = socket.gethostname()
answers = app.control.inspect(timeout=5).ping() or {}
if not any(name.endswith(f"@{host}") for name in answers):
    sys.exit(f"No worker on {host} answers.")
