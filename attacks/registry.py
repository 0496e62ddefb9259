"""Attacks by name: what a job's settings say, checked and completed, and the frozen value made of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from attacks.base import Attack, Pixels
from attacks.constraints.budget import as_share, grey_levels
from attacks.constraints.post_processing import STEPS, PostProcessing
from attacks.generative.gan import GanAttack
from attacks.generative.inpainting import InpaintingAttack
from attacks.gradient import APGD, FAB, FGSM, PGD, BinaryAutoAttack, CarliniWagner, Square
from attacks.gradient.base import Method
from attacks.gradient.full_size import Gradient, GradientAttack, decision
from attacks.gradient.patch import Floats, PatchAttack, PatchSettings, train_texture
from models_ml.data.images import to_tensor
from models_ml.errors import LabError
from models_ml.runs.checkpoint import SOURCES, WEIGHTS, load_classifier, sha256
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.training.inpainting import is_inpainter
from readerstudy import serialise
from readerstudy.imaging.breast_mask import breast_weight
from readerstudy.imaging.image import WHITE
from readerstudy.provenance import source_hash

GRADIENT: dict[str, type[Any]] = {
    "fgsm": FGSM,
    "pgd": PGD,
    "apgd": APGD,
    "autoattack": BinaryAutoAttack,
    "fab": FAB,
    "square": Square,
    "cw": CarliniWagner,
}
PATCH, GAN, INPAINTING = "patch", "gan", "inpainting"
METHODS: tuple[str, ...] = (*GRADIENT, PATCH)  # those that are made from a classifier and settings alone
Size = tuple[int, int]


@dataclass(frozen=True)
class Recipe:
    """An attack on a classifier as a job asks for it, with every default filled in."""

    method: str
    options: Method | PatchSettings
    gradient: Gradient = "full_resolution"
    threshold: float = 0.5
    post_processing: PostProcessing = field(default_factory=PostProcessing)

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "Recipe":
        """From `method` and any of its settings; LabError with a sentence for what is unknown or out of range.

        `settings` may hold further ones as text: "diameter=0.1; position=random".
        """
        rest = {name: value for name, value in asked.items() if value not in (None, "")}  # a form's empty fields
        rest |= dict(_setting(part) for part in str(rest.pop("settings", "")).split(";") if part.strip())
        method = str(rest.pop("method", ""))
        if method not in METHODS:
            raise LabError(f"There is no attack {method!r}; there are: {', '.join(METHODS)}.")
        gradient, threshold = rest.pop("gradient", "full_resolution"), rest.pop("threshold", 0.5)
        if gradient not in get_args(Gradient):
            raise LabError(f"The gradient of an attack is {' or '.join(get_args(Gradient))}, not {gradient!r}.")
        if not isinstance(threshold, float) or not 0 < threshold < 1:
            raise LabError(f"A threshold is a probability between 0 and 1, not {threshold!r}.")
        steps = {step: _flag(step, rest.pop(step, True)) for step in STEPS}
        return cls(method, _options(method, rest), gradient, threshold, PostProcessing(**steps))

    def settings(self) -> dict[str, Any]:
        """Everything as JSON: `Recipe.of({"method": …, **settings})` gives this recipe again."""
        options = serialise.to_dict(self.options)
        if (epsilon := getattr(self.options, "epsilon", None)) is not None:
            options["epsilon_share"] = as_share(epsilon)
        options.pop("parts", None)  # a fact about the class, not a choice
        return {**options, "gradient": self.gradient, "threshold": self.threshold, **asdict(self.post_processing)}

    def on(self, folder: Path, *, label: int, seed: int) -> GradientAttack:
        """The attack on images of one label with the classifier in a run folder."""
        if isinstance(self.options, PatchSettings):
            raise LabError("A patch is trained before it can be laid.")
        classifier = load_classifier(folder).requires_grad_(False).to(choose_device())
        return GradientAttack(
            self.options,
            label,
            classifier,
            sha256(folder / WEIGHTS),
            seed,
            self.gradient,
            self.threshold,
            self.post_processing,
        )


def all_of(attack: Attack, pictures: Sequence[Pixels]) -> list[Pixels]:
    """The twins of pictures of one size: together where the attack can, else one by one."""
    return attack.many(pictures) if isinstance(attack, GradientAttack) else [attack(pixels) for pixels in pictures]


def load_attack(folder: Path, *, post_processing: PostProcessing) -> tuple[str, GanAttack | InpaintingAttack]:
    """The attack of a generator run by what the run is, with its method's name."""
    if is_inpainter(folder):
        return INPAINTING, InpaintingAttack.load(folder, post_processing=post_processing)
    return GAN, GanAttack.load(folder, post_processing=post_processing)


