"""Training in several processes, one for each graphics card. This module is also what torchrun starts in each process.

    python -m torch.distributed.run --standalone --nproc-per-node 4 -m models_ml.training.launcher SPEC

`train_in_processes` writes the spec: the settings of the run, and the files of the images, which all processes read
through memory maps. The first process writes lines of JSON to standard output: progress and log messages.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.data.images import ImageSet
from models_ml.errors import LabError
from models_ml.runtime import distributed
from models_ml.runtime.progress import Report
from models_ml.training.classifier import ClassifierResult, train_classifier
from models_ml.training.gan import GanResult, train_gan
from readerstudy import serialise
from readerstudy.results.progress import Activity
from readerstudy.vocabulary import Direction

COLUMNS = ("labels", "patients", "splits", "keys")
ROOT = Path(__file__).resolve().parents[2]
SPEC, ROWS, PIXELS = "together.json", "together.npz", "together.npy"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier to train: the arguments of `train_classifier`."""

    config: ClassifierConfig
    seed: int
    folder: Path
    vgg_weights: Path | None = None

    def train(self, images: ImageSet, report: Report) -> ClassifierResult:
        """Train the classifier in this process, or return it if it is trained already."""
        return train_classifier(
            images, self.config, seed=self.seed, folder=self.folder, report=report, vgg_weights=self.vgg_weights
        )


@dataclass(frozen=True)
class GanSpec:
    """A GAN to train: the arguments of `train_gan`."""

    config: GanConfig
    seed: int
    folder: Path
    direction: Direction
    classifier: Path

    def train(self, images: ImageSet, report: Report) -> GanResult:
        """Train the GAN in this process, or return it if it is trained already."""
        return train_gan(
            images,
            direction=self.direction,
            classifier=self.classifier,
            config=self.config,
            seed=self.seed,
            folder=self.folder,
            report=report,
        )


KINDS: dict[str, type[ClassifierSpec] | type[GanSpec]] = {"classifier": ClassifierSpec, "gan": GanSpec}


def train_in_processes(images: ImageSet, spec: ClassifierSpec | GanSpec, *, processes: int, report: Report) -> None:
    """Train in this number of processes of this machine and write the run folder.

    Raises LabError with the message of the process that failed. An exception from `report` (a cancelled job) ends the
    processes; the run can then be resumed.
    """
    path = _write_spec(images, spec)
    command = f"-m torch.distributed.run --standalone --nproc-per-node={processes} -m models_ml.training.launcher"
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A file, not a pipe: nobody reads a pipe while the processes run, and a full one would stop them.
    with TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, *command.split(), str(path)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        try:
            for line in _json_lines(child):
                if "log" in line:
                    logger.warning("%s", line["log"])
                else:
                    report(line["done"], line["total"], serialise.from_dict(Activity, line["activity"]), line["values"])
        finally:
            child.terminate()  # torchrun ends its processes with itself
            status = child.wait()
        errors.seek(0)
        stderr = errors.read()
    for name in (SPEC, ROWS, PIXELS):
        (spec.folder / name).unlink(missing_ok=True)
    if status:
        raise LabError(f"The {processes} processes stopped: {_error_message(stderr)}")


def _write_spec(images: ImageSet, spec: ClassifierSpec | GanSpec) -> Path:
    """Write the images, unless they are a memory map already, and the spec; return the path of the spec."""
    spec.folder.mkdir(parents=True, exist_ok=True)
    filename = getattr(images.pixels, "filename", None)
    if filename is None:
        filename = spec.folder / PIXELS
        np.save(filename, images.pixels)
    columns: dict[str, Any] = {name: getattr(images, name) for name in COLUMNS}
    if images.weights is not None:
        columns["weights"] = images.weights
    np.savez(spec.folder / ROWS, **columns)
    kind = "classifier" if isinstance(spec, ClassifierSpec) else "gan"
    files = {"pixels": str(filename), "rows": str(spec.folder / ROWS)}
    path = spec.folder / SPEC
    path.write_text(json.dumps({**files, "kind": kind, "spec": serialise.to_dict(spec)}))
    return path


def _json_lines(child: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    for line in child.stdout or ():
        if line.startswith("{"):
            yield json.loads(line)


def _error_message(stderr: str) -> str:
    """Return the message of the process that failed first, or the end of torchrun's output if there is none."""
    messages = [line for line in stderr.splitlines() if line.startswith("LabError: ")]
    return messages[0].removeprefix("LabError: ") if messages else stderr.strip()[-500:]


def main(path: Path) -> None:
    """Train what the spec describes, as one of several processes."""
    contents = json.loads(path.read_text())
    with np.load(contents["rows"]) as rows:
        columns = {name: rows[name] for name in (*COLUMNS, "weights") if name in rows}
    images = ImageSet(pixels=np.load(contents["pixels"], mmap_mode="r"), **columns)
    serialise.from_dict(KINDS[contents["kind"]], contents["spec"]).train(images, write_progress)


class LogLines(logging.Handler):
    """Writes log messages of the first process to standard output, for the log of the process that started it."""

    def emit(self, record: logging.LogRecord) -> None:
        if distributed.is_first():
            print(json.dumps({"log": record.getMessage()}), flush=True)


def write_progress(done: int, total: int, activity: Activity, values: dict[str, float]) -> None:
    """Write a progress report as a line on standard output, in the first process only."""
    if distributed.is_first():
        line = {"done": done, "total": total, "activity": serialise.to_dict(activity), "values": values}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    logging.getLogger("models_ml").addHandler(LogLines(logging.WARNING))
    try:
        main(Path(sys.argv[1]))
    except LabError as error:
        print(f"LabError: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    finally:
        distributed.leave()
