"""Create a study: plan its sessions and draw its lists."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from readerstudy.accounts.models import Role, User
from readerstudy.cohort.models import Cohort
from readerstudy.commands import StudyCommand, seed
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.actions import adopt_readers
from readerstudy.participation.reader_protocol import reader_protocol
from readerstudy.participation.study_file import read_design_file
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.rules import read_plan
from readerstudy.protocol.sessions import TEMPLATES
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import add_member, draft_study, enroll
from readerstudy.studies.models import Study
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
        parser.add_argument(
            "--protocol",
            type=Path,
            metavar="FILE",
            help="YAML: the whole protocol, in place of a template (docs/reference/protocol-file.md)",
        )
        parser.add_argument(
            "--draft", action="store_true", help="create a draft: it is edited, rehearsed, locked and opened later"
        )
        parser.add_argument(
            "--member",
            action="append",
            default=[],
            metavar="USER",
            help="coordinator or researcher who takes part in the study, with the role of the account",
        )
        parser.add_argument(
            "--unsealed-by-one",
            dest="persons_to_unseal",
            action="store_const",
            const=1,
            help="one person unseals the study (default: two, or as the protocol file says)",
        )
        parser.add_argument("--reader", action="append", default=[], help="user name of a reader to enroll")

    def handle(self, *args: Any, **options: Any) -> None:
        readers = [_user(name) for name in options["reader"]]
        members = [_user(name) for name in options["member"]]
        draw = _draw_of(options)
        asked = draw.pop("readers", None)
        code = options["code"] or draw["cohort"].name
        # In one transaction: no study is left behind if a reader cannot be enrolled.
        with sealed_work(), transaction.atomic():
            draw["persons_to_unseal"] = options["persons_to_unseal"]
            study = self._create(code=code, title=options["title"] or code, is_draft=options["draft"], **draw)
            adopt_readers(study=study, readers=asked, actor=None, at=now())
            for person in members:
                add_member(study=study, person=person, role=Role(person.role), actor=None, at=now())
            for reader in readers:
                enroll(study=study, reader=reader, at=now())
        sessions = study.protocol.sessions
        counts = ", ".join(f"session {number} {each.total} images" for number, each in enumerate(sessions, start=1))
        text = f"{'Draft' if study.is_editable else 'Study'} {study.code}: {counts}."
        self.show({"study": study.code, **(study.plan or study.protocol_data)}, text, as_json=options["json"])

    def _create(self, *, code: str, title: str, is_draft: bool, **draw: Any) -> Study:
        if not is_draft:
            with self.bar("Drawing the study") as advance:
                return create_study(
                    code=code,
                    title=title,
                    at=now(),
                    progress=lambda done, total: advance(done, total, "image files rewritten in random order"),
                    **draw,
                )
        if draw.pop("seed") is not None:
            raise BadInput("--draft: nothing is drawn yet, so --seed and --same-draw-as do not go with it.")
        cohort, persons = draw.pop("cohort"), draw.pop("persons_to_unseal")
        words = cohort.modality.words.reading
        protocol = draw.get("protocol") or protocol_of_template(
            words=words, attacks=draw.pop("generators") or (), **draw
        )
        if persons is not None:
            protocol = replace(protocol, persons_to_unseal=persons)
        return draft_study(code=code, title=title, cohort=cohort, protocol=protocol, actor=None, at=now())


def _draw_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the draw: from the options, or from another study's draw."""
    if options["same_draw_as"] and options["cohort"]:
        raise BadInput("Give --cohort NAME or --same-draw-as CODE, not both.")
    changes = read_plan(options["plan"]) if options["plan"] else None
    if options["same_draw_as"]:
        other = Study.named(options["same_draw_as"])
        draw = {**same_draw(other, resolution=options["resolution"]), "readers": reader_protocol(other)}
        if changes is not None:
            draw["protocol"] = _with_changes(draw["protocol"], draw["cohort"], changes)
        return draw
    if not options["cohort"]:
        raise BadInput("Say what to draw from: --cohort NAME, or --same-draw-as CODE.")
    cohort = Cohort.named(options["cohort"])
    if options["protocol"]:
        if options["plan"] or options["attack"] or options["resolution"] or options["scale"] != 1.0:
            raise BadInput("--protocol: the file has the plan, the attacks, the resolution and the numbers of images.")
        design = read_design_file(options["protocol"], words=cohort.modality.words.reading)
        return {"cohort": cohort, **vars(design), "seed": options["seed"]}
    return {
        "template": options["template"],
        "cohort": cohort,
        "seed": options["seed"],
        "scale": options["scale"],
        "resolution": options["resolution"],
        "generators": options["attack"],
        "changes": changes,
    }


def _with_changes(protocol: Protocol, cohort: Cohort, changes: dict[str, Any]) -> Protocol:
    """Return the protocol of the same template, scale, resolution and attacks with another plan file."""
    return protocol_of_template(
        protocol.template,
        words=cohort.modality.words.reading,
        scale=protocol.scale,
        resolution=protocol.resolution,
        attacks=protocol.attacks,
        changes=changes,
    )


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise StudyError(f"There is no user named {name!r}. Create the user in the administration first.")
    return user
