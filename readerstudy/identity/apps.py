"""The app's name for Django."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "readerstudy.identity"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from readerstudy.identity import middleware, trail

        user_logged_in.connect(middleware.note_sign_in)
        trail.connect()
