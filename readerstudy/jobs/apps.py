"""The app's name for Django."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "readerstudy.jobs"
