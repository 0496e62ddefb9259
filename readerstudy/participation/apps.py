"""The app's name for Django."""

from django.apps import AppConfig


class ParticipationConfig(AppConfig):
    name = "readerstudy.participation"
