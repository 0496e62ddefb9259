"""Give a coordinator or researcher a part in a study, or end it, at the server's terminal."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import Role, User
from readerstudy.commands import StudyCommand
from readerstudy.studies.access import members_of
from readerstudy.studies.actions import add_member, remove_member
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = (
        "Let the coordinator or researcher USER take part in the study CODE: nobody else sees it on any page. Without "
        "--role, with the role of the account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("add", "remove"))
        parser.add_argument("code", help="the code of the study")
        parser.add_argument("user", help="the person's user name")
        parser.add_argument("--role", choices=(Role.COORDINATOR.value, Role.RESEARCHER.value))

    def handle(self, *args: Any, **options: Any) -> None:
        study, person = Study.named(options["code"]), User.named(options["user"])
        if options["act"] == "remove":
            remove_member(study=study, person=person, actor=None, at=now())
            text = f"{person} has no part in {study.code} any more."
        else:
            role = Role(options["role"] or person.role)
            add_member(study=study, person=person, role=role, actor=None, at=now())
            text = f"{person} takes part in {study.code} as its {role.value}."
        members = {member.person.username: member.role for member in members_of(study)}
        self.show({"study": study.code, "members": members}, text, as_json=options["json"])
