"""What jobs left behind: runs with their files, attacks, evaluations with their tables."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required
from readerstudy.experiments.models import Attack, Checkpoint, Evaluation
from readerstudy.experiments.tables.evaluation import evaluation_tables
from readerstudy.experiments.tables.results import result_sections
from readerstudy.lab.evaluation_figures import evaluation_figures
from readerstudy.lab.key_values import facts
from readerstudy.truth.queries import count_adversarial_images
from readerstudy.truth.seal import may_show_images_of_cohort

MOST_SAMPLES = 24
SAMPLE = re.compile(r"step-(?P<step>\d+)(?:-stage-(?P<stage>\d+))?\.png")
IN_TABLE = ("rows",)  # of a detector, shown as a table of the job's result


@dataclass(frozen=True)
class Sample:
    """A picture of what a generator made while it learnt."""

    file: str

    @property
    def caption(self) -> str:
        """When it was made, as its name says; any other name as it is."""
        found = SAMPLE.fullmatch(self.file)
        if found is None:
            return self.file
        told = {"step": int(found["step"]), "stage": found["stage"]}
        return (_("Step %(step)s, stage %(stage)s") if told["stage"] else _("Step %(step)s")) % told


@require_GET
@role_required(Role.RESEARCHER)
def runs(request: HttpRequest) -> HttpResponse:
    """Every run, attack and evaluation, the newest first."""
    context = {
        "runs": Checkpoint.objects.select_related("made_from"),
        "attacks": Attack.objects.select_related("generator", "classifier"),
        "evaluations": Evaluation.objects.select_related("classifier").prefetch_related("attacks"),
    }
    return render(request, "lab/runs.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def run(request: HttpRequest, name: str) -> HttpResponse:
    """One run: what it is, where it comes from, what came of it, its curves and samples."""
    found = get_object_or_404(Checkpoint.objects.select_related("made_from", "job"), name=name)
    pictures = _pictures(found)
    card = _folder(found) / "card.md"
    context = {
        "run": found,
        "curves": "curves.png" if "curves.png" in pictures else "",
        "has_sealed_samples": any(_folder(found).glob("samples/*.png")) and not may_show_images_of_cohort(found.cohort),
        "samples": [Sample(picture) for picture in pictures if picture != "curves.png"][-MOST_SAMPLES:],
        "card": card.read_text(encoding="utf-8") if card.exists() else "",
        "metrics": facts(
            {name: value for name, value in found.metrics.items() if name not in IN_TABLE}, group="metric"
        ),
        "sections": result_sections(found.job.result) if found.job else [],
        "config": facts(found.config, group="config"),
        "descendants": found.descendants.all(),
        "attacks": [*found.attacks_made.all(), *found.attacks_on.all()],
        "evaluations": found.evaluations.all(),
    }
    return render(request, "lab/run.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def picture(request: HttpRequest, name: str, picture: str) -> HttpResponse:
    """A picture of a run's folder: one that is listed there, whatever the address says."""
    path = _pictures(get_object_or_404(Checkpoint, name=name)).get(picture)
    if path is None:
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="image/png")


@require_GET
@role_required(Role.RESEARCHER)
def attack(request: HttpRequest, name: str) -> HttpResponse:
    """One attack: its settings, its networks, and the number of its adversarial images."""
    found = get_object_or_404(Attack.objects.select_related("generator", "classifier", "job"), name=name)
    context = {
        "attack": found,
        "settings": facts(found.settings),
        "images": count_adversarial_images([found.name]),
        "evaluations": found.evaluations.all(),
    }
    return render(request, "lab/attack.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def evaluation(request: HttpRequest, number: int) -> HttpResponse:
    """Return the page of one evaluation: its tables and figures."""
    row = get_object_or_404(Evaluation.objects.select_related("classifier", "job"), pk=number)
    result = row.read()
    peers = Evaluation.objects.filter(job=row.job, resolution=row.resolution).order_by("pk") if row.job else [row]
    context = {
        "evaluation": row,
        "attacks": row.attacks.all(),
        "tables": evaluation_tables(result, [peer.read() for peer in peers]),
        "figures": evaluation_figures(result),
    }
    return render(request, "lab/evaluation.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def figure(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """Return one figure of an evaluation as SVG."""
    figures = evaluation_figures(get_object_or_404(Evaluation, pk=number).read())
    chosen = next((figure for figure in figures if figure.key == key), None)
    if chosen is None:
        raise Http404
    return HttpResponse(chosen.picture().svg, content_type="image/svg+xml")


def _folder(run: Checkpoint) -> Path:
    return Path(settings.RUNS_DIR) / run.folder


def _pictures(run: Checkpoint) -> dict[str, Path]:
    """Return the pictures in the run's folder by name: its curves and, unless they are sealed, its samples in order."""
    folder = _folder(run)
    # Samples are pairs of real and adversarial images and do not record which images they are.
    samples = sorted(folder.glob("samples/*.png")) if may_show_images_of_cohort(run.cohort) else []
    return {path.name: path for path in [*sorted(folder.glob("*.png")), *samples]}
