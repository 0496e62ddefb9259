#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
    # Idle OpenMP threads that spin starve each other on a busy machine; torch reads this when it loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")
