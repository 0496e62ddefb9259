"""Let simulated readers play a copy of a study."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand, seed
from readerstudy.rehearsal.simulated_readers import rehearse_study
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = "Draw a rehearsal copy of the study CODE and let five simulated readers complete it over HTTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--seed", type=seed, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        with self.bar("Simulated readers") as advance:
            copy = rehearse_study(
                study,
                at=now(),
                clock=now,
                seed=options["seed"],
                progress=lambda done, total: advance(done, total, ""),
            )
        self.show({"study": copy.code}, f"The rehearsal {copy.code} is read and unsealed.", as_json=options["json"])
