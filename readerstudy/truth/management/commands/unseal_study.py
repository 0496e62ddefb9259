"""Unseal a closed study at the server's terminal."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Study
from readerstudy.truth.actions import confirm_unsealing, request_unsealing, unseal_study
from readerstudy.truth.models import Unsealing


class Command(StudyCommand):
    help = (
        "Unseal the study CODE for --reason, in the name of --by USER. If its plan wants two persons, it is requested, "
        "and another person confirms it with --confirm. --close closes an open study first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--reason", default="", help="required, except with --confirm")
        parser.add_argument("--by", required=True, metavar="USER")
        parser.add_argument("--close", action="store_true")
        parser.add_argument("--confirm", action="store_true", help="confirm what another person requested")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        actor = User.objects.filter(username=options["by"]).first()
        if actor is None:
            raise StudyError(f"There is no user named {options['by']!r}.")
        if options["confirm"]:
            return self._show(study, confirm_unsealing(study=study, actor=actor, at=now()), options)
        if options["close"] and not study.shows_verdicts:
            close_study(study=study, actor=actor, reason=options["reason"], at=now())
        values: dict[str, Any] = {"study": study, "actor": actor, "reason": options["reason"], "at": now()}
        if study.persons_to_unseal == 1:
            return self._show(study, unseal_study(**values), options)
        request = request_unsealing(**values)
        until = f"{request.expires_at:%Y-%m-%d %H:%M %Z}"
        text = (
            f"The unsealing of {study.code} is requested. Another person confirms it until {until}: "
            f"unseal_study {study.code} --confirm --by USER"
        )
        data = {"study": study.code, "requested_at": request.at, "expires_at": request.expires_at}
        return self.show(data, text, as_json=options["json"])

    def _show(self, study: Study, unsealing: Unsealing, options: dict[str, Any]) -> None:
        text = f"Study {study.code} is unsealed."
        self.show({"study": study.code, "at": unsealing.at}, text, as_json=options["json"])
