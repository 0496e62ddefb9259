"""Django application configuration."""

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "readerstudy.experiments"
