"""The app's name for Django."""

from django.apps import AppConfig


class TruthConfig(AppConfig):
    name = "readerstudy.truth"
