"""The app's name for Django."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "readerstudy.identity"

    def ready(self) -> None:
        from readerstudy.identity import trail

        trail.connect()
