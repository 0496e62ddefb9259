"""What jobs left behind: runs with their files, attacks, evaluations with their tables."""

import mimetypes
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
from readerstudy.lab.evaluation_translation import translated
from readerstudy.lab.key_values import facts
from readerstudy.truth.queries import count_of_twins

MOST_SAMPLES = 24
SAMPLE = re.compile(r"step-(?P<step>\d+)(?:-stage-(?P<stage>\d+))?\.png")
TOLD = ("rows",)  # a detector's table, which its job tells better in text


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
        "samples": [Sample(picture) for picture in pictures if picture != "curves.png"][-MOST_SAMPLES:],
        "card": card.read_text(encoding="utf-8") if card.exists() else "",
        "metrics": facts({name: value for name, value in found.metrics.items() if name not in TOLD}),
        "told": found.job.result.get("text", "") if found.job and isinstance(found.job.result, dict) else "",
        "config": facts(found.config),
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
    """One attack: its settings, its networks, and the twins that it made."""
    found = get_object_or_404(Attack.objects.select_related("generator", "classifier", "job"), name=name)
    context = {
        "attack": found,
        "settings": facts(found.settings),
        "twins": count_of_twins(found.name),
        "evaluations": found.evaluations.all(),
    }
    return render(request, "lab/attack.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def evaluation(request: HttpRequest, number: int) -> HttpResponse:
    """The tables of one evaluation."""
    found = get_object_or_404(Evaluation.objects.select_related("classifier", "job"), pk=number)
    attacks = list(found.attacks.all())
    shown = translated(found.tables, {found.classifier.name, *(attack.name for attack in attacks)})
    context = {
        "evaluation": found,
        "attacks": attacks,
        "tables": shown.tables,
        "figures": shown.figures,
    }
    return render(request, "lab/evaluation.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def figure(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """A figure that the evaluation names by this key."""
    found = get_object_or_404(Evaluation, pk=number)
    files = [entry["file"] for entry in found.tables.get("figures", []) if entry["key"] == key]
    path = Path(settings.RUNS_DIR) / files[0] if files else None
    if path is None or not path.is_file():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type=mimetypes.guess_type(path.name)[0])


def _folder(run: Checkpoint) -> Path:
    return Path(settings.RUNS_DIR) / run.folder


def _pictures(run: Checkpoint) -> dict[str, Path]:
    """The pictures of the run's folder by name: its curves and, in order, its samples."""
    folder = _folder(run)
    return {path.name: path for path in [*sorted(folder.glob("*.png")), *sorted(folder.glob("samples/*.png"))]}