@dataclass(frozen=True)
class Prepared:
    """An attack on a classifier, ready for both labels, with everything that its row says."""

    method: str
    attacks: dict[int, GradientAttack | PatchAttack]
    settings: dict[str, Any]


def prepare(
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    textures: Path,
    training: Callable[[int, Size], NDArray[np.uint16]],
    report: Report,
) -> Prepared:
    """The recipe on the classifier of a run folder, for malignant (1) and other images (0).

    A patch is learnt first, on the `training` images of a label at a size, and kept in the folder `textures`.
    """
    settings = {**recipe.settings(), "weights": sha256(folder / WEIGHTS)}
    attacks: dict[int, GradientAttack | PatchAttack] = {}
    for label in (0, 1):
        if isinstance(recipe.options, PatchSettings):
            file = textures / f"texture-{label}.npy"
            learning = partial(_learn_texture, recipe, folder, training, label, seed=seed, report=report)
            texture = _kept(file, learning)
            settings[f"texture_{label}"] = hashlib.sha256(texture.tobytes()).hexdigest()
            attacks[label] = PatchAttack(recipe.options, texture, seed, recipe.post_processing)
        else:
            attacks[label] = recipe.on(folder, label=label, seed=seed)
    return Prepared(recipe.method, attacks, settings)


def _learn_texture(
    recipe: Recipe,
    folder: Path,
    training: Callable[[int, Size], NDArray[np.uint16]],
    label: int,
    *,
    seed: int,
    report: Report,
) -> Floats:
    assert isinstance(recipe.options, PatchSettings)
    classifier = load_classifier(folder).requires_grad_(False)
    pixels = training(label, (classifier.config.rows, classifier.config.columns))
    return train_texture(
        to_tensor(pixels, torch.device("cpu")),
        np.stack([breast_weight(one) for one in pixels]),
        label,
        decision(classifier, recipe.threshold),
        recipe.options,
        seed=seed,
        white=float(np.median(pixels.max(axis=(1, 2)))) / WHITE,
        report=report,
    )


def _kept(file: Path, learn: Callable[[], Floats]) -> Floats:
    """A texture from its file, or learnt and kept there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".partial.npy")
        np.save(draft, learn())
        draft.replace(file)
    kept: Floats = np.load(file)
    return kept


def defaults() -> dict[str, dict[str, Any]]:
    """The settings of every method with their defaults: what a form shows."""
    return {method: Recipe.of({"method": method}).settings() for method in METHODS}


def version() -> str:
    """Return a fingerprint of the source files that an attack depends on, 16 hexadecimal digits."""
    return source_hash("attacks", *SOURCES)[:16]


def _options(method: str, asked: dict[str, Any]) -> Any:
    kind = GRADIENT.get(method, PatchSettings)
    known = {one.name: one for one in fields(kind) if one.init}
    asked.pop("epsilon_share", None)  # stored beside epsilon for people
    if unknown := sorted(set(asked) - set(known)):
        raise LabError(f"The attack {method} has no setting {', '.join(unknown)}; it has: {', '.join(known)}.")
    if "epsilon" in asked:
        asked["epsilon"] = grey_levels(asked["epsilon"])
    if isinstance(asked.get("position"), list):
        asked["position"] = tuple(asked["position"])
    for name, value in asked.items():
        _require_kind(method, name, known[name].default, value)
    return kind(**asked)


def _require_kind(method: str, name: str, default: Any, value: Any) -> None:
    """A setting is of its default's kind, and a number of steps is not below 1."""
    if name == "position" or default is MISSING:
        return
    whole = isinstance(default, int) and not isinstance(default, bool)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number if isinstance(default, float) else isinstance(value, type(default)) and not (whole and not number)
    if not fits or (whole and value < (0 if name == "jitter" else 1)) or (number and value < 0):
        raise LabError(f"The setting {name} of {method} cannot be {value!r}; its default is {default!r}.")


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE; the value is a number, true, false or a list where it reads as one, else a word."""
    name, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not name:
        raise LabError(f"A setting is written NAME=VALUE, not {text.strip()!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise LabError(f"{name} is true or false, not {value!r}.")
    return value
