"""The app's name for Django."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    name = "readerstudy.reading"
