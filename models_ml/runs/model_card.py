"""A run's description for people (Mitchell et al., Model Cards for Model Reporting, 2019)."""

from typing import Any

from readerstudy.results.gan_stages import StageEndReason, stage_end_text
from readerstudy.serialise import from_dict

TITLES = {"classifier": "AI-CAD classifier", "generator": "Generator of adversarial images", "detector": "Detector"}
PURPOSE = {
    "classifier": "Tells images with the finding from others, as the object of an attack in a study.",
    "generator": "Changes images so that the classifier changes its diagnosis, for a blinded study of whether "
    "readers can see it.",
    "detector": "Tells adversarial images from real ones, as one more reader of a study.",
}
NOT_FOR = (
    "Not for diagnosis, and not for any decision about a patient: it was trained for a study, on this cohort alone."
)


def model_card(name: str, run: dict[str, Any]) -> str:
    """Return the model card of a run, described by the contents of `config.json`, as Markdown."""
    kind = run["kind"]
    direction = f", {run['direction']}" if run.get("direction") else ""
    parts = [
        f"# {name}",
        f"{TITLES.get(kind, kind)}{direction}, preset {run['preset']}, seed {run['seed']}.",
        f"**For:** {PURPOSE.get(kind, '')}",
        f"**Not for:** {NOT_FOR}",
        _section("Training data", _images(run)),
        _section("What was measured", [f"{_words(key)}: {_number(value)}" for key, value in run["metrics"].items()]),
        _section("Stages", [_stage(stage) for stage in run.get("stages", [])]),
        _section("Refused steps: loss or gradient not finite", [_refused(step) for step in run.get("refused", [])]),
        _section("Where it comes from", _origin(run)),
        _section("Settings", [f"{_words(key)}: `{value}`" for key, value in run["config"].items()]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, lines: list[str]) -> str:
    return f"## {title}\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _images(run: dict[str, Any]) -> list[str]:
    return [f"{name}: {count} images" for name, count in run.get("images", {}).items()]


def _stage(stage: dict[str, Any]) -> str:
    first = stage.get("criterion_first_met", 0)
    reason = stage_end_text(from_dict(StageEndReason, stage["reason"]))
    when = f"; its criterion was first met at step {first}" if first else ""
    steps = f"{stage['steps']} step{'s' * (stage['steps'] != 1)}"
    return f"Stage {stage['number']}: {steps}, {reason}{when}"


def _refused(step: dict[str, Any]) -> str:
    stage = f"stage {step['stage']}, " if step["stage"] else ""
    return f"{step['network']}: {stage}epoch {step['epoch']}, step {step['step']}"


def _origin(run: dict[str, Any]) -> list[str]:
    named = {
        "start": "Vnet started from",
        "classifier": "classifier (SHA-256 of its weights)",
        "split_hash": "split (SHA-256)",
        "data_hash": "images (SHA-256)",
        "code_version": "code",
        "torch_version": "torch",
        "device": "device",
        "precision": "precision",
        "float32": "float32 on the card",
        "determinism": "deterministic algorithms on the card",
        "processes": "processes",
    }
    return [f"{title}: {run[key]}" for key, title in named.items() if run.get(key)]


def _words(key: str) -> str:
    return key.replace("_", " ")


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
