"""Train the AI-CAD classifier on a cohort."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    help = "Train a classifier on COHORT with --preset demo, zhou2021-low or zhou2021-high. Goes on after a kill."
    task = "models_ml.train_classifier"
    title = "Training the classifier"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--preset", required=True)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--name", help="the run's name (default: COHORT-PRESET-SEED)")
        parser.add_argument("--processes", type=int, help="default: one for each graphics card")
        parser.add_argument("--vgg-weights", type=Path, help="a VGG11 state dict to start Vnet from")
        parser.add_argument(
            "--harden",
            type=float,
            metavar="LEVELS",
            help="adversarial training: attack half of every batch by at most so many 16-bit grey levels (1028: 4/255)",
        )
        parser.add_argument(
            "--augment", action="append", default=[], metavar="ATTACK", help="its twins of training images train, too"
        )
        parser.add_argument(
            "--augment-labels",
            choices=["own", "flipped"],
            default="own",
            help="what those twins teach: the woman's own pathology, or the one that they imitate",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.named(options["cohort"])
        weights = options["vgg_weights"]
        result = self.run_job(
            {
                "cohort": cohort.name,
                "preset": options["preset"],
                "seed": options["seed"],
                "processes": options["processes"],
                "name": options["name"] or f"{cohort.name}-{options['preset']}-{options['seed']}",
                "vgg_weights": str(weights.resolve()) if weights else "",
                **_defence(options),
            },
            queue=options["queue"],
        )
        if result:
            text = (
                f"Run {result['run']}: AUC {result['tuning_auc']:.3f} on the tuning split after {result['steps']} "
                f"steps, {result['seconds']:.0f} s. Curves: {result['curves']}"
            )
            self.show(result, text, as_json=options["json"])


def _defence(options: dict[str, Any]) -> dict[str, Any]:
    """What the job needs to know of a defence; nothing where there is none."""
    hardened = {"hardened": {"epsilon": options["harden"]}} if options["harden"] is not None else {}
    if not options["augment"]:
        return hardened
    return {**hardened, "augmented": {"attacks": options["augment"], "labels": options["augment_labels"]}}
