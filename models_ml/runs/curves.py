"""Learning curves as a picture."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

TITLES = {
    "error": "Mean absolute error in the disc",
    "guidance": "Guidance: cross-entropy of the other diagnosis",
    "loss": "Focal loss (running mean)",
    "tuning_auc": "AUC on the tuning split",
    "identity": "Identity loss (running mean)",
    "gap": "Gap s(x) − s(G(y)) (running mean)",
}


def learning_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw every quantity of a run's history over its steps, and mark the stages of a GAN; PNG or SVG by suffix."""
    names = [name for name in TITLES if any(name in entry for entry in history)]
    figure = Figure(figsize=(5 * max(1, len(names)), 3.4), layout="constrained")
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(1, len(names), place)
        entries = [entry for entry in history if name in entry]
        axes.plot([e["step"] for e in entries], [e[name] for e in entries], color="#1f5fa8", linewidth=1.4)
        axes.set(title=TITLES[name], xlabel="Step")
        _mark_stages(axes, history)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _mark_stages(axes: Any, history: Sequence[dict[str, float]]) -> None:
    for before, after in pairwise(history):
        if before.get("stage") != after.get("stage"):
            axes.axvline(after["step"], color="#888888", linewidth=0.8, linestyle=":")
            axes.annotate(f" {after['stage']:.0f}", (after["step"], 0.98), xycoords=("data", "axes fraction"), va="top")
