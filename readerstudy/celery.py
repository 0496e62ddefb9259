"""The Celery application. Tasks are in the modules of `CELERY_IMPORTS`, and are called by name."""

import os
from typing import Final

from celery import Celery

MAIL_QUEUE: Final = "mail"  # beside the queues of jobs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")

app = Celery("readerstudy")
app.config_from_object("django.conf:settings", namespace="CELERY")
