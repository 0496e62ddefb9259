"""For somebody who lost telephone, passkey and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.identity.second_factor import reset_factors


class Command(StudyCommand):
    help = "Remove the second factors of a person who lost them, and end their sessions. Make sure who asks for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        count = reset_factors(person=User.named(options["user"]), actor=None, at=now())
        text = f"Removed {count} second factors of {options['user']}, recovery codes included."
        self.show({"user": options["user"], "removed": count}, text, as_json=options["json"])
