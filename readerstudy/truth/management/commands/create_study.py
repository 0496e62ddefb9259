"""Create a study: plan its sessions and draw its lists."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.commands import StudyCommand, seed
from readerstudy.errors import BadInput, StudyError
from readerstudy.studies.actions import enroll
from readerstudy.studies.models import Study
from readerstudy.studies.protocol import TEMPLATES
from readerstudy.studies.rules import read_plan
from readerstudy.truth.actions import create_study, same_draw


class Command(StudyCommand):
    help = (
        "Create a study: plan the five sessions of --template zhou2021 on --cohort NAME and draw their lists. If the "
        "cohort is too small, list what is missing and create nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--template", choices=list(TEMPLATES), default="zhou2021")
        parser.add_argument("--cohort", help="the cohort to draw from")
        parser.add_argument(
            "--same-draw-as",
            metavar="CODE",
            help="draw what the study CODE drew, at another --resolution: its low-resolution arm, for example",
        )
        parser.add_argument("--code", help="short name in addresses (default: the cohort's name)")
        parser.add_argument("--title", help="what readers see (default: the code)")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the template's image counts")
        parser.add_argument("--resolution", help="default: the highest that is stored")
        parser.add_argument(
            "--seed", type=seed, help="draw again what this seed drew (default: a new secret one, stored sealed)"
        )
        parser.add_argument(
            "--attack",
            "--generator",
            dest="attack",
            action="append",
            metavar="NAME",
            help="draw from this attack; for GANs give both (default: the only one that there is)",
        )
        parser.add_argument(
            "--plan",
            type=Path,
            metavar="FILE",
            help="TOML: questions, practice, breaks, rest, words (docs/reference/plan-file.md)",
        )
        parser.add_argument("--reader", action="append", default=[], help="user name of a reader to enroll")

    def handle(self, *args: Any, **options: Any) -> None:
        readers = [_reader(name) for name in options["reader"]]
        draw = _draw_of(options)
        code = options["code"] or draw["cohort"].name
        if options["plan"]:
            draw["changes"] = read_plan(options["plan"])
        # In one transaction: no study is left behind if a reader cannot be enrolled.
        with transaction.atomic(), self.bar("Drawing the study") as advance:
            study = create_study(
                code=code,
                title=options["title"] or code,
                at=now(),
                progress=lambda done, total: advance(done, total, "image files rewritten in random order"),
                **draw,
            )
            for reader in readers:
                enroll(study=study, reader=reader, at=now())
        plans = list(study.session_plans.order_by("number"))
        text = f"Study {study.code}: " + ", ".join(f"session {p.number} {p.total} images" for p in plans) + "."
        self.show({"study": study.code, **study.plan}, text, as_json=options["json"])


def _draw_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the draw: from the options, or from another study's draw."""
    if options["same_draw_as"] and options["cohort"]:
        raise BadInput("Give --cohort NAME or --same-draw-as CODE, not both.")
    if options["same_draw_as"]:
        return same_draw(Study.named(options["same_draw_as"]), resolution=options["resolution"])
    if not options["cohort"]:
        raise BadInput("Say what to draw from: --cohort NAME, or --same-draw-as CODE.")
    cohort = Cohort.named(options["cohort"])
    return {
        "template": options["template"],
        "cohort": cohort,
        "seed": options["seed"],
        "scale": options["scale"],
        "resolution": options["resolution"],
        "generators": options["attack"],
    }


def _reader(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise StudyError(f"There is no user named {name!r}. Create the user in the administration first.")
    return user
