"""Evaluation of several attacks on several classifiers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from attacks.evaluation.evaluate import EvaluationSettings, evaluate
from attacks.evaluation.measure import (
    AdversarialFile,
    AttackImages,
    SourceImage,
    TargetClassifier,
    score_all,
)
from attacks.evaluation.pairing import AttackKind, pair_directions
from models_ml.errors import LabError
from models_ml.evaluation.attack_table import decide
from models_ml.evaluation.predictions import scores, youden_threshold
from models_ml.evaluation.trivial_controls import FileHeader
from models_ml.runtime.progress import silent
from readerstudy.imaging.png16 import encode_png
from readerstudy.modalities.mammography.geometry import GEOMETRY
from readerstudy.results.evaluation import ControlName, Recalibrated, ThresholdRule, Variant, read_evaluation
from readerstudy.serialise import to_dict
from readerstudy.statistics import delong
from readerstudy.statistics.roc import auc
from readerstudy.vocabulary import Direction, Split
from tests.models_ml import tiny

SIZE = (32, 24)
QUICK = EvaluationSettings(replicates=40)


class Brightness(torch.nn.Module):
    """Calls pictures positive that are bright at the top (or, the other one, at the bottom)."""

    def __init__(self, rows: slice, size=SIZE) -> None:
        super().__init__()
        self.rows = rows
        self.config = replace(tiny.classifier_config(), rows=size[0], columns=size[1])

    def forward(self, images):
        grey = 12 * (images[:, 0, self.rows].mean(dim=(1, 2)) - 0.3)
        return torch.stack([-grey, grey], dim=1)


CLASSIFIERS = (
    TargetClassifier("top", Brightness(slice(0, 16))),
    TargetClassifier("bottom", Brightness(slice(16, 32))),
)


class SmallCohort:
    """80 images of 40 patients in a folder; adversarial images of "lift" are brighter or darker at the top."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(4)
        images = tiny.images(40)
        self.files: dict[Path, np.ndarray] = {}
        self.sources, self.lifted = [], {}
        for index, label in enumerate(images.labels.tolist()):
            pixels = rng.integers(12_000, 24_000, SIZE) + 6_000 * label
            # Top and bottom vary independently, so that the two classifiers err on different images.
            pixels[:16] += rng.integers(-4_000, 4_000)
            pixels[16:] += rng.integers(-4_000, 4_000)
            lifted = pixels.copy()
            lifted[:16] += 9_000 if not label else -9_000
            real, adversarial = folder / f"real-{index}.png", folder / f"adversarial-{index}.png"
            self.files |= {real: pixels.astype(np.uint16), adversarial: lifted.astype(np.uint16)}
            groups = {"view": "CC" if index % 2 else "MLO"}
            patient, split = str(images.patients[index]), str(images.splits[index])
            header = FileHeader(2294, 1914 if label else 1915, 12)  # the width alone separates the classes
            self.sources.append(SourceImage(index, index, real, label, patient, split, header, groups))
            self.lifted[index] = AdversarialFile(100 + index, adversarial)
        for path, values in self.files.items():
            path.write_bytes(encode_png(values))

    def score(self, attacks, classifiers=CLASSIFIERS, report=silent):
        return score_all(classifiers, self.sources, attacks, report, geometry=GEOMETRY)

    def of_split(self, split):
        return [image for image in self.sources if image.split == split]

    @property
    def lift(self) -> AttackImages:
        """An attack whose identity generators copy, whose sham changes a level, and that brightens if unprocessed."""
        copies = dict.fromkeys((0, 1), lambda pixels: pixels)
        shams = dict.fromkeys((0, 1), lambda pixels: pixels + np.uint16(1))
        drawn = dict.fromkeys((0, 1), lambda pixels: pixels + np.uint16(2_000))
        beside = {"identity": copies, "sham": shams, "unprocessed": drawn}
        return AttackImages("lift", ("lift-in", "lift-out"), self.lifted, against="top", **beside)

    @property
    def removal(self) -> AttackImages:
        """An attack on positive images."""
        positive = {image.image for image in self.sources if image.label}
        files = {
            image: AdversarialFile(200 + image, file.path) for image, file in self.lifted.items() if image in positive
        }
        return AttackImages("removal", ("pgd-out",), files, against="bottom", labels=(1,))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return SmallCohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def lift(cohort):
    return cohort.lift


