"""Mail servers that fail, as backends of Django."""

import smtplib

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend


class Unreachable(BaseEmailBackend):
    def open(self):
        raise ConnectionRefusedError("Connection refused by mail.example.org")


class RefusesRuth(EmailBackend):
    """Accepts all recipients but one, and repeats the text in its message."""

    def send_messages(self, messages):
        for message in messages:
            if "ruth@example.org" in message.to:
                raise smtplib.SMTPDataError(554, f"Refused: {message.body}")
        return super().send_messages(messages)
