"""Django application configuration."""

from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "readerstudy.rehearsal"
