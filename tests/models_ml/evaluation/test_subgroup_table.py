"""Parts of the test images: who is in which, and against whom."""

import numpy as np

from models_ml.evaluation.attack_table import decide
from models_ml.evaluation.subgroup_table import subgroups
from readerstudy.results.evaluation import ThresholdRule
from readerstudy.statistics.roc import auc

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0])
REAL = np.array([0.9, 0.4, 0.8, 0.7, 0.1, 0.6, 0.2, 0.3])
FAKE = np.array([0.2, 0.3, 0.9, 0.1, 0.8, 0.9, 0.1, 0.7])
PATIENTS = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
VIEW = np.array(["CC", "MLO"] * 4)
LESIONS = np.array(["mass", "mass", "calcification", "", "", "", "mass", ""])


def parts(**columns):
    found = subgroups(
        {name: np.asarray(column) for name, column in columns.items()},
        score_real=REAL,
        score_adversarial=FAKE,
        labels=LABELS,
        patients=PATIENTS,
        threshold=0.5,
        of_finding={"lesion"},
        seed=1,
        replicates=40,
    )
    return {(part.column, part.value): part for part in found}


def test_a_view_is_judged_on_its_own_images():
    part = parts(view=VIEW)["view", "CC"]
    own = VIEW == "CC"
    assert (part.images, part.positive) == (4, 2)
    assert part.auc_real.value == auc(REAL[own], LABELS[own])
    assert part.auc_flipped.value == auc(FAKE[own], 1 - LABELS[own])
    alone = decide(REAL[own], FAKE[own], LABELS[own], PATIENTS[own], rule=ThresholdRule.YOUDEN, threshold=0.5)
    assert part.fooled == alone.fooled


def test_a_kind_of_lesion_is_set_against_all_images_without_the_finding():
    found = parts(lesion=LESIONS)
    assert set(found) == {("lesion", "mass"), ("lesion", "calcification")}
    mass = found["lesion", "mass"]
    # A mass that is another finding is an image without the finding like the others.
    assert (mass.images, mass.positive) == (6, 2)
    own = np.array([0, 1, 4, 5, 6, 7])
    assert mass.auc_real.value == auc(REAL[own], LABELS[own])


def test_columns_that_are_not_of_the_finding_are_judged_on_their_own_images():
    mass = parts(shape=LESIONS)["shape", "mass"]
    assert (mass.images, mass.positive) == (3, 2)


def test_what_is_unknown_or_the_same_for_all_makes_no_line():
    assert parts(density=[""] * 8, side=["L"] * 8) == {}


def test_a_part_of_one_class_has_shares_but_no_area():
    part = parts(side=["L", "L", "R", "R", "R", "R", "R", "R"])["side", "L"]
    assert part.auc_real is None
    assert part.fooled_by_removal.trials == 1
    assert part.fooled_by_insertion.share is None
