"""Configuration of the app."""

from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"
