"""Training over several processes or graphics cards: this module is what torchrun starts in each of them.

    python -m torch.distributed.run --standalone --nproc-per-node 4 -m models_ml.ranks SPEC…

A spec is what `train_together` writes: the images (a memory-mapped file that all processes read), the settings and the
run's folder. The first process writes lines of JSON to standard output: how far the run is, and what it logs.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.data.images import ImageSet
from models_ml.errors import LabError
from models_ml.runtime import distributed
from models_ml.runtime.progress import Report
from models_ml.training.classifier import train_classifier
from models_ml.training.gan import train_gan
from readerstudy import serialise
from readerstudy.results.progress import Activity
from readerstudy.vocabulary import Direction

COLUMNS = ("labels", "patients", "splits", "keys")
logger = logging.getLogger(__name__)
SPEC, ROWS, PIXELS = "together.json", "together.npz", "together.npy"


@dataclass(frozen=True)
class Together:
    """One run that several processes train: a classifier, or a GAN where a direction and a classifier are named."""

    config: ClassifierConfig | GanConfig
    seed: int
    folder: Path
    vgg_weights: Path | None = None
    direction: Direction | None = None
    classifier: Path | None = None


def train_together(images: ImageSet, run: Together, *, processes: int, report: Report) -> None:
    """Train in `processes` processes of this machine, one per graphics card; the finished run lies in its folder.

    Raises LabError with what the processes said where they failed. An exception from `report` (a cancelled job) ends
    them; the run then goes on from its last saved state.
    """
    spec = _write(images, run)
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        "-m",
        "models_ml.training.launcher",
    ]
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [root]
    child = subprocess.Popen(
        [sys.executable, *command, str(spec)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    try:
        for line in _lines(child):
            if "log" in line:
                logger.warning("%s", line["log"])
            else:
                report(line["done"], line["total"], serialise.from_dict(Activity, line["activity"]), line["values"])
        said = child.stderr.read() if child.stderr else ""
    finally:
        child.terminate()  # torchrun ends its processes with itself
        status = child.wait()
    for name in (SPEC, ROWS, PIXELS):
        (run.folder / name).unlink(missing_ok=True)
    if status:
        raise LabError(f"The {processes} processes stopped: {_reason(said)}")


def _write(images: ImageSet, run: Together) -> Path:
    run.folder.mkdir(parents=True, exist_ok=True)
    filename = getattr(images.pixels, "filename", None)
    if filename is None:
        filename = run.folder / PIXELS
        np.save(filename, images.pixels)
    columns: dict[str, Any] = {name: getattr(images, name) for name in COLUMNS}
    if images.weights is not None:
        columns["weights"] = images.weights
    np.savez(run.folder / ROWS, **columns)
    spec = {
        "pixels": str(filename),
        "rows": str(run.folder / ROWS),
        "config": serialise.to_dict(run.config),
        "seed": run.seed,
        "folder": str(run.folder),
        "vgg_weights": str(run.vgg_weights or ""),
        "direction": run.direction or "",
        "classifier": str(run.classifier or ""),
    }
    path = run.folder / SPEC
    path.write_text(json.dumps(spec))
    return path


def _lines(child: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    for line in child.stdout or ():
        if line.startswith("{"):
            yield json.loads(line)


def _reason(said: str) -> str:
    """The sentence of the process that failed first, out of everything that torchrun prints around it."""
    sentences = [line for line in said.splitlines() if line.startswith("LabError: ")]
    return sentences[0].removeprefix("LabError: ") if sentences else said.strip()[-500:]


def main(path: Path) -> None:
    """Train what the spec says, in one of several processes."""
    spec = json.loads(path.read_text())
    with np.load(spec["rows"]) as rows:
        columns = {name: rows[name] for name in (*COLUMNS, "weights") if name in rows}
    images = ImageSet(pixels=np.load(spec["pixels"], mmap_mode="r"), **columns)
    folder, seed = Path(spec["folder"]), spec["seed"]
    if not spec["direction"]:
        config = serialise.from_dict(ClassifierConfig, spec["config"])
        weights = Path(spec["vgg_weights"]) if spec["vgg_weights"] else None
        train_classifier(images, config, seed=seed, folder=folder, report=tell, vgg_weights=weights)
        return
    gan = serialise.from_dict(GanConfig, spec["config"])
    direction = Direction(spec["direction"])
    classifier = Path(spec["classifier"])
    train_gan(images, direction=direction, classifier=classifier, config=gan, seed=seed, folder=folder, report=tell)


class LogLines(logging.Handler):
    """Writes what the first process logs to standard output, for the log of the process that started it."""

    def emit(self, record: logging.LogRecord) -> None:
        if distributed.is_first():
            print(json.dumps({"log": record.getMessage()}), flush=True)


def tell(done: int, total: int, activity: Activity, values: dict[str, float]) -> None:
    """Write a progress report as a line on standard output, in the first process only."""
    if distributed.is_first():
        line = {"done": done, "total": total, "activity": serialise.to_dict(activity), "values": values}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    logging.getLogger("models_ml").addHandler(LogLines(logging.WARNING))
    try:
        for given in sys.argv[1:]:
            main(Path(given))
    except LabError as error:
        print(f"LabError: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    finally:
        distributed.leave()
