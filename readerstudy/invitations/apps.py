"""The app's name for Django."""

from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "readerstudy.invitations"

    def ready(self) -> None:
        from readerstudy.invitations import notices

        notices.connect()
