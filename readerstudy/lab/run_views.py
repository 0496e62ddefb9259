"""Pages of runs with their files, of attacks, and of evaluations with their tables."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.cohort.models import Cohort
from readerstudy.experiments.kinds import Text
from readerstudy.experiments.models import Attack, Checkpoint, Evaluation
from readerstudy.experiments.tables.evaluation import evaluation_tables
from readerstudy.experiments.tables.results import result_sections
from readerstudy.lab.evaluation_figures import evaluation_figures
from readerstudy.lab.key_values import facts
from readerstudy.layout.markdown import markdown
from readerstudy.truth.queries import RecordedImport, count_adversarial_images, find_import
from readerstudy.truth.seal import may_see_tells, may_show_images_of_cohort
from readerstudy.truth.tells import combined_sentence, fact_rows, tell_sentences
from readerstudy.vocabulary import Direction

MAXIMUM_SAMPLES = 24
SAMPLE_NAME = re.compile(r"step-(?P<step>\d+)(?:-stage-(?P<stage>\d+))?\.png")
SHOWN_AS_TABLE = ("rows",)  # metrics of a detector that are tables of the job's result


@dataclass(frozen=True)
class SamplePicture:
    """A picture of a generator's outputs during training."""

    file: str

    @property
    def caption(self) -> str:
        """The step and stage of training from the file name; another name unchanged."""
        match = SAMPLE_NAME.fullmatch(self.file)
        if match is None:
            return self.file
        numbers = {"step": int(match["step"]), "stage": match["stage"]}
        return (_("Step %(step)s, stage %(stage)s") if numbers["stage"] else _("Step %(step)s")) % numbers


@require_GET
@role_required(Role.RESEARCHER)
def runs(request: HttpRequest) -> HttpResponse:
    """Return the list of runs, attacks and evaluations, the newest first."""
    context = {
        "runs": Checkpoint.objects.select_related("made_from"),
        "attacks": Attack.objects.select_related("generator", "classifier"),
        "evaluations": Evaluation.objects.select_related("classifier").prefetch_related("attacks"),
    }
    return render(request, "lab/runs.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def run(request: HttpRequest, name: str) -> HttpResponse:
    """Return the page of one run: provenance, metrics, curves, samples, and what was made with it."""
    shown = get_object_or_404(Checkpoint.objects.select_related("made_from", "job"), name=name)
    pictures = _pictures(shown)
    card = _folder(shown) / "card.md"
    context = {
        "run": shown,
        "direction": _direction(shown),
        "curves": "curves.png" if "curves.png" in pictures else "",
        "has_sealed_samples": any(_folder(shown).glob("samples/*.png")) and not may_show_images_of_cohort(shown.cohort),
        "samples": [SamplePicture(picture) for picture in pictures if picture != "curves.png"][-MAXIMUM_SAMPLES:],
        "card": markdown(card.read_text(encoding="utf-8")) if card.exists() else "",
        "metrics": facts(
            {name: value for name, value in shown.metrics.items() if name not in SHOWN_AS_TABLE}, group="metric"
        ),
        "sections": result_sections(shown.job.result) if shown.job else [],
        "config": facts(shown.config, group="config"),
        "descendants": shown.descendants.all(),
        "attacks": [*shown.attacks_made.all(), *shown.attacks_on.all()],
        "evaluations": shown.evaluations.all(),
    }
    return render(request, "lab/run.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def picture(request: HttpRequest, name: str, picture: str) -> HttpResponse:
    """Return a picture of a run. Only pictures that `_pictures` lists are served."""
    path = _pictures(get_object_or_404(Checkpoint, name=name)).get(picture)
    if path is None:
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="image/png")


@require_GET
@role_required(Role.RESEARCHER)
def attack(request: HttpRequest, name: str) -> HttpResponse:
    """Return the page of one attack: settings, networks and the number of its adversarial images."""
    shown = get_object_or_404(Attack.objects.select_related("generator", "classifier", "job"), name=name)
    imported = find_import(shown.name) if may_see_tells(signed_in_user(request)) else None
    context = {
        **_tells(imported),
        "attack": shown,
        "direction": _direction(shown),
        "settings": facts(shown.settings, words=Cohort.modality_of(shown.cohort).words.lab),
        "images": count_adversarial_images([shown.name]),
        "evaluations": shown.evaluations.all(),
    }
    return render(request, "lab/attack.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def evaluation(request: HttpRequest, number: int) -> HttpResponse:
    """Return the page of one evaluation: its tables and figures."""
    row = get_object_or_404(Evaluation.objects.select_related("classifier", "job"), pk=number)
    result, modality = row.read(), Cohort.modality_of(row.cohort)
    peers = Evaluation.objects.filter(job=row.job, resolution=row.resolution).order_by("pk") if row.job else [row]
    context = {
        "evaluation": row,
        "attacks": row.attacks.all(),
        "tables": evaluation_tables(result, [peer.read() for peer in peers], modality),
        "figures": evaluation_figures(result, modality.words.lab),
    }
    return render(request, "lab/evaluation.html", context)


@require_GET
@role_required(Role.RESEARCHER)
def figure(request: HttpRequest, number: int, key: str) -> HttpResponse:
    """Return one figure of an evaluation as SVG."""
    row = get_object_or_404(Evaluation, pk=number)
    figures = evaluation_figures(row.read(), Cohort.modality_of(row.cohort).words.lab)
    chosen = next((figure for figure in figures if figure.key == key), None)
    if chosen is None:
        raise Http404
    return HttpResponse(chosen.picture().svg, content_type="image/svg+xml")


def _tells(imported: RecordedImport | None) -> dict[str, Any]:
    """Return what the page of an imported attack shows of its comparison with the real images."""
    if imported is None:
        return {}
    return {
        "imported": imported,
        "tells": tell_sentences(imported.tells),
        "combined": combined_sentence(imported.tells),
        "facts_compared": fact_rows(imported.tells),
    }


def _direction(row: Checkpoint | Attack) -> Text:
    """Return what a generator or an attack does, in the words of its cohort's modality; "" for both directions."""
    return Cohort.modality_of(row.cohort).words.lab.direction(Direction(row.direction)) if row.direction else ""


def _folder(run: Checkpoint) -> Path:
    return Path(settings.RUNS_DIR) / run.folder


def _pictures(run: Checkpoint) -> dict[str, Path]:
    """Return the pictures in the run's folder by name: its curves and, unless they are sealed, its samples in order."""
    folder = _folder(run)
    # Samples are pairs of real and adversarial images and do not record which images they are.
    samples = sorted(folder.glob("samples/*.png")) if may_show_images_of_cohort(run.cohort) else []
    return {path.name: path for path in [*sorted(folder.glob("*.png")), *samples]}
