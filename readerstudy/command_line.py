"""The command line of the project: `manage.py` in a checkout, `readerstudy` where the wheel is installed."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command that the arguments of the process name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
    # Idle OpenMP threads that spin starve each other on a busy machine; torch reads this when it loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
