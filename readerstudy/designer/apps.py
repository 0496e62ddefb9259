"""The app's name for Django."""

from django.apps import AppConfig


class DesignerConfig(AppConfig):
    name = "readerstudy.designer"
