"""Move a study from one status to the next at the server's terminal."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand, seed
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.actions import (
    archive_study,
    close_study,
    delete_draft,
    open_study,
    pause_study,
    resume_study,
    unlock_study,
)
from readerstudy.studies.models import Study
from readerstudy.truth.actions import lock_study

WITH_REASON = {"pause": pause_study, "unlock": unlock_study, "close": close_study, "archive": archive_study}
WITHOUT_REASON = {"open": open_study, "resume": resume_study, "delete": delete_draft}
MOVES = ("lock", "open", "pause", "resume", "unlock", "close", "archive", "delete")


class Command(StudyCommand):
    help = (
        "Move the study CODE: lock a draft (its lists are drawn), open it for its readers, pause and resume it, unlock "
        "it before a reader has begun, close it, archive it once it is unsealed, or delete a draft that was never "
        "locked. Unsealing is a command of its own, unseal_study."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("move", choices=MOVES)
        parser.add_argument("code")
        parser.add_argument("--reason", default="", help="required to pause, unlock, close and archive")
        parser.add_argument("--by", metavar="USER", help="in whose name (default: nobody, the server's terminal)")
        parser.add_argument(
            "--seed", type=seed, help="lock: draw again what this seed drew (default: a new secret one, stored sealed)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study, move = Study.named(options["code"]), options["move"]
        if options["seed"] is not None and move != "lock":
            raise BadInput("--seed: only locking draws.")
        values: dict[str, Any] = {"study": study, "actor": _person(options["by"]), "at": now()}
        if move == "lock":
            self._lock(**values, seed=options["seed"])
        elif move in WITH_REASON:
            WITH_REASON[move](**values, reason=options["reason"])
        else:
            WITHOUT_REASON[move](**values)
        if move == "delete":
            return self.show(
                {"study": study.code, "status": None}, f"{study.code} is deleted.", as_json=options["json"]
            )
        text = f"The study {study.code} is {study.state}."
        return self.show({"study": study.code, "status": study.status}, text, as_json=options["json"])

    def _lock(self, **values: Any) -> None:
        with self.bar("Drawing the study") as advance:
            lock_study(
                progress=lambda done, total: advance(done, total, "image files rewritten in random order"), **values
            )


def _person(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise StudyError(f"There is no user named {name!r}.")
    return user