@pytest.fixture(scope="module")
def removal(cohort):
    return cohort.removal


@pytest.fixture(scope="module")
def scored(cohort, lift, removal):
    return cohort.score([lift, removal])


def test_attacks_with_the_same_baselines_draw_them_once(cohort, lift, scored):
    drawn = []

    def sham(pixels):
        drawn.append(pixels)
        return lift.sham[0](pixels)

    beside = {"identity": lift.identity, "sham": dict.fromkeys((0, 1), sham)}
    attacks = [AttackImages(name, lift.runs, lift.files, **beside) for name in ("whole", "least")]
    own = cohort.score(attacks)
    assert len(drawn) == len(cohort.of_split("test"))
    for one, before in zip(own, scored, strict=True):
        for name in ("whole", "least"):
            np.testing.assert_array_equal(one.attacks[name].sham, before.attacks["lift"].sham)
            np.testing.assert_array_equal(one.attacks[name].identity, before.attacks["lift"].identity)
            for variant in (Variant.SHAM, Variant.IDENTITY):
                assert one.attacks[name].changed[variant] == before.attacks["lift"].changed[variant]


def test_each_held_out_image_is_scored_from_its_file(cohort, scored):
    for target, own in zip(CLASSIFIERS, scored, strict=True):
        assert own.classifier == target.name
        for image, value in zip(cohort.of_split("test"), own.test_scores, strict=True):
            alone = scores(target.classifier, cohort.files[image.path][None])[0]
            assert value == pytest.approx(alone, abs=1e-6)
        assert [image.image for image in own.tuning] == [image.image for image in cohort.of_split("tuning")]
        paths = [cohort.lifted[image.image].path for image in own.test]
        lifted = [float(scores(target.classifier, cohort.files[path][None])[0]) for path in paths]
        np.testing.assert_allclose(own.attacks["lift"].adversarial, lifted, atol=1e-6)
        # The images of a generator that copies score as the real ones do.
        np.testing.assert_allclose(own.attacks["lift"].identity, own.test_scores, atol=1e-6)
        np.testing.assert_allclose(own.attacks["lift"].sham, own.test_scores, atol=1e-3)
        assert (own.attacks["lift"].sham > own.test_scores).all()
        drawn = [
            float(scores(target.classifier, cohort.files[image.path][None] + np.uint16(2_000))[0]) for image in own.test
        ]
        np.testing.assert_allclose(own.attacks["lift"].unprocessed, drawn, atol=1e-6)


def test_stored_scores_are_of_real_and_adversarial_stimuli(cohort, scored):
    held_out = [image for image in cohort.sources if image.split != "train"]
    expected = {image.stimulus for image in held_out} | {100 + image.image for image in held_out}
    expected |= {200 + image.image for image in held_out if image.label}
    assert set(scored[0].by_stimulus) == expected


def test_each_classifier_gets_images_of_its_size(cohort, lift):
    small = TargetClassifier("small", Brightness(slice(0, 8), size=(16, 12)))
    wide, narrow = cohort.score([lift], classifiers=[CLASSIFIERS[0], small])
    resized = GEOMETRY.resize(cohort.files[cohort.of_split("test")[0].path], (16, 12))
    assert narrow.test_scores[0] == pytest.approx(scores(small.classifier, resized[None])[0], abs=1e-6)
    assert wide.size == SIZE
    assert narrow.size == (16, 12)


def test_an_evaluation_needs_classifiers_and_attacks(cohort, lift):
    for attacks, classifiers in (([], CLASSIFIERS), ([lift], ())):
        with pytest.raises(LabError, match="a classifier and an attack"):
            cohort.score(attacks, classifiers=classifiers)


def test_progress_ends_at_the_last_image(cohort, lift):
    reports = []
    cohort.score([lift], report=lambda *values: reports.append(values[:2]))
    held_out = len(cohort.of_split("tuning")) + len(cohort.of_split("test"))
    assert reports[-1] == (held_out, held_out)


def test_thresholds_come_from_the_classifiers_tuning_scores(lift, scored):
    for result, raw in zip(evaluate("low", scored, [lift], QUICK), scored, strict=True):
        assert result.thresholds[ThresholdRule.YOUDEN] == youden_threshold(raw.tuning_scores, raw.tuning_labels)
        called = raw.tuning_scores[raw.tuning_labels == 1] > result.thresholds[ThresholdRule.SENSITIVITY]
        assert called.mean() >= 0.9
        rules = [decisions.rule for decisions in result.attacks[0].table.decisions]
        assert rules == [ThresholdRule.ARTICLE, ThresholdRule.YOUDEN, ThresholdRule.SENSITIVITY]


