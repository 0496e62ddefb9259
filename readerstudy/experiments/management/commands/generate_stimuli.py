"""Write the adversarial twin of every image of a cohort."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.experiments.command import JobCommand
from readerstudy.experiments.models import Checkpoint, CheckpointKind

STEPS_OF_FINISH = ("background", "grid", "range")


class Command(JobCommand):
    help = (
        "For each image of COHORT write its adversarial twin and the signed difference: by two generator runs, or by "
        "an attack on a classifier."
    )
    task = "attacks.generate_stimuli"
    title = "Writing adversarial images"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--resolution", action="append", choices=["high", "low"], help="default: all there are")
        parser.add_argument("--split", action="append", choices=["train", "tuning", "test"], help="default: all")
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            choices=STEPS_OF_FINISH,
            help="leave out a step after the attack: the untouched background, the film's grey levels, or its range",
        )
        _add_generator_arguments(parser)
        _add_attack_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        made_by = _attack(options) if options["method"] else _generators(options)
        kept = {f"keep_{step}": False for step in options["without"]}
        splits = {"splits": options["split"]} if options["split"] else {}
        result = self.run_job({**made_by, **kept, **splits}, queue=options["queue"])
        if result:
            text = f"{result['made']} adversarial images written, {result['known']} were there already."
            self.show(result, text, as_json=options["json"])


def _add_generator_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--gan-remove", metavar="RUN")
    parser.add_argument("--gan-insert", metavar="RUN")
    parser.add_argument("--suffix", default="", help="behind the runs' names, for a second set of twins by the same")


def _add_attack_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--method", help="pgd, fgsm, apgd, autoattack, fab, square, cw or patch, instead of the GANs")
    parser.add_argument("--classifier", metavar="RUN", help="whose gradient is followed; for a transfer the surrogate")
    parser.add_argument("--name", help="the attack's name (default: METHOD-CLASSIFIER)")
    parser.add_argument("--epsilon", help="the budget, in 16-bit grey levels or as a share such as 4/255")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the method, such as steps=40, way=carried or side=0.1; repeat for several",
    )


def gan_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """Cohort, resolutions and both generator runs, checked before anything is queued."""
    cohort = Cohort.named(options["cohort"])
    for direction in ("remove", "insert"):
        Checkpoint.named(options[f"gan_{direction}"], CheckpointKind.GENERATOR)
    return {
        "cohort": cohort.name,
        "gan_remove": options["gan_remove"],
        "gan_insert": options["gan_insert"],
        "resolutions": options["resolution"] or cohort.resolutions,
    }


def _generators(options: dict[str, Any]) -> dict[str, Any]:
    if not (options["gan_remove"] and options["gan_insert"]):
        raise BadInput("Name both GAN runs, --gan-remove and --gan-insert, or an attack with --method.")
    return gan_parameters(options) | ({"suffix": options["suffix"]} if options["suffix"] else {})


def _attack(options: dict[str, Any]) -> dict[str, Any]:
    """An attack on a classifier; the worker knows the methods and checks their settings."""
    if options["gan_remove"] or options["gan_insert"] or not options["classifier"]:
        raise BadInput("An attack needs --classifier, and no GAN runs.")
    cohort = Cohort.named(options["cohort"])
    run = Checkpoint.named(options["classifier"], CheckpointKind.CLASSIFIER)
    asked = {
        "method": options["method"],
        "classifier": run.name,
        "name": options["name"] or f"{options['method']}-{run.name}",
        "seed": options["seed"],
    }
    if options["set"]:
        asked["settings"] = "; ".join(options["set"])
    if options["epsilon"]:
        asked["epsilon"] = options["epsilon"]
    return {"cohort": cohort.name, "resolutions": options["resolution"] or cohort.resolutions, "attack": asked}
