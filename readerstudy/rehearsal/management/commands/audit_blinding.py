"""Audit the blinding of a study."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.commands import StudyCommand, seed
from readerstudy.rehearsal.blinding_audit import audit_blinding
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = "Audit the blinding of the study CODE on a copy of it. Fails if anything but the image reveals the kind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--seed", type=seed, default=1, help="seed of the folds and permutations")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        with self.bar("Playing a copy") as advance:
            audit = audit_blinding(
                study,
                at=now(),
                clock=now,
                seed=options["seed"],
                progress=lambda done, total: advance(done, total, ""),
            )
        self.show({"passed": audit.passed, **audit.result}, "\n".join(_lines(audit.result)), as_json=options["json"])
        if not audit.passed:
            raise CommandError(
                "Something besides the image separates real from adversarial images: the blinding is broken."
            )


def _line(finding: dict[str, Any]) -> str:
    varies = f"AUC {finding['auc']:.2f}, p {finding['p']:.3f}" if finding["features"] else "the same for all"
    return f"  {finding['family']:<20} {varies}"


def _lines(result: dict[str, Any]) -> Iterator[str]:
    yield f"{result['images']} blinded presentations. An AUC of .5 means no separation; p by permutation, one-sided."
    parts = {
        "browser": "What the reader's browser receives, except the image",
        "coordinator": f"What a coordinator receives: {result['pages']} pages, and the log",
        "stored": "Keys and files on the server, which nobody sees",
    }
    for part, title in parts.items():
        yield f"{title} (must be at chance):"
        yield from map(_line, result[part])
    if result["aid_traces"] or result["aid_missing"]:
        faults = "{aid_traces} presentations have an aid without the rule, {aid_missing} lack it in a session with it."
        yield faults.format(**result)
    for finding in result.get("aid", ()):
        yield f"The aid, which the protocol permits (reported only): AUC {finding['auc']:.2f}, p {finding['p']:.3f}"
        score = finding["facts"].get("score", 0.5)
        yield f"  The score alone separates adversarial from real images with an AUC of {score:.2f}."
    for finding in result["pixels"]:
        yield f"Simple facts of the pixels (reported only): together AUC {finding['auc']:.2f}, p {finding['p']:.3f}"
        for name, alone in sorted(finding["facts"].items(), key=lambda item: -abs(item[1] - 0.5)):
            yield f"  {name:<24} AUC {alone:.2f}"
