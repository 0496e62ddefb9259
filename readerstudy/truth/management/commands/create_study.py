"""Create a study: plan its sessions and draw its lists."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError
from readerstudy.studies.actions import enroll
from readerstudy.studies.protocol import TEMPLATES
from readerstudy.truth.actions import create_study


class Command(StudyCommand):
    help = "Plan the five sessions of --template zhou2021 on --cohort NAME; says what a small cohort lacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--template", choices=list(TEMPLATES), default="zhou2021")
        parser.add_argument("--cohort", required=True)
        parser.add_argument("--code", help="short name in addresses (default: the cohort's name)")
        parser.add_argument("--title", help="what readers see (default: the code)")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the template's image counts")
        parser.add_argument("--resolution", choices=["high", "low"], help="default: the highest that is stored")
        parser.add_argument(
            "--seed", type=int, help="draw again what this seed drew (default: a new secret one, stored sealed)"
        )
        parser.add_argument("--generator", action="append", help="a generator run; give both (default: the newest)")
        parser.add_argument("--reader", action="append", default=[], help="user name of a reader to enroll")

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.named(options["cohort"])
        readers = [_reader(name) for name in options["reader"]]
        code = options["code"] or cohort.name
        study = create_study(
            code=code,
            title=options["title"] or code,
            template=options["template"],
            cohort=cohort,
            seed=options["seed"],
            at=now(),
            scale=options["scale"],
            resolution=options["resolution"] or ("high" if "high" in cohort.resolutions else "low"),
            generators=options["generator"],
        )
        for reader in readers:
            enroll(study=study, reader=reader, at=now())
        plans = list(study.session_plans.order_by("number"))
        text = f"Study {study.code}: " + ", ".join(f"session {p.number} {p.total} images" for p in plans) + "."
        self.show({"study": study.code, **study.plan}, text, as_json=options["json"])


def _reader(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise StudyError(f"There is no user named {name!r}; make one in the admin first.")
    return found
