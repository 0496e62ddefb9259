"""The app's name for Django."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "readerstudy.webhooks"

    def ready(self) -> None:
        from readerstudy.webhooks import outbox

        outbox.connect()
