"""The Django project: a blinded reader study, from cohort to report."""

from readerstudy.celery import app as celery_app

__all__ = ["celery_app"]
