"""The app's name for Django."""

from django.apps import AppConfig


class LabConfig(AppConfig):
    name = "readerstudy.lab"
