"""As little of a generator's change as still fools the target classifier."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, label

from attacks.constraints.post_processing import PostProcessing
from attacks.generative.regions import BORDER, RADIUS, next_spot
from attacks.generative.strength import FINEST, THRESHOLD, Goal, LimitedAttack, StrengthSettings
from attacks.generative.texture import BOUNDS, local_contrast, within
from models_ml.errors import LabError
from models_ml.evaluation.predictions import scores
from readerstudy.imaging.geometry import PLAIN, Geometry
from readerstudy.imaging.image import WHITE
from tests.models_ml import tiny

SMALL = (64, 48)
FULL = (256, 192)
LEAST = StrengthSettings(strength="least", regions="fewest")
MATCHED = replace(LEAST, texture="matched")
SPOTS = ((60, 60, 0.35), (140, 120, 0.25), (200, 50, 0.08))  # row, column and height of what is inserted


class Spots(torch.nn.Module):
    """Calls an image positive by its brightest square, `width` pixels wide, at the size SMALL."""

    config = replace(tiny.classifier_config(), rows=SMALL[0], columns=SMALL[1])

    def __init__(self, *, offset: float = 0.42, width: int = 5) -> None:
        super().__init__()
        self.width = width
        self.offset = torch.nn.Parameter(torch.tensor(offset), requires_grad=False)

    def forward(self, images):
        brightest = torch.nn.functional.avg_pool2d(images, self.width, 1).amax(dim=(1, 2, 3))
        return torch.stack([-(brightest - self.offset) * 4 * self.width, torch.zeros_like(brightest)], dim=1)


@dataclass(frozen=True)
class Drawn:
    """A generator that adds `change` (rows, columns) to any image."""

    change: np.ndarray
    post_processing: PostProcessing
    size: tuple[int, int] = SMALL
    pixels_drawn: int = SMALL[0] * SMALL[1]

    def draw(self, pixels, weight):
        return np.clip(pixels + self.change * WHITE, 0, WHITE)

    def __call__(self, pixels, /):
        weight = self.post_processing.weight(pixels)
        return self.post_processing(pixels, self.draw(pixels, weight), weight)


def tissue(seed: int = 1) -> np.ndarray:
    """Grainy tissue of medium grey."""
    grain = np.random.default_rng(seed).normal(0, 900, FULL)
    return (0.25 * WHITE + grain).clip(0, WHITE).astype(np.uint16)


def spots(*, sign: float = 1.0) -> np.ndarray:
    """Three smooth spots of different heights."""
    change = np.zeros(FULL)
    for row, column, height in SPOTS:
        spot = np.zeros(FULL)
        spot[row, column] = 1
        spot = gaussian_filter(spot, 9)
        change += sign * height * spot / spot.max()
    return change


def insertion(limits: StrengthSettings = LEAST, geometry: Geometry = PLAIN, **changes) -> LimitedAttack:
    drawing = Drawn(spots(), PostProcessing(geometry))
    return LimitedAttack(drawing, Spots(**changes), is_removal=False, limits=limits)


def written_score(classifier, image) -> float:
    return float(scores(classifier, PLAIN.resize(image, SMALL)[None])[0])


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.2])
def test_the_written_image_keeps_the_margin_and_hardly_more(margin):
    attack = insertion(replace(LEAST, margin=margin))
    for seed in range(4):
        score = written_score(attack.classifier, attack(tissue(seed)))
        assert THRESHOLD + margin <= score <= THRESHOLD + margin + 0.05


@pytest.mark.parametrize(
    ("strength", "regions", "texture"), list(product(("full", "least"), ("all", "fewest"), ("any", "matched")))
)
def test_no_pixel_changes_by_more_than_the_generator_changes_it(strength, regions, texture):
    attack, real = insertion(StrengthSettings(strength, regions, texture)), tissue()
    limited, full = attack(real).astype(int) - real, attack.drawing(real).astype(int) - real
    assert (np.abs(limited) <= np.abs(full)).all()
    assert (np.sign(limited) * np.sign(full) >= 0).all()


def test_nothing_changes_beyond_the_chosen_region_and_its_border():
    attack, real = insertion(), tissue()
    changed = attack(real) != real
    row, column, _height = SPOTS[0]  # the highest spot is enough
    rows, columns = np.nonzero(changed)
    distance = np.hypot(rows - row, columns - column)
    full = np.hypot(*np.subtract(np.nonzero(attack.drawing(real) != real), [[row], [column]])).max()
    assert changed[row, column]
    assert distance.max() < 9 * 2 + ((RADIUS + BORDER) * SMALL[0] + 2) * FULL[0] / SMALL[0] < full


def test_regions_are_added_until_the_goal_is_reached():
    def count(offset: float) -> int:
        limits = StrengthSettings("full", "fewest")
        change = np.abs(insertion(limits, offset=offset, width=48)(tissue()).astype(int) - tissue())
        _labels, regions = label(gaussian_filter(change.astype(float), 4) > 0.05 * WHITE)
        return int(regions)

    # By the mean of the image: each spot adds to it.
    assert [count(offset) for offset in (0.251, 0.255)] == [1, 2]


def test_the_whole_change_is_applied_if_the_goal_is_out_of_reach():
    attack, real = insertion(offset=0.9), tissue()
    np.testing.assert_array_equal(attack(real), attack.drawing(real))


def busy() -> np.ndarray:
    """Tissue that is smooth at the top, where the highest spot is inserted, and busy below."""
    coarse = gaussian_filter(np.random.default_rng(3).normal(0, 1, FULL), 4)
    growing = np.linspace(0.2, 1, FULL[0])[:, None] * coarse / coarse.std()
    return ((0.25 + 0.05 * growing) * WHITE).clip(0, WHITE).astype(np.uint16)


def by_the_mean(limits: StrengthSettings, real: np.ndarray) -> LimitedAttack:
    """Return an insertion that hardly any change brings across the threshold, wherever it is."""
    return insertion(replace(limits, margin=0.01), offset=real.mean() / WHITE + 0.002, width=SMALL[1])


def test_what_is_inserted_stays_within_the_contrast_around_it():
    real = busy()
    contrast = local_contrast(real.astype(np.float32) / WHITE, pixel=FULL[0] / SMALL[0])
    excess = {}
    for limits in (LEAST, MATCHED):
        attack = by_the_mean(limits, real)
        adversarial = attack(real)
        assert written_score(attack.classifier, real) < 0.5 < 0.51 <= written_score(attack.classifier, adversarial)
        excess[limits] = (np.abs(adversarial.astype(float) - real) / WHITE / contrast).max()
    assert excess[MATCHED] < BOUNDS[0] < max(BOUNDS) < excess[LEAST]


def test_a_goal_that_no_texture_allows_is_reached_without_it():
    real = tissue()  # grain, and no texture
    matched, free = insertion(MATCHED)(real), insertion(LEAST)(real)
    np.testing.assert_array_equal(matched, free)
    assert (matched != real).any()


def test_a_texture_that_fails_on_the_written_file_is_given_up(monkeypatch):
    real = busy()
    attack, written, most = by_the_mean(MATCHED, real), LimitedAttack._score_written, 0.034 * WHITE
    refused = []

    def score_written(self, adversarial):
        if np.abs(adversarial.astype(float) - real).max() < most:
            refused.append(adversarial)
            return 0.0
        return written(self, adversarial)

    monkeypatch.setattr(LimitedAttack, "_score_written", score_written)
    adversarial = attack(real)
    assert len(refused) > 2
    assert written_score(attack.classifier, adversarial) >= 0.51
    assert (
        most <= np.abs(adversarial.astype(float) - real).max() < np.abs(attack.drawing(real) - real.astype(float)).max()
    )


def test_a_removal_takes_away_texture_and_matches_none():
    real = (tissue() + spots() * WHITE).clip(0, WHITE).astype(np.uint16)
    drawing = Drawn(spots(sign=-1.0), PostProcessing(PLAIN))
    least, matched = (LimitedAttack(drawing, Spots(), is_removal=True, limits=each)(real) for each in (LEAST, MATCHED))
    np.testing.assert_array_equal(least, matched)


def test_a_bounded_change_is_smaller_of_the_same_sign_and_exact_where_it_is_small():
    rng = np.random.default_rng(1)
    change = rng.normal(0, 0.1, (40, 30)).astype(np.float32)
    contrast = rng.uniform(0, 0.2, (40, 30)).astype(np.float32)
    bounded = within(change, contrast, 0.5)
    assert (np.abs(bounded) <= np.minimum(np.abs(change), 0.5 * contrast + 2e-6)).all()
    assert (np.sign(bounded) * np.sign(change) >= 0).all()
    small = np.abs(change) < 0.05 * contrast
    assert small.sum() > 20
    np.testing.assert_allclose(bounded[small], change[small], rtol=0.01)


def test_contrast_is_that_of_the_texture_and_not_of_grain_or_shading():
    rows, columns = np.mgrid[:128, :128].astype(np.float32)
    shading = rows / 128
    wave = 0.1 * np.sin(2 * np.pi * columns / 12)  # a period of three of the generator's pixels
    grain = np.random.default_rng(2).normal(0, 0.1, (128, 128))
    inside = np.s_[48:80, 48:80]

    def contrast(image):
        return float(local_contrast(image.astype(np.float32), pixel=4)[inside].mean())

    amplitude = float(0.1 / np.sqrt(2))
    assert 0.4 * amplitude < contrast(wave) < amplitude
    assert contrast(shading) < 0.02 * amplitude
    assert contrast(grain) == pytest.approx(0.1 / 4, rel=0.1)  # what a mean over 4 × 4 pixels leaves of white noise
    assert contrast(wave + shading) == pytest.approx(contrast(wave), rel=0.02)


def test_a_removal_lowers_the_score_below_the_margin():
    real = (tissue() + spots() * WHITE).clip(0, WHITE).astype(np.uint16)
    drawing = Drawn(spots(sign=-1.0), PostProcessing(PLAIN))
    attack = LimitedAttack(drawing, Spots(), is_removal=True, limits=LEAST)
    before, after = written_score(attack.classifier, real), written_score(attack.classifier, attack(real))
    assert before > 0.75
    assert 0.4 <= after <= 0.45


def test_an_image_that_is_wrong_already_is_changed_too():
    attack, real = insertion(offset=0.24), tissue()
    before, after = written_score(attack.classifier, real), written_score(attack.classifier, attack(real))
    assert before > THRESHOLD
    assert after > before + 0.04
    assert 0 < np.abs(attack(real).astype(int) - real).max() < np.abs(attack.drawing(real).astype(int) - real).max()


def test_more_margin_takes_more_of_the_change():
    changes = [
        np.abs(insertion(replace(LEAST, margin=margin))(tissue()).astype(int) - tissue()).max()
        for margin in (0.0, 0.1, 0.3)
    ]
    assert changes == sorted(changes)
    assert changes[0] < 0.8 * changes[-1]


def test_the_same_image_gives_the_same_file_alone_or_in_a_batch():
    attack, images = insertion(), [tissue(seed) for seed in range(3)]
    for alone, together in zip(map(attack, images), attack.attack_batch(images), strict=True):
        np.testing.assert_array_equal(alone, together)


def test_the_grain_of_the_image_is_carried_over():
    real = tissue()

    def flatten(pixels, weight):
        # As a logit does near white: it brightens, and takes half of the grain away.
        return pixels + spots() * WHITE - 0.5 * (spots() > 0.02) * (pixels - gaussian_filter(pixels.astype(float), 4))

    class Flattening(Drawn):
        draw = staticmethod(flatten)

    def grain(image) -> float:
        return float((image - gaussian_filter(image.astype(float), 1))[45:75, 45:75].std())

    drawing = Flattening(spots(), PostProcessing(PLAIN))
    limited = LimitedAttack(drawing, Spots(), is_removal=False, limits=LEAST)(real)
    assert grain(drawing(real)) < 0.7 * grain(real)
    assert grain(limited) == pytest.approx(grain(real), rel=0.05)


def test_only_the_region_of_the_modality_changes():
    weight = np.zeros(FULL, dtype=np.float32)
    weight[:, 30:] = 1
    geometry = replace(PLAIN, region=lambda values: weight)
    changed = insertion(geometry=geometry)(tissue()) != tissue()
    assert changed.any()
    assert not changed[:, :30].any()


def test_a_spot_is_one_inside_and_exactly_zero_beyond_its_border():
    effect, none = np.zeros((128, 108), dtype=np.float32), np.zeros((128, 108), dtype=np.float32)
    effect[22, 32], effect[80, 70] = 2, 1
    first = next_spot(effect, none)
    distance = np.hypot(*np.subtract(np.indices(effect.shape), [[[22]], [[32]]])) / 128
    assert (first[distance <= RADIUS] == 1).all()
    assert (first[distance >= RADIUS + BORDER] == 0).all()
    # Neighbouring pixels differ by a fraction: no edge is seen where the change ends.
    assert np.abs(np.diff(first, axis=0)).max() <= np.pi / 2 / (BORDER * 128) + 1e-6
    assert next_spot(effect, first)[80, 70] == 1  # what is taken already does not count


def test_without_effect_there_is_no_spot():
    against = np.full((64, 48), -1, dtype=np.float32)
    assert next_spot(against, np.zeros_like(against)) is None


@pytest.mark.parametrize("is_removal", [True, False])
def test_the_goal_lies_across_the_threshold(is_removal):
    for score in (0.01, 0.3, 0.5, 0.7, 0.99):
        goal = Goal.beyond(score, is_removal=is_removal, margin=0.05)
        assert goal.bound <= min(0.45, score) if is_removal else goal.bound >= max(0.55, score)
        assert goal.is_reached(goal.bound)
        assert not goal.is_reached(score)


def test_unknown_settings_and_margins_are_refused():
    for wrong in ({"strength": "half"}, {"regions": "some"}, {"margin": 0.5}, {"margin": -0.1}):
        with pytest.raises(LabError):
            StrengthSettings.from_settings(wrong)


def test_the_whole_change_has_no_settings_of_its_own():
    assert StrengthSettings().settings() == {}
    assert StrengthSettings.from_settings({"suffix": "-x"}).is_whole
    assert LEAST.settings() == {"strength": "least", "regions": "fewest", "margin": 0.05}
    assert MATCHED.settings() == {**LEAST.settings(), "texture": "matched"}
    assert not StrengthSettings(texture="matched").is_whole
    assert FINEST == 1 / 64
