"""Attacks by name: settings of a job, checked and completed, and the attacks built from them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from attacks.base import ImageAttack
from attacks.constraints.budget import format_budget, parse_budget
from attacks.constraints.post_processing import STEPS, PostProcessing
from attacks.generative.gan import GanAttack
from attacks.generative.inpainting import InpaintingAttack
from attacks.generative.strength import LimitedAttack
from attacks.gradient import APGD, FAB, FGSM, PGD, BinaryAutoAttack, CarliniWagner, Square
from attacks.gradient.base import GradientMethod
from attacks.gradient.full_size import Gradient, GradientAttack, logits_at_threshold
from attacks.gradient.patch import Floats, PatchAttack, PatchSettings, train_texture
from models_ml.data.images import to_tensor
from models_ml.errors import LabError
from models_ml.runs.checkpoint import SOURCES, WEIGHTS, load_classifier, sha256
from models_ml.runtime.device import choose_device
from models_ml.runtime.progress import Report
from models_ml.training.inpainting import is_inpainter
from readerstudy import serialise
from readerstudy.imaging.geometry import PLAIN, Geometry
from readerstudy.imaging.image import WHITE, Grey16, Size
from readerstudy.provenance import source_hash

GRADIENT_METHODS: dict[str, type[Any]] = {
    "fgsm": FGSM,
    "pgd": PGD,
    "apgd": APGD,
    "autoattack": BinaryAutoAttack,
    "fab": FAB,
    "square": Square,
    "cw": CarliniWagner,
}
PATCH = "patch"
METHODS: tuple[str, ...] = (*GRADIENT_METHODS, PATCH)  # those that need a classifier and settings only
TrainingImages = Callable[[int, Size], NDArray[np.uint16]]  # label and size to images (N, rows, columns)


@dataclass(frozen=True)
class Recipe:
    """The settings of an attack on a classifier, with every default filled in."""

    method: str
    options: GradientMethod | PatchSettings
    gradient: Gradient = "full_resolution"
    threshold: float = 0.5
    post_processing: PostProcessing = field(kw_only=True)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], geometry: Geometry = PLAIN) -> "Recipe":
        """Return the recipe of `method` and any of its settings, for images of this geometry.

        `settings` may hold further ones as text: "diameter=0.1; position=random". Raises LabError if a setting is
        unknown or out of range.
        """
        rest = {name: value for name, value in settings.items() if value not in (None, "")}  # a form's empty fields
        rest |= dict(_parse_setting(part) for part in str(rest.pop("settings", "")).split(";") if part.strip())
        method = str(rest.pop("method", ""))
        if method not in METHODS:
            raise LabError(f"There is no attack {method!r}; there are: {', '.join(METHODS)}.")
        gradient, threshold = rest.pop("gradient", "full_resolution"), rest.pop("threshold", 0.5)
        if gradient not in get_args(Gradient):
            raise LabError(f"The gradient of an attack is {' or '.join(get_args(Gradient))}, not {gradient!r}.")
        if not isinstance(threshold, float) or not 0 < threshold < 1:
            raise LabError(f"A threshold is a probability between 0 and 1, not {threshold!r}.")
        steps = {step: _require_flag(step, rest.pop(step, True)) for step in STEPS}
        return cls(
            method, _options(method, rest), gradient, threshold, post_processing=PostProcessing(geometry, **steps)
        )

    def settings(self) -> dict[str, Any]:
        """Return all settings as JSON; `Recipe.from_settings({"method": …, **settings})` returns this recipe again."""
        options = serialise.to_dict(self.options)
        if (epsilon := getattr(self.options, "epsilon", None)) is not None:
            options["epsilon_share"] = format_budget(epsilon)
        options.pop("parts", None)  # a fact about the class, not a choice
        return {**options, "gradient": self.gradient, "threshold": self.threshold, **self.post_processing.settings()}


@dataclass(frozen=True)
class PreparedAttack:
    """An attack on a classifier for both labels, with the settings that are stored."""

    method: str
    by_label: dict[int, GradientAttack | PatchAttack]
    settings: dict[str, Any]


def prepare(
    recipe: Recipe, folder: Path, *, seed: int, textures: Path, training: TrainingImages, report: Report
) -> PreparedAttack:
    """Return the recipe's attack on the classifier of a run folder, for positive (1) and other images (0).

    A patch is trained first, on the `training` images of a label, and stored in the folder `textures`.
    """
    settings = {**recipe.settings(), "weights": sha256(folder / WEIGHTS)}
    if not isinstance(recipe.options, PatchSettings):
        options = recipe.options
        return PreparedAttack(
            recipe.method,
            {label: _gradient_attack(recipe, options, folder, label=label, seed=seed) for label in (0, 1)},
            settings,
        )
    by_label: dict[int, GradientAttack | PatchAttack] = {}
    for label in (0, 1):
        file = textures / f"texture-{label}.npy"
        if not file.exists():
            texture = _train_texture(recipe, recipe.options, folder, training, label, seed=seed, report=report)
            _write_texture(file, texture)
        texture = np.load(file)
        settings[f"texture_{label}"] = hashlib.sha256(texture.tobytes()).hexdigest()
        by_label[label] = PatchAttack(recipe.options, texture, seed, recipe.post_processing)
    return PreparedAttack(recipe.method, by_label, settings)


def load_attack(folder: Path, *, post_processing: PostProcessing) -> GanAttack | InpaintingAttack:
    """Return the attack of a generator's run folder, by the kind of its network."""
    if is_inpainter(folder):
        return InpaintingAttack.load(folder, post_processing=post_processing)
    return GanAttack.load(folder, post_processing=post_processing)


