"""Mail servers that fail, as backends of Django."""

import smtplib
from typing import ClassVar

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend


class Unreachable(BaseEmailBackend):
    def open(self):
        raise ConnectionRefusedError("Connection refused by mail.example.org")


class RefusesRuth(EmailBackend):
    """Accepts all recipients but one, and repeats the text in its message. `refused`: the texts."""

    refused: ClassVar[list[str]] = []

    def send_messages(self, messages):
        for message in messages:
            if "ruth@example.org" in message.to:
                self.refused.append(message.body)
                raise smtplib.SMTPDataError(554, f"Refused: {message.body}")
        return super().send_messages(messages)


class Killed(EmailBackend):
    """Takes the mail, and its process dies before it can say so."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise SystemExit


class Disconnects(EmailBackend):
    """Ends the connection while the mail is transferred."""

    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


class IsBusy(EmailBackend):
    """Asks to try again later."""

    def send_messages(self, messages):
        raise smtplib.SMTPDataError(451, "Try again later")