def test_an_attack_on_one_class_is_evaluated_on_that_class(cohort, scored, lift, removal):
    whole, part = evaluate("low", scored, [lift, removal], QUICK)[0].attacks
    positive = sum(image.label for image in cohort.of_split("test"))
    assert (whole.table.images, part.table.images) == (len(cohort.of_split("test")), positive)
    assert part.untouched == len(cohort.of_split("test")) - positive
    assert part.identity is None
    assert part.sham is None
    assert part.unprocessed is None
    assert part.table.auc_flipped is None
    assert part.roc is None
    assert whole.identity.at(ThresholdRule.YOUDEN).fooled.hits == 0  # a copy fools nobody


def test_transfers_use_each_classifiers_own_threshold(scored, lift, removal):
    transfers = evaluate("low", scored, [lift, removal], QUICK)[0].transfers
    by_key = {(one.attack, one.variant, one.classifier): one for one in transfers}
    attacks = (*(("lift", variant) for variant in Variant), ("removal", Variant.ADVERSARIAL))
    assert set(by_key) == {(*attack, name) for attack in attacks for name in ("top", "bottom")}
    own = {(attack, name) for (attack, _variant, name), transfer in by_key.items() if transfer.is_target}
    assert own == {("lift", "top"), ("removal", "bottom")}
    bottom = scored[1]
    threshold = youden_threshold(bottom.tuning_scores, bottom.tuning_labels)
    by_hand = decide(
        bottom.test_scores,
        bottom.attacks["lift"].adversarial,
        bottom.labels,
        bottom.patients,
        rule=ThresholdRule.YOUDEN,
        threshold=threshold,
    )
    assert by_key["lift", Variant.ADVERSARIAL, "bottom"].fooled == by_hand.fooled
    # A change at the top moves the classifier of the top alone.
    assert by_key["lift", Variant.ADVERSARIAL, "top"].fooled.share > 0.5
    assert by_key["lift", Variant.ADVERSARIAL, "bottom"].fooled.share == 0


def test_a_baseline_without_any_change_is_not_applicable(cohort, scored, lift):
    result = evaluate("low", scored, [lift], QUICK)[0]
    (attack,), images = result.attacks, len(cohort.of_split("test"))
    assert (attack.table.changed, attack.identity.changed, attack.sham.changed) == (images, 0, images)
    assert [table.is_applicable for table in (attack.table, attack.identity, attack.sham)] == [True, False, True]
    assert attack.sham.at(ThresholdRule.YOUDEN).fooled.hits == 0
    applicable = {(one.variant, one.is_applicable) for one in result.transfers}
    assert applicable == {(variant, variant is not Variant.IDENTITY) for variant in Variant}
    assert attack.unprocessed.changed == images


def test_classifiers_are_compared_with_the_first(scored, lift):
    first, second = evaluate("low", scored, [lift], QUICK)
    assert first.compared is None
    assert (first.reference, second.reference) == ("top", "top")
    a, b = scored[1], scored[0]
    straight = delong.paired(a.labels, a.test_scores, b.test_scores, cluster=a.patients)
    assert second.compared.real.difference == pytest.approx(straight.difference)
    assert second.compared.attacks["lift"].difference == pytest.approx(
        auc(a.attacks["lift"].adversarial, 1 - a.labels) - auc(b.attacks["lift"].adversarial, 1 - b.labels)
    )


def test_the_size_of_the_change_is_that_of_the_files(cohort, scored, lift):
    (result, *_others) = evaluate("low", scored, [lift], QUICK)
    removed, inserted = result.attacks[0].changes
    assert (removed.direction, inserted.direction) == (Direction.REMOVE, Direction.INSERT)
    of_test = cohort.of_split("test")
    assert removed.images + inserted.images == len(of_test)
    assert removed.unchanged == inserted.unchanged == 0
    # The upper half of every image is shifted by 9,000 levels: one region, and half of the image.
    for change in (removed, inserted):
        assert change.greatest == pytest.approx(9_000 / 65_535)
        assert change.psnr_db == pytest.approx(20 * np.log10(65_535 / 9_000) + 10 * np.log10(2))
        assert (change.changed, change.regions) == (0.5, 1)
        assert change.rms > 0