def attack_images(attack: ImageAttack, images: Sequence[Grey16]) -> list[Grey16]:
    """Return the adversarial images of images of one size, in one batch if the attack can."""
    if isinstance(attack, GradientAttack | LimitedAttack):
        return attack.attack_batch(images)
    return [attack(pixels) for pixels in images]


def default_settings() -> dict[str, dict[str, Any]]:
    """Return the settings of each method with their defaults."""
    return {method: Recipe.from_settings({"method": method}).settings() for method in METHODS}


def version() -> str:
    """Return a fingerprint of the source files that an attack depends on, 16 hexadecimal digits."""
    return source_hash("attacks", *SOURCES)[:16]


def _gradient_attack(recipe: Recipe, method: GradientMethod, folder: Path, *, label: int, seed: int) -> GradientAttack:
    """Return the attack on images of one label with the classifier in a run folder."""
    classifier = load_classifier(folder).requires_grad_(False).to(choose_device())
    return GradientAttack(
        method=method,
        label=label,
        classifier=classifier,
        weights=sha256(folder / WEIGHTS),
        seed=seed,
        gradient=recipe.gradient,
        threshold=recipe.threshold,
        post_processing=recipe.post_processing,
    )


def _train_texture(
    recipe: Recipe,
    settings: PatchSettings,
    folder: Path,
    training: TrainingImages,
    label: int,
    *,
    seed: int,
    report: Report,
) -> Floats:
    """Return a patch's texture, (k, k) in 0…1, trained on images of one label."""
    classifier = load_classifier(folder).requires_grad_(False)
    images = training(label, (classifier.config.rows, classifier.config.columns))
    return train_texture(
        to_tensor(images, torch.device("cpu")),
        np.stack([recipe.post_processing.geometry.region(pixels) for pixels in images]),
        label,
        logits_at_threshold(classifier, recipe.threshold),
        settings,
        seed=seed,
        white=float(np.median(images.max(axis=(1, 2)))) / WHITE,
        report=report,
    )


def _write_texture(file: Path, texture: Floats) -> None:
    """Write the file in one step, so that an interrupted job does not leave a part of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{uuid4().hex}.partial.npy")
    np.save(draft, texture)
    draft.replace(file)


def _options(method: str, settings: dict[str, Any]) -> Any:
    options_class = GRADIENT_METHODS.get(method, PatchSettings)
    known = {option.name: option for option in fields(options_class) if option.init}
    settings.pop("epsilon_share", None)  # stored beside epsilon for people
    if unknown := sorted(set(settings) - set(known)):
        raise LabError(f"The attack {method} has no setting {', '.join(unknown)}; it has: {', '.join(known)}.")
    if "epsilon" in settings:
        settings["epsilon"] = parse_budget(settings["epsilon"])
    if isinstance(settings.get("position"), list):
        settings["position"] = tuple(settings["position"])
    for name, value in settings.items():
        _require_type(method, name, known[name].default, value)
    return options_class(**settings)


def _require_type(method: str, name: str, default: Any, value: Any) -> None:
    """Raise LabError unless a value has the type of the default, and is at least 1 if it is a count."""
    if name == "position" or default is MISSING:
        return
    is_count = isinstance(default, int) and not isinstance(default, bool)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = (
        is_number
        if isinstance(default, float)
        else isinstance(value, type(default)) and not (is_count and not is_number)
    )
    if not fits or (is_count and value < (0 if name == "jitter" else 1)) or (is_number and value < 0):
        raise LabError(f"The setting {name} of {method} cannot be {value!r}; its default is {default!r}.")


def _parse_setting(text: str) -> tuple[str, Any]:
    """Return name and value of "NAME=VALUE"; a value that is not JSON is text."""
    name, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not name:
        raise LabError(f"A setting is written NAME=VALUE, not {text.strip()!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _require_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise LabError(f"{name} is true or false, not {value!r}.")
    return value
