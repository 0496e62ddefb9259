"""make bench PART=phantoms: how hard the phantom mammograms of the demo are, and how long they take to draw.

Each seed is a cohort of the demo's size and split with a classifier of its own. The network must find what brightness
and blobs do not tell: its area is printed beside those of the brightest pixel and of a logistic regression on twenty
hand-made features. All areas are on the test images; what is learnt is learnt on the training images.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count
from pathlib import Path
from time import perf_counter

import numpy as np

from models_ml.data.images import ImageSet
from models_ml.evaluation.predictions import scores
from models_ml.presets import find_preset
from models_ml.runs.checkpoint import load_classifier
from models_ml.training.classifier import train_classifier
from readerstudy.cohort.splits import split_patients
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.modalities.mammography.phantom import PhantomView, render, sample_cohort
from readerstudy.statistics.roc import auc
from readerstudy.vocabulary import Pathology, Split
from tests.bench.hand_made_features import FEATURES, hand_made_features, logistic_scores
from tests.bench.output import write

Row = tuple[str, float, str]
SEEDS = (1, 2, 3)
PRESET = find_preset(MAMMOGRAPHY.demo.preset)


def main() -> None:
    write("phantoms", [row for seed in SEEDS for row in rows(seed)])


def rows(seed: int) -> Iterator[Row]:
    """Measure one cohort."""
    views = sample_cohort(MAMMOGRAPHY.demo.patients, seed=seed)
    began = perf_counter()
    with ProcessPoolExecutor(cpu_count()) as pool:
        pixels = np.stack(list(pool.map(drawn, views, chunksize=8)))
    yield f"seed {seed}: drawing {len(views)} images", perf_counter() - began, f"s, {cpu_count()} processes"
    images = as_image_set(views, pixels, seed)
    for name, value in trivial_areas(images).items():
        yield f"seed {seed}: {name}", value, "AUC"
    began = perf_counter()
    network = network_scores(images, seed)
    test = images.rows(Split.TEST)
    yield f"seed {seed}: training the classifier", perf_counter() - began, "s"
    yield f"seed {seed}: network", auc(network[test], images.labels[test]), "AUC"
    for kind in ("mass", "calc"):
        chosen = [i for i in test if images.labels[i] == 0 or views[i].lesion.kind == kind]
        yield f"seed {seed}: network, {kind} and all without cancer", auc(network[chosen], images.labels[chosen]), "AUC"


def drawn(view: PhantomView) -> np.ndarray:
    """Return the view at the demo's layout, resized for the network."""
    values = render(view, MAMMOGRAPHY.layouts[MAMMOGRAPHY.demo.layout].size).values
    return MAMMOGRAPHY.geometry.resize(values, (PRESET.classifier.rows, PRESET.classifier.columns))


def as_image_set(views: list[PhantomView], pixels: np.ndarray, seed: int) -> ImageSet:
    pathologies = {f"phantom-{view.patient}": view.pathology for view in views}
    train, tuning, test = (float(percent) / 100 for percent in MAMMOGRAPHY.demo.split.split("/"))
    splits = split_patients(
        pathologies,
        fractions=(train, tuning, test),
        seed=seed,
        streams={pathology: pathology.value for pathology in Pathology},
    )
    patients = [f"phantom-{view.patient}" for view in views]
    return ImageSet(
        pixels=pixels,
        labels=np.array([int(view.pathology == Pathology.POSITIVE) for view in views]),
        patients=np.array(patients),
        splits=np.array([splits[patient] for patient in patients]),
        keys=np.array([f"{view.patient} {view.laterality} {view.view_position}" for view in views]),
    )


def trivial_areas(images: ImageSet) -> dict[str, float]:
    """Return the areas of single features and of all of them together on the test images."""
    features = np.stack([hand_made_features(image) for image in images.pixels])
    training, test = images.rows(Split.TRAIN), images.rows(Split.TEST)
    labels = images.labels
    single = {}
    for number, name in enumerate(FEATURES):
        sign = 1 if auc(features[training, number], labels[training]) >= 0.5 else -1
        single[name] = auc(sign * features[test, number], labels[test])
    together = logistic_scores(features[training], labels[training], features[test])
    best = max(single, key=single.__getitem__)
    return {
        "brightest pixel": single["brightest pixel"],
        f"best single feature ({best})": single[best],
        "logistic regression on twenty features": auc(together, labels[test]),
    }


def network_scores(images: ImageSet, seed: int) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        result = train_classifier(
            images, PRESET.classifier, seed=seed, folder=Path(folder) / "run", report=lambda *_: None
        )
        return scores(load_classifier(result.folder), images.pixels)


if __name__ == "__main__":
    main()