def test_recalibration_changes_neither_areas_nor_tuned_calls(scored, lift):
    raw = evaluate("low", scored, [lift], QUICK)[0].attacks[0].table
    result = evaluate("low", scored, [lift], replace(QUICK, recalibration=Recalibrated.PLATT))[0]
    table = result.attacks[0].table
    assert result.recalibration is Recalibrated.PLATT
    assert (table.auc_real, table.auc_flipped) == (raw.auc_real, raw.auc_flipped)
    tuned, tuned_raw = table.at(ThresholdRule.YOUDEN), raw.at(ThresholdRule.YOUDEN)
    assert tuned.fooled == tuned_raw.fooled
    assert tuned.threshold != tuned_raw.threshold


def test_an_insertion_is_paired_with_a_removal_by_its_method():
    attacks = [
        AttackKind("gan-in", "gan", "insert"),
        AttackKind("pgd-4", "pgd", ""),
        AttackKind("paint-out", "inpainting", "remove"),
        AttackKind("gan-out", "gan", "remove"),
        AttackKind("gan-in-2", "gan", "insert"),
    ]
    assert pair_directions(attacks) == [["gan-in", "gan-out"], ["pgd-4"], ["paint-out"], ["gan-in-2"]]


def test_the_stored_curve_has_the_area_of_the_table(scored, lift):
    for result in evaluate("low", scored, [lift], QUICK):
        for roc, table_area in (
            (result.roc, result.attacks[0].table.auc_real),
            (result.attacks[0].roc, result.attacks[0].table.auc_flipped),
        ):
            false, true = np.array(roc.points).T
            assert (false[0], true[0], false[-1], true[-1]) == (0, 0, roc.negatives, roc.positives)
            area = np.trapezoid(true / roc.positives, false / roc.negatives)
            assert area == pytest.approx(table_area.value)


def test_grey_levels_of_the_controls_are_those_of_the_files(cohort, scored):
    for split in (Split.TRAIN, Split.TEST):
        sources, images = cohort.of_split(split), scored[0].control_images[split]
        assert [image.patient for image in images] == [source.patient for source in sources]
        for source, image in zip(sources, images, strict=True):
            pixels = cohort.files[source.path]
            assert (image.label, image.header, image.levels.brightest) == (source.label, source.header, pixels.max())
            assert image.levels.mean == pytest.approx(pixels.astype(float).mean())
            assert image.levels.standard_deviation == pytest.approx(pixels.astype(float).std())


def test_each_classifier_has_the_same_trivial_controls(cohort, scored, lift):
    first, second = (
        {control.name: control for control in result.controls} for result in evaluate("low", scored, [lift], QUICK)
    )
    assert first == second
    assert list(first) == list(ControlName)
    header, mean = first[ControlName.HEADER], first[ControlName.MEAN]
    assert (header.auc.value, header.auc.low, header.values) == (1, 1, 2)
    test = cohort.of_split("test")
    labels = np.array([image.label for image in test])
    brightness = np.array([cohort.files[image.path].mean() for image in test])
    assert mean.auc.value == pytest.approx(auc(brightness, labels))  # positive training images are the brighter ones


def test_the_trivial_controls_leave_the_other_figures_alone(scored, lift):
    whole = evaluate("low", scored, [lift], QUICK)[0]
    without = replace(scored[0], control_images={Split.TRAIN: [], Split.TEST: scored[0].control_images[Split.TEST]})
    result = evaluate("low", [without, scored[1]], [lift], QUICK)[0]
    assert result.controls == ()
    assert result == replace(whole, controls=())


def test_an_evaluation_of_an_earlier_version_has_no_controls(scored, lift):
    result = evaluate("low", scored, [lift], QUICK)[0]
    stored = to_dict(result)
    assert [control["name"] for control in stored.pop("controls")] == [
        "header",
        "brightest_pixel",
        "mean",
        "standard_deviation",
    ]
    assert read_evaluation(stored) == replace(result, controls=())


def test_an_evaluation_survives_json(scored, lift, removal):
    for result in evaluate("low", scored, [lift, removal], QUICK):
        stored = json.loads(json.dumps(to_dict(result), allow_nan=False))
        assert read_evaluation(stored) == result
