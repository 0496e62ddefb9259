"""A worker's process that imports and is killed while it writes the sixth file: killed.py JOB ROWS COLUMNS."""

import os
import signal
import sys
from dataclasses import replace

import django

django.setup()

from readerstudy.image_import.tasks import import_images_task  # noqa: E402 (after django.setup)
from readerstudy.modalities import MODALITIES  # noqa: E402 (after django.setup)
from readerstudy.truth.actions import pair_import  # noqa: E402 (after django.setup)

job, rows, columns = map(int, sys.argv[1:])
layouts = MODALITIES["MG"].layouts
for name, layout in list(layouts.items()):
    layouts[name] = replace(layout, rows=rows, columns=columns)
write = pair_import.write_media
written = []


def write_and_die(content: bytes):
    if len(written) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(write(content))
    return written[-1]


pair_import.write_media = write_and_die
import_images_task(job_id=job)
