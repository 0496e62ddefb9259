"""The power of a draft under assumptions, by formula and by simulation."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.designer.sizing.actions import (
    computed,
    first_sizing,
    keep_sizing,
    simulate,
    simulation_parameters,
    with_result,
)
from readerstudy.protocol.sizing import ASSUMPTIONS, Sizing, sizing_sentences
from readerstudy.serialise import to_dict
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = (
        "Show how likely the planned comparison of the draft CODE finds a change, under assumptions: by formula, and "
        "with --simulate by drawing whole studies. Without options: the assumptions that the plan keeps, or usual ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        for name in ASSUMPTIONS:
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=int if name == "readers" else float, metavar="N")
        parser.add_argument("--source", metavar="TEXT", help="where the assumptions come from")
        parser.add_argument("--simulate", type=int, default=0, metavar="STUDIES", help="also simulate so many studies")
        parser.add_argument("--keep", action="store_true", help="keep the computed powers in the draft's plan")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        given = {name: options[name] for name in (*ASSUMPTIONS, "source") if options[name] is not None}
        sizing = computed(study.protocol, replace(first_sizing(study), **given))
        result = self._simulated(study, sizing, runs=options["simulate"]) if options["simulate"] > 0 else None
        if options["keep"]:
            keep_sizing(study=study, sizing=sizing, result=result, base=None, actor=None, at=now())
        sizing = with_result(sizing, result) if result else sizing
        analysis = study.protocol.analysis
        text = " ".join(sizing_sentences(sizing, alpha=analysis.alpha, margin=analysis.margin))
        self.show(to_dict(sizing), text, as_json=options["json"])

    def _simulated(self, study: Study, sizing: Sizing, *, runs: int) -> dict[str, Any]:
        with self.bar("Simulated studies") as advance:
            parameters = simulation_parameters(study, sizing, runs=runs)
            return simulate(parameters, lambda done, total: advance(done, total, ""))
