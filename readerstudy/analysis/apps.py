"""The app's name for Django."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"
