"""The inpainter: what it may see and change, how it learns, and that a killed run goes on bit for bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attacks.constraints.post_processing import NO_POST_PROCESSING
from attacks.generative.inpainting import InpaintingAttack
from attacks.registry import load_attack
from models_ml.data.images import to_tensor
from models_ml.errors import WrongCheckpoint
from models_ml.networks.inpainting import Inpainter, InpaintingConfig, random_places, salient_places, soft_disc
from models_ml.runs import checkpoint
from models_ml.runtime.progress import silent
from models_ml.training.classifier import train_classifier
from models_ml.training.inpainting import inpainting_config, is_inpainter, load_inpainter, train_inpainting
from readerstudy.imaging.image import WHITE
from readerstudy.results.progress import Activity
from tests.models_ml import tiny

SMALL = {"radius": 0.15, "surround": 2.0, "channels": (4, 6), "images_per_class": 2, "save_every": 3, "steps": 8}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inpainting") / "target"
    # Without the dense layers, as the demo preset: their norms over so few features leave hardly any slope.
    classifier = replace(tiny.classifier_config(), fnet_dense=())
    train_classifier(tiny.images(), classifier, seed=1, folder=folder, report=silent)
    return folder


def config(target: Path, direction: str = "remove", **changes) -> InpaintingConfig:
    return inpainting_config(checkpoint.load_classifier(target), direction, **(SMALL | changes))


def train(target: Path, folder: Path, *, direction: str = "remove", report=silent, **changes):
    return train_inpainting(
        tiny.images(),
        direction=direction,
        classifier=target,
        seed=2,
        folder=folder,
        report=report,
        config=config(target, direction, **changes),
    )


@pytest.fixture(scope="module")
def trained(target: Path) -> Path:
    train(target, target.parent / "inpainter")
    return target.parent / "inpainter"


@pytest.fixture
def images() -> torch.Tensor:
    return to_tensor(tiny.images().pixels[:4], torch.device("cpu"))


def test_only_the_disc_changes_and_black_stays_black(trained: Path, images: torch.Tensor) -> None:
    network = load_inpainter(trained)
    places = np.array([[16, 12], [0, 23], [31, 4], [10, 6]])
    with torch.no_grad():
        filled = network(images, places)
    radius = network.config.radius * network.config.rows
    y, x = np.mgrid[: tiny.ROWS, : tiny.COLUMNS]
    for before, after, (row, column) in zip(images, filled, places, strict=True):
        far = torch.from_numpy(np.hypot(y + 0.5 - row, x + 0.5 - column) > radius)
        assert torch.equal(after[0][far], before[0][far])
        assert (after != before).any()
    assert (filled[images == 0] == 0).all()


def test_the_fill_does_not_look_at_what_it_replaces(trained: Path, images: torch.Tensor) -> None:
    network = load_inpainter(trained)
    places = np.array([[16, 12]] * 4)
    other = images.clone()
    core = soft_disc(network.config)[0, 0] == 1
    half = network.config.half
    inside = torch.zeros(tiny.ROWS, tiny.COLUMNS, dtype=torch.bool)
    for row, column in torch.nonzero(core).tolist():
        inside[16 - half + row, 12 - half + column] = True
    other[:, :, inside] = 0.9
    with torch.no_grad():
        torch.testing.assert_close(network(images, places)[:, :, inside], network(other, places)[:, :, inside])


def test_an_untrained_inpainter_fills_with_the_level_around(target: Path, images: torch.Tensor) -> None:
    network = Inpainter(config(target))
    around = torch.full((1, 1, 2 * network.config.half, 2 * network.config.half), 0.3)
    around = around + network.disc * 0.4
    torch.testing.assert_close(
        network.fill(around)[network.disc == 1], torch.full_like(around, 0.3)[network.disc == 1], atol=0.07, rtol=0
    )


def test_the_classifier_within_never_trains(target: Path, trained: Path) -> None:
    network = load_inpainter(trained)
    before = checkpoint.load_classifier(target).state_dict()
    assert all(torch.equal(value, before[name]) for name, value in network.classifier.state_dict().items())
    assert not network.train().classifier.training


def test_a_lesion_that_nothing_around_announces_is_learnt(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive pictures have a bright spot in the middle: an untrained inpainter fills it with the level around."""
    spot = np.array([14, 12])
    monkeypatch.setattr(
        "models_ml.training.inpainting.salient_places", lambda target, images, radius: np.tile(spot, (len(images), 1))
    )
    pixels = tiny.images().pixels[tiny.images().rows("test", 1)]

    def error(network: Inpainter) -> float:
        x = to_tensor(pixels, torch.device("cpu"))
        with torch.no_grad():
            filled = network(x, np.tile(spot, (len(x), 1)))
        return (filled - x)[..., 12:16, 10:14].abs().mean().item()

    how = {"direction": "insert", "steps": 60, "guidance": 0.0, "change": 0.0}
    # In training the pictures are flipped at random, and the spot would not stay where it is.
    monkeypatch.setattr("models_ml.training.inpainting.flipped", lambda images, chance: images)
    train(target, tmp_path / "run", **how)
    assert error(load_inpainter(tmp_path / "run")) < 0.6 * error(Inpainter(config(target, "insert")))


