"""The app's name for Django."""

from django.apps import AppConfig


class CohortConfig(AppConfig):
    name = "readerstudy.cohort"
