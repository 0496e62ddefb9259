"""The app's name for Django."""

from django.apps import AppConfig


class EducationConfig(AppConfig):
    name = "readerstudy.education"
