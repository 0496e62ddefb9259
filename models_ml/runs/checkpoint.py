"""The folder of a run: weights, and everything that documents their origin.

    weights.safetensors   the classifier, or the generator
    control.safetensors   the identity baseline: the generator after stage 1 (GANs only)
    config.json           kind, settings, seed, code, hashes of data and split, metrics, history
    card.md               the same as a model card, with intended use
    curves.png, samples/  learning curves; a GAN's adversarial images of a few training images, epoch by epoch
    resume.pt             only while training runs: networks, optimisers and the step reached

Nothing is unpickled that could run code: weights are safetensors, `resume.pt` is read with
`weights_only=True`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models_ml.config import ClassifierConfig, GanConfig
from models_ml.data.images import ImageSet
from models_ml.errors import WrongCheckpoint
from models_ml.networks import build
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import Generator
from models_ml.runs.folder import replace_file
from models_ml.runs.model_card import model_card
from models_ml.runs.refused_steps import RefusedSteps
from models_ml.runtime import distributed
from models_ml.runtime.card import CardSettings
from models_ml.runtime.device import Precision, uses_bf16
from readerstudy import serialise
from readerstudy.provenance import source_hash
from readerstudy.vocabulary import Split

# This package and the pure packages of the web side that it imports.
SOURCES = ("models_ml", "readerstudy/imaging", "readerstudy/results", "readerstudy/statistics")
Kind = Literal["classifier", "generator", "detector"]
NAMES: dict[Kind, dict[int, str]] = {  # of the labels
    "classifier": {1: "positive", 0: "other"},
    "generator": {1: "positive", 0: "other"},
    "detector": {1: "adversarial", 0: "real"},
}
Network = TypeVar("Network", bound=nn.Module)
WEIGHTS, CONTROL, CONFIG, RESUME = "weights.safetensors", "control.safetensors", "config.json", "resume.pt"
CARD, SAMPLES = "card.md", "samples"


@dataclass(frozen=True)
class Provenance:
    """The contents of `config.json`: the description of a finished run."""

    kind: Kind
    preset: str
    config: dict[str, Any]
    seed: int
    split_hash: str
    code_version: str
    torch_version: str
    device: str
    precision: str
    metrics: dict[str, float]
    history: list[dict[str, float]]
    direction: str = ""  # GANs only
    classifier: str = ""  # sha256 of the weights of the classifier that it was made from
    stages: list[dict[str, Any]] = field(default_factory=list)
    data_hash: str = ""
    start: str = ""  # "scratch", or sha256 of the file of ImageNet weights
    processes: int = 1
    images: dict[str, int] = field(default_factory=dict)  # how many of each split and label
    refused: list[dict[str, Any]] = field(default_factory=list)  # the first hundred refused steps
    determinism: str = ""  # of a card, as `CardDeterminism`; "" on a processor, and in runs of earlier versions
    float32: str = ""  # of a card: "full" or "tf32"

    @property
    def refused_steps(self) -> int:
        """How many steps were refused because their loss or gradient was not finite."""
        return int(self.metrics.get("refused_steps", 0))


def identity(kind: Kind, images: ImageSet, config: Any, seed: int, **more: str) -> dict[str, Any]:
    """Return what determines a run: two runs with the same identity have the same weights, bit for bit."""
    return {
        "kind": kind,
        "seed": seed,
        "split_hash": images.split_hash(),
        "data_hash": images.data_hash(),
        "config": serialise.to_dict(config),
        **more,
    }


def provenance(
    identity: dict[str, Any],
    images: ImageSet,
    *,
    device: torch.device,
    precision: Precision,
    metrics: dict[str, float],
    history: list[dict[str, float]],
    refused: RefusedSteps | None = None,
    stages: Sequence[dict[str, Any]] = (),
) -> Provenance:
    """Return the description of a run that has just ended."""
    refused = refused or RefusedSteps()
    return Provenance(
        **identity,
        preset=identity["config"]["preset"],
        code_version=code_version(),
        torch_version=torch.__version__,
        device=device.type,
        **CardSettings.of_environment().described(device),
        precision="bf16" if uses_bf16(precision, device) else "fp32",
        metrics={**metrics, "refused_steps": refused.count},
        history=history,
        stages=list(stages),
        processes=distributed.size(),
        images={
            f"{split} {name}": len(images.rows(split, label))
            for split in Split
            for label, name in NAMES[identity["kind"]].items()
        },
        refused=[asdict(step) for step in refused.listed],
    )


def start_of(weights: Path | None) -> str:
    """Return the start of Vnet for the identity of a run: "scratch", or the SHA-256 of its weights."""
    return sha256(weights) if weights else "scratch"


def code_version() -> str:
    """Return a fingerprint of the source files that a training depends on, 16 hexadecimal digits."""
    return source_hash(*SOURCES)[:16]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file. Raises WrongCheckpoint if there is none."""
    if not path.is_file():
        raise WrongCheckpoint(f"There is no file {path}.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_run(folder: Path, provenance: Provenance, weights: nn.Module) -> None:
    """Write the weights, then the description, which marks the run as finished; then delete the resume file."""
    write_weights(folder / WEIGHTS, weights)
    text = json.dumps(serialise.to_dict(provenance), indent=1)
    replace_file(folder / CARD, lambda path: path.write_text(model_card(folder.name, serialise.to_dict(provenance))))
    replace_file(folder / CONFIG, lambda path: path.write_text(text))
    (folder / RESUME).unlink(missing_ok=True)


def write_weights(path: Path, network: nn.Module) -> None:
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    replace_file(path, lambda temporary: save_file(state, temporary))


def write_resume(folder: Path, state: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / RESUME, lambda path: torch.save(state, path))


def read_resume(folder: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state that an interrupted run saved, None if there is none. Raises WrongCheckpoint for another run."""
    if not (folder / RESUME).exists():
        return None
    state: dict[str, Any] = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
    if state["identity"] != identity:
        raise WrongCheckpoint(
            f"The folder {folder.name} holds an unfinished run with other settings, seed or images; "
            "choose another folder, or empty this one."
        )
    return state


def read_provenance(folder: Path) -> Provenance:
    """Return the description of a finished run. Raises WrongCheckpoint if the folder holds none."""
    path = folder / CONFIG
    if not path.exists():
        raise WrongCheckpoint(f"The folder {folder.name} holds no finished run.")
    return serialise.from_dict(Provenance, json.loads(path.read_text()))


def finished(folder: Path, identity: dict[str, Any]) -> Provenance | None:
    """Return the finished run with this identity, None if there is none. Raises WrongCheckpoint for another run."""
    if not (folder / CONFIG).exists():
        return None
    run = read_provenance(folder)
    have = {name: getattr(run, name) for name in identity}
    if have != identity:
        changed = sorted(name for name in identity if have[name] != identity[name])
        raise WrongCheckpoint(f"The folder {folder.name} holds a finished run with another {changed[0]}.")
    return run


def load_classifier(folder: Path, *, preset: str | None = None, kind: Kind = "classifier") -> Classifier:
    """Return the trained classifier (or detector) of a run folder, in evaluation mode on the CPU.

    Raises WrongCheckpoint if the folder holds another kind of run, or another preset than the one given.
    """
    run = _of_kind(folder, kind, preset)
    classifier = build(serialise.from_dict(ClassifierConfig, run.config))
    return _filled(classifier, folder / WEIGHTS)


def load_generator(folder: Path, *, preset: str | None = None, control: bool = False) -> Generator:
    """Return the generator of a run folder, in evaluation mode on the CPU; with `control`, the identity baseline.

    Raises WrongCheckpoint as `load_classifier` does.
    """
    run = _of_kind(folder, "generator", preset)
    generator = Generator(serialise.from_dict(GanConfig, run.config).generator)
    return _filled(generator, folder / (CONTROL if control else WEIGHTS))


def _of_kind(folder: Path, kind: Kind, preset: str | None) -> Provenance:
    run = read_provenance(folder)
    if run.kind != kind:
        raise WrongCheckpoint(f"The folder {folder.name} holds a {run.kind}, not a {kind}.")
    if preset is not None and run.preset != preset:
        raise WrongCheckpoint(f"The {kind} in {folder.name} was trained at preset {run.preset}, not {preset}.")
    return run


def _filled(network: Network, path: Path) -> Network:
    state: dict[str, Tensor] = load_file(path)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise WrongCheckpoint(f"The weights in {path.parent.name} do not fit their own settings: {error}") from error
    return network.eval()
