"""The app's name for Django."""

from django.apps import AppConfig


class RecordConfig(AppConfig):
    name = "readerstudy.record"