def test_the_classifier_s_opinion_is_what_guidance_adds(target: Path, tmp_path: Path) -> None:
    """The same run without it hardly moves the classifier."""

    def reached(name: str, guidance: float) -> float:
        run = train(target, tmp_path / name, steps=40, guidance=guidance, change=0.0, reconstruction=0.1)
        return float(np.mean([entry["guidance"] for entry in run.history[-10:]]))

    assert reached("with", 1.0) < reached("without", 0.0)


def test_a_killed_run_goes_on_to_the_same_weights(target: Path, trained: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, total: int, activity: Activity, values: dict[str, float]) -> None:
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(target, tmp_path / "run", report=kill)
    assert (tmp_path / "run" / checkpoint.RESUME).exists()
    steps: list[int] = []
    train(target, tmp_path / "run", report=lambda done, *_: steps.append(done))
    assert steps == [4, 5, 6, 7, 8]
    assert checkpoint.sha256(tmp_path / "run" / checkpoint.WEIGHTS) == checkpoint.sha256(trained / checkpoint.WEIGHTS)


def test_a_finished_run_is_returned_and_another_refused(target: Path, trained: Path) -> None:
    steps: list[int] = []
    again = train(target, trained, report=lambda done, *_: steps.append(done))
    assert (again.steps, steps) == (8, [])
    with pytest.raises(WrongCheckpoint, match="another"):
        train(target, trained, direction="insert")


def test_its_folder_says_what_it_is(target: Path, trained: Path) -> None:
    run = checkpoint.read_provenance(trained)
    assert (run.kind, run.preset, run.direction) == ("generator", "inpainting", "remove")
    assert run.classifier == checkpoint.sha256(target / checkpoint.WEIGHTS)
    assert is_inpainter(trained)
    assert not is_inpainter(target)
    with pytest.raises(WrongCheckpoint, match="no inpainter"):
        load_inpainter(target)


def test_a_salient_place_is_where_the_score_hangs(images: torch.Tensor) -> None:
    class Corner(torch.nn.Module):
        """Positive by the brightness of one corner."""

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            grey = pictures[:, 0, 4:9, 15:20].mean(dim=(1, 2))
            return torch.stack([-grey, grey], dim=1)

    places = salient_places(Corner(), images, 3)
    assert (np.abs(places - [6, 17]).max(axis=1) <= 2).all()


def test_a_random_place_is_in_the_breast() -> None:
    weight = np.zeros((20, 16), np.float32)
    weight[5:8, 3:6] = 1
    places = random_places(np.stack([weight] * 20), [np.random.default_rng(n) for n in range(20)])
    assert (places >= [5, 3]).all()
    assert (places < [8, 6]).all()
    assert len({tuple(place) for place in places.tolist()}) > 3
    assert random_places(np.zeros((1, 4, 4), np.float32), [np.random.default_rng(0)]).shape == (1, 2)


@pytest.mark.parametrize("direction", ["remove", "insert"])
def test_as_an_attack_it_keeps_the_grain_and_touches_a_disc_only(target: Path, tmp_path: Path, direction: str) -> None:
    train(target, tmp_path / "run", direction=direction, regions=1)
    attack = load_attack(tmp_path / "run", post_processing=NO_POST_PROCESSING)
    assert attack.METHOD == "inpainting"
    assert isinstance(attack, InpaintingAttack)
    assert (attack.direction, attack.preset, attack.seed) == (direction, "inpainting", 2)
    real = np.random.default_rng(3).integers(9_000, 40_000, (tiny.ROWS * 4, tiny.COLUMNS * 4)).astype(np.uint16)
    real[:, :16] = 0
    twin = attack(real)
    changed = twin != real
    assert 0 < changed.mean() < 0.4
    assert not changed[real == 0].any()
    assert np.array_equal(twin, attack(real))
    # Neighbours differ by thousands of levels; the change of logit runs smoothly under them.
    share, altered = real[changed] / WHITE, twin[changed] / WHITE
    logits = [np.log(value / (1 - value)) for value in (share, altered)]
    assert np.std(logits[1] - logits[0]) < np.std(logits[0])


def test_another_seed_puts_the_lesion_elsewhere(target: Path, tmp_path: Path) -> None:
    train(target, tmp_path / "run", direction="insert")
    attack = InpaintingAttack.load(tmp_path / "run")
    real = tiny.images().pixels[2]
    twins = [replace(attack, seed=seed)(real) for seed in range(4)]
    assert len({twin.tobytes() for twin in twins}) > 1
