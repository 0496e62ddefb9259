"""Unseal a closed study at the server's terminal."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study


class Command(StudyCommand):
    help = "Unseal the study CODE for --reason, in the name of --by USER. --close closes an open study first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", required=True, metavar="USER")
        parser.add_argument("--close", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        actor = User.objects.filter(username=options["by"]).first()
        if actor is None:
            raise StudyError(f"There is no user named {options['by']!r}.")
        if options["close"] and not study.shows_verdicts:
            close_study(study=study, actor=actor, reason=options["reason"], at=now())
        unsealing = unseal_study(study=study, actor=actor, reason=options["reason"], at=now())
        self.show(
            {"study": study.code, "at": unsealing.at}, f"Study {study.code} is unsealed.", as_json=options["json"]
        )
