"""The app's name for Django."""

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "readerstudy.studies"
