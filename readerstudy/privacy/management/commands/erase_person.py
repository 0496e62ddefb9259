"""Erase one person."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.privacy.actions import erase_person
from readerstudy.privacy.queries import find_obstacles, holdings_of


class Command(StudyCommand):
    help = (
        "Put a pseudonym in the place of a person: name, address, user name, every way in, texts of mails and IP "
        "addresses are erased; verdicts, codes and events stay. Without --yes it prints what is stored. It cannot be "
        "undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="user name of the person")
        parser.add_argument("--reason", default="", help="why; required with --yes")
        parser.add_argument("--last-name", action="store_true", help="replace the last name where it stands alone too")
        parser.add_argument("--yes", action="store_true", help="erase the person")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.named(options["username"])
        if not options["yes"]:
            held, obstacles = asdict(holdings_of(person)), find_obstacles(person, None)
            lines = [f"{name}: {value}" for name, value in held.items() if name != "parts"]
            lines += [f"{part['study']} {part['code']}: {part['readings']} readings stay" for part in held["parts"]]
            lines += [*obstacles, *([] if obstacles else ["Nothing was erased; add --yes and --reason."])]
            self.show({**held, "obstacles": obstacles}, "\n".join(lines), as_json=options["json"])
            return
        if not options["reason"]:
            raise BadInput("Give the reason: --reason TEXT.")
        counts = erase_person(
            person=person,
            typed=person.username,
            reason=options["reason"],
            actor=None,
            at=now(),
            with_last_name=options["last_name"],
        )
        person.refresh_from_db()
        text = f"Erased; the pseudonym is {person.username}."
        self.show({"pseudonym": person.username, **counts}, text, as_json=options["json"])
