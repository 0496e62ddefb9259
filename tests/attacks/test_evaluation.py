"""Several classifiers and several attacks at once: who is judged on what, and how it is told."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from attacks.evaluation.figures import roc_points
from attacks.evaluation.measure import Attacked, Judge, Reading, Real, Twin, score_all
from attacks.evaluation.report import Kind, paired, summary, tell
from attacks.evaluation.tables import SENSITIVE, TUNING, Settings, evaluated, transfers
from models_ml.errors import LabError
from models_ml.evaluation.attack_table import decide
from models_ml.evaluation.predictions import auc, scores, youden_threshold
from models_ml.runtime.progress import silent
from readerstudy.statistics import delong
from tests.models_ml import tiny

SIZE = (32, 24)
QUICK = Settings(compare=delong.paired, replicates=40)


class Brightness(torch.nn.Module):
    """Calls pictures malignant that are bright at the top (or, the other one, at the bottom)."""

    def __init__(self, rows: slice, size=SIZE) -> None:
        super().__init__()
        self.rows = rows
        self.config = replace(tiny.classifier_config(), rows=size[0], columns=size[1])

    def forward(self, images):
        grey = 12 * (images[:, 0, self.rows].mean(dim=(1, 2)) - 0.3)
        return torch.stack([-grey, grey], dim=1)


JUDGES = (Judge("top", Brightness(slice(0, 16))), Judge("bottom", Brightness(slice(16, 32))))


class Films:
    """80 pictures of 40 women in memory; twins of the attack "lift" are brighter or darker at the top."""

    def __init__(self) -> None:
        chance = np.random.default_rng(4)
        images = tiny.images(40)
        self.files: dict[Path, np.ndarray] = {}
        self.reals, self.twins = [], {}
        for place, label in enumerate(images.labels.tolist()):
            pixels = chance.integers(12_000, 24_000, SIZE) + 6_000 * label
            # Top and bottom by themselves, so that the two judges err on different pictures.
            pixels[:16] += chance.integers(-4_000, 4_000)
            pixels[16:] += chance.integers(-4_000, 4_000)
            twin = pixels.copy()
            twin[:16] += 9_000 if not label else -9_000
            real, fake = Path(f"real-{place}"), Path(f"fake-{place}")
            self.files |= {real: pixels.astype(np.uint16), fake: twin.astype(np.uint16)}
            groups = {"view": "CC" if place % 2 else "MLO"}
            patient, split = str(images.patients[place]), str(images.splits[place])
            self.reals.append(Real(place, place, real, label, patient, split, groups))
            self.twins[place] = Twin(100 + place, fake)

    @property
    def reading(self) -> Reading:
        return Reading(read=self.files.__getitem__, downsample=lambda pixels, size: pixels[: size[0], : size[1]])

    def scored(self, attacks, judges=JUDGES, told=silent):
        return score_all(judges, self.reals, attacks, self.reading, told)

    def of(self, split):
        return [one for one in self.reals if one.split == split]


@pytest.fixture(scope="module")
def films():
    return Films()


@pytest.fixture(scope="module")
def lift(films):
    copier = {0: lambda pixels: pixels, 1: lambda pixels: pixels}
    return Attacked("lift", ("lift-in", "lift-out"), films.twins, against="top", controls=copier)


@pytest.fixture(scope="module")
def removal(films):
    malignant = {one.image for one in films.reals if one.label}
    twins = {image: Twin(200 + image, twin.path) for image, twin in films.twins.items() if image in malignant}
    return Attacked("removal", ("pgd-out",), twins, against="bottom", labels=(1,))


@pytest.fixture(scope="module")
def scored(films, lift, removal):
    return films.scored([lift, removal])


def test_every_judge_scores_every_held_out_picture_from_its_file(films, scored):
    for judge, found in zip(JUDGES, scored, strict=True):
        assert found.judge == judge.name
        for one, value in zip(films.of("test"), found.test_scores, strict=True):
            alone = scores(judge.classifier, films.files[one.path][None])[0]
            assert value == pytest.approx(alone, abs=1e-6)
        assert [one.image for one in found.tuning] == [one.image for one in films.of("tuning")]
        fakes = [float(scores(judge.classifier, films.files[films.twins[o.image].path][None])[0]) for o in found.test]
        np.testing.assert_allclose(found.fakes["lift"].attack, fakes, atol=1e-6)
        # A copier's pictures score as the real ones do.
        np.testing.assert_allclose(found.fakes["lift"].control, found.test_scores, atol=1e-6)


def test_what_is_kept_has_the_real_pictures_and_each_attacks_twins_by_stimulus(films, scored):
    held_out = [one for one in films.reals if one.split != "train"]
    wanted = {one.stimulus for one in held_out} | {100 + one.image for one in held_out}
    wanted |= {200 + one.image for one in held_out if one.label}
    assert set(scored[0].by_stimulus) == wanted


def test_judges_of_different_sizes_each_get_theirs(films, lift):
    small = Judge("small", Brightness(slice(0, 8), size=(16, 12)))
    wide, narrow = films.scored([lift], judges=[JUDGES[0], small])
    one = films.of("test")[0]
    cut = films.files[one.path][:16, :12]
    assert narrow.test_scores[0] == pytest.approx(scores(small.classifier, cut[None])[0], abs=1e-6)
    assert wide.size == SIZE
    assert narrow.size == (16, 12)


def test_nothing_to_judge_gets_a_sentence(films, lift):
    for attacks, judges in (([], JUDGES), ([lift], ())):
        with pytest.raises(LabError, match="a classifier and an attack"):
            films.scored(attacks, judges=judges)


def test_progress_ends_at_the_last_picture(films, lift):
    told = []
    films.scored([lift], told=lambda *said: told.append(said[:2]))
    held_out = len(films.of("tuning")) + len(films.of("test"))
    assert told[-1] == (held_out, held_out)


def test_thresholds_come_from_each_judges_own_tuning_scores(films, lift, scored):
    for found, raw in zip(evaluated(scored, [lift], QUICK), scored, strict=True):
        assert found.thresholds[TUNING] == youden_threshold(raw.tuning_scores, raw.tuning_labels)
        called = raw.tuning_scores[raw.tuning_labels == 1] > found.thresholds[SENSITIVE]
        assert called.mean() >= 0.9
        assert [at.name for at in found.attacks[0].table.decisions] == ["0.5", TUNING, SENSITIVE]


def test_an_attack_on_one_class_is_judged_on_the_images_that_it_touched(films, scored, lift, removal):
    first = evaluated(scored, [lift, removal], QUICK)[0]
    whole, part = first.attacks
    malignant = sum(one.label for one in films.of("test"))
    assert (whole.table.images, part.table.images) == (len(films.of("test")), malignant)
    assert part.without_twin == len(films.of("test")) - malignant
    assert part.control is None
    assert part.table.auc_flipped is None
    assert whole.control.decisions[1].fooled.hits == 0  # a copy fools nobody


def test_the_transfer_matrix_has_every_pair_at_the_judges_own_threshold(scored, lift, removal):
    found = {(one.attack, one.classifier): one for one in transfers(scored, [lift, removal])}
    assert set(found) == {
        (attack, judge) for attack in ("lift", "lift control", "removal") for judge in ("top", "bottom")
    }
    assert {place for place, one in found.items() if one.own} == {("lift", "top"), ("removal", "bottom")}
    bottom = scored[1]
    threshold = youden_threshold(bottom.tuning_scores, bottom.tuning_labels)
    by_hand = decide(bottom.test_scores, bottom.fakes["lift"].attack, bottom.labels, name="", threshold=threshold)
    assert found["lift", "bottom"].fooled == by_hand.fooled
    # What is changed at the top moves the judge of the top alone.
    assert found["lift", "top"].fooled.share > 0.5
    assert found["lift", "bottom"].fooled.share == 0


def test_the_others_are_compared_with_the_first_on_the_same_images(scored, lift):
    first, second = evaluated(scored, [lift], QUICK)
    assert first.compared == {}
    a, b = scored[1], scored[0]
    straight = delong.paired(a.labels, a.test_scores, b.test_scores, cluster=a.patients)
    assert second.compared["real"].difference == pytest.approx(straight.difference)
    assert second.compared["lift"].difference == pytest.approx(
        auc(a.fakes["lift"].attack, 1 - a.labels) - auc(b.fakes["lift"].attack, 1 - b.labels)
    )


def test_recalibration_moves_what_is_called_at_a_half_and_neither_areas_nor_tuned_answers(scored, lift):
    raw = evaluated(scored, [lift], QUICK)[0].attacks[0].table
    calm = evaluated(scored, [lift], replace(QUICK, recalibration="platt"))[0]
    table = calm.attacks[0].table
    assert calm.recalibration == "platt"
    assert (table.auc_real, table.auc_flipped) == (raw.auc_real, raw.auc_flipped)
    assert table.decisions[1].fooled == raw.decisions[1].fooled
    assert table.decisions[1].threshold != raw.decisions[1].threshold


def test_an_insertion_goes_with_a_removal_of_the_same_method():
    kinds = [
        Kind("gan-in", "gan", "insert"),
        Kind("pgd-4", "pgd", ""),
        Kind("paint-out", "inpainting", "remove"),
        Kind("gan-out", "gan", "remove"),
        Kind("gan-in-2", "gan", "insert"),
    ]
    assert paired(kinds) == [["gan-in", "gan-out"], ["pgd-4"], ["paint-out"], ["gan-in-2"]]


def test_the_curve_bounds_the_area(scored):
    for found in scored:
        x, y = roc_points(found.test_scores, found.labels)
        assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        assert np.trapezoid(y, x) == pytest.approx(auc(found.test_scores, found.labels))


def test_the_story_is_plain_data_and_its_text_has_every_classifier_and_attack(scored, lift, removal):
    story = tell("low", scored, [lift, removal], QUICK)
    stored = json.loads(json.dumps(story.tables(1)))
    assert set(stored["attacks"]) == {"lift", "removal"}
    assert {table["key"] for table in stored["shown"]} >= {
        "side-by-side",
        "table1",
        "quality",
        "calibration",
        "transfer",
    }
    for table in stored["shown"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    answer = summary([story])
    assert (answer["classifier"], answer["generators"]) == ("top", ["lift-in", "lift-out"])
    assert answer["tables"]["low"]["attack"] == stored_table(story, "lift")
    assert [one["generators"] for one in answer["attacks"]] == [["lift-in", "lift-out"], ["pgd-out"]]
    for word in ("top", "bottom", "lift", "removal", "control (stage 1)", "Who fools whom"):
        assert word in answer["text"]


def stored_table(story, name):
    return story.tables(0)["attacks"][name]["table"]


def test_figures_say_their_numbers_in_words(scored, lift, removal):
    story = tell("low", scored, [lift, removal], QUICK)
    drawn = {figure.key: figure for figure in story.figures(0)}
    assert set(drawn) == {"roc", "reliability", "transfer"}
    for figure in drawn.values():
        root = ElementTree.fromstring(figure.svg)
        words = [child.text for child in root if child.tag.endswith(("title", "desc"))]
        assert words[:2] == [figure.title, figure.description]
        assert root.attrib["role"] == "img"
    area = story.evaluated[0].attacks[0].table.auc_real
    assert f"real: area {area.value:.3f}" in drawn["roc"].description
    assert "made for it" in drawn["transfer"].description
    assert story.figures(0)[0].svg == drawn["roc"].svg  # the same numbers, the same bytes


def test_one_classifier_alone_has_nobody_to_stand_beside(films, lift):
    story = tell("low", films.scored([lift], judges=JUDGES[:1]), [lift], QUICK)
    keys = {table["key"] for table in story.tables(0)["shown"]}
    assert not keys & {"side-by-side", "transfer"}
    assert {figure.key for figure in story.figures(0)} == {"roc", "reliability"}
