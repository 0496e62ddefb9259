"""Areas of LROC and AFROC curves: literal sums over every pair, every image left out, and the AUC as a special case."""

from itertools import product

import numpy as np
import pytest

from readerstudy.statistics import delong
from readerstudy.statistics.localisation import UNMARKED, afroc, compare_afroc, compare_lroc, lroc
from readerstudy.statistics.mrmc import obuchowski_rockette
from tests.statistics import literal
from tests.statistics.mrmc.data import EXACT, crossed, published, van_dyke


def psi(x: float, y: float) -> float:
    return float(y > x) + 0.5 * float(y == x)


def literal_lroc(images) -> float:
    """`images` are (score, truth, located)."""
    pairs = [(x, y) for x, y in product(images, repeat=2) if (x[1], y[1]) == (0, 1)]
    return sum(psi(x[0], y[0]) * y[2] for x, y in pairs) / len(pairs)


def literal_afroc(images) -> float:
    """`images` are (truth, ratings): of the regions, or one that is the highest of an image without the signal."""
    pairs = [(x[1][0], y[1]) for x, y in product(images, repeat=2) if (x[0], y[0]) == (0, 1)]
    return sum(sum(psi(x, y) for y in ratings) / len(ratings) for x, ratings in pairs) / len(pairs)


def left_out(images, figure) -> float:
    """The jackknife variance with every image left out in turn."""
    changes = [figure(images[:place] + images[place + 1 :]) for place in range(len(images))]
    whole = figure(images)
    return (len(images) - 1) / len(images) * sum((change - whole) ** 2 for change in changes)


def drawn(seed: int, *, normal: int = 9, abnormal: int = 8, most: int = 3):
    """Images of one reader: ratings 1 to 4, UNMARKED a third of the time."""
    rng = np.random.default_rng(seed)

    def rating() -> float:
        return UNMARKED if rng.random() < 1 / 3 else float(rng.integers(1, 5))

    without = [(0, [rating()]) for _ in range(normal)]
    return without + [(1, [rating() for _ in range(rng.integers(1, most + 1))]) for _ in range(abnormal)]


def columns_of(images):
    rows = [
        (score, truth, case, region)
        for case, (truth, ratings) in enumerate(images)
        for region, score in enumerate(ratings)
    ]
    return [np.array(column) for column in zip(*rows, strict=True)]


# --- one reader -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
def test_afroc_is_the_sum_over_all_pairs_and_regions(seed):
    images = drawn(seed)
    found = afroc(*columns_of(images))
    assert found.area == pytest.approx(literal_afroc(images), abs=EXACT)
    assert found.variance == pytest.approx(left_out(images, literal_afroc), abs=EXACT)
    assert found.low < found.area < found.high


@pytest.mark.parametrize("seed", range(5))
def test_lroc_is_the_sum_over_all_pairs(seed):
    rng = np.random.default_rng(seed)
    images = [(int(rng.integers(-2, 3)) + kind, kind, int(rng.random() < 0.7)) for kind in (0, 1) for _ in range(9)]
    score, truth, located = zip(*images, strict=True)
    found = lroc(score, truth, located)
    assert found.area == pytest.approx(literal_lroc(images), abs=EXACT)
    assert found.variance == pytest.approx(left_out(images, literal_lroc), abs=EXACT)


def test_pencil_and_paper():
    images = [(0, [1.0]), (0, [UNMARKED]), (1, [3.0, UNMARKED]), (1, [1.0])]
    # Image 3: against 1: (1 + 0)/2; against −: (1 + ½)/2. Image 4: against 1: ½; against −: 1.
    assert afroc(*columns_of(images)).area == pytest.approx((0.5 + 0.75 + 0.5 + 1) / 4)
    assert lroc([1, 2, 2, 3], [0, 0, 1, 1], [0, 0, 1, 0]).area == pytest.approx((1 + 0.5 + 0 + 0) / 4)


def test_where_all_is_localised_lroc_is_the_auc():
    study = crossed(np.random.default_rng(3), conditions=1, readers=1)
    found = lroc(study.score, study.truth, np.ones(study.truth.size))
    assert found.area == pytest.approx(delong.area(study.truth, study.score).auc, abs=EXACT)


def test_afroc_of_single_regions_is_the_auc_of_the_ratings():
    images = drawn(7, most=1)
    score, truth, case, region = columns_of(images)
    ranked = np.where(np.isinf(score), 0, score)
    assert afroc(score, truth, case, region).area == pytest.approx(delong.area(truth, ranked).auc, abs=EXACT)


def test_who_never_marks_is_at_chance_without_an_interval():
    found = afroc([UNMARKED] * 6, [0, 0, 0, 1, 1, 1], range(6), [0] * 6)
    assert (found.area, found.variance, found.low, found.high) == (0.5, 0, None, None)
    assert lroc([1, 2, 3, 1, 2, 3], [0, 0, 0, 1, 1, 1], [0] * 6).area == 0


def test_a_region_that_was_missed_costs_its_share_of_the_image():
    without = [(0, [1.0]), (0, [1.0])]
    whole, half = [(1, [2.0, 2.0])] * 2, [(1, [2.0, UNMARKED])] * 2
    assert afroc(*columns_of(without + whole)).area == 1
    assert afroc(*columns_of(without + half)).area == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lroc([1, np.inf, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]), "score must be finite"),
        (lambda: lroc([1, 2, 1], [0, 0, 1, 1], [0, 0, 1, 1]), "differ in length"),
        (lambda: lroc([1, 2, 1], [0, 0, 1], [0, 0, 1]), "fewer than two images"),
        (lambda: lroc([1, 2], [0, 0], [0, 0]), "one class only"),
        (lambda: lroc([1, 2, 1, 1], [0, 0, 1, 2], [0, 0, 1, 1]), "truth must be 1"),
        (lambda: lroc([1, 2, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], confidence=1), "confidence must be"),
        (lambda: afroc([1, 2, 1, 1], [0, 0, 1, 1], [1, 1, 2, 3], [0] * 4), "two ratings of the same image"),
        (lambda: afroc([1, 2, 1, 1], [0, 0, 1, 1], [1, 2, 3, 4], [0]), "region has 1 elements"),
        (lambda: afroc([1, np.nan, 1, 1], [0, 0, 1, 1], [1, 2, 3, 4], [0] * 4), "score contains NaN"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- several readers ------------------------------------------------------------------------------------------
def marked(seed: int, design: str = "crossed", readers: int = 3):
    """Two conditions; images with one to three regions. Columns of `compare_afroc`, and the images by cell."""
    rng = np.random.default_rng(seed)
    cells, rows = {}, []
    for condition, reader in product(range(2), range(readers)):
        shape = drawn(99)  # the same images for all: their regions
        images = []
        for case, (truth, regions) in enumerate(shape):
            ratings = [UNMARKED if rng.random() < 0.4 else float(rng.integers(1, 5)) + truth for _ in regions]
            images.append((truth, ratings))
            rows += [(score, truth, reader, case, condition, place) for place, score in enumerate(ratings)]
        cells[condition, reader] = images
    return [np.array(column) for column in zip(*rows, strict=True)], cells


def changes_of(cells, design: str):
    """Areas of all cells with each case left out in turn; in a nested design a case is of one condition only."""
    count = len(next(iter(cells.values())))
    nests = (0, 1) if design == "cases_in_condition" else (None,)
    for nest, out in product(nests, range(count)):
        yield {
            cell: literal_afroc(
                [image for case, image in enumerate(images) if nest not in (None, cell[0]) or case != out]
            )
            for cell, images in cells.items()
        }


@pytest.mark.parametrize("design", ["crossed", "cases_in_condition"])
@pytest.mark.parametrize("random", ["both", "readers", "cases"])
def test_the_analysis_over_readers_is_the_literal_one(design, random):
    columns, cells = marked(1)
    found = compare_afroc(*columns, design=design, random=random)
    table = {cell: literal_afroc(images) for cell, images in cells.items()}
    assert found.estimates == pytest.approx(table, abs=EXACT)
    out = list(changes_of(cells, design))
    factor = (len(out) - 1) / len(out)
    matrix = {
        (a, b): factor * sum((each[a] - table[a]) * (each[b] - table[b]) for each in out)
        for a, b in product(table, repeat=2)
    }
    wanted = literal.analysis_of(table, matrix, random)
    for name in ("ms_t", "ms_tr", "var", "cov1", "cov2", "cov3", "f", "df2", "p"):
        assert getattr(found, name) == pytest.approx(wanted[name], abs=EXACT), name
    assert (found.figure, found.covariance, found.cases) == ("afroc", "jackknife", len(out))


def test_lroc_over_readers_with_all_localised_is_the_jackknife_of_the_auc():
    study = crossed(np.random.default_rng(5))
    columns = (study.score, study.truth, np.ones(study.truth.size), study.reader, study.case, study.condition)
    found = compare_lroc(*columns)
    known = obuchowski_rockette(*study, covariance="jackknife")
    assert (found.f, found.df2, found.p) == pytest.approx((known.f, known.df2, known.p), rel=1e-9)
    assert found.means == pytest.approx(known.means, abs=EXACT)
    assert found.figure == "lroc"


@published
def test_the_published_ratings_as_marks_give_the_published_jackknife():
    study = van_dyke()
    ones = np.ones(study.truth.size, dtype=int)
    for found in (
        compare_lroc(study.score, study.truth, ones, study.reader, study.case, study.condition),
        compare_afroc(*study, ones),
    ):
        assert (found.f, found.df2, found.p) == pytest.approx((4.456319, 15.259675, 0.05166569), rel=1e-6)


def test_a_reading_may_be_missing_but_not_one_of_its_regions():
    columns, _ = marked(2)
    _score, _truth, reader, case, condition, region = columns
    of_image = (reader == 0) & (condition == 1) & (case == 12)
    assert of_image.sum() > 1
    kept = [column[~of_image] for column in columns]
    assert 0 < compare_afroc(*kept).estimates[1, 0] < 1
    one = of_image & (region == 0)
    with pytest.raises(ValueError, match="reader 0 in condition 1 lacks a region"):
        compare_afroc(*[column[~one] for column in columns])


def test_labels_and_order_do_not_matter():
    columns, _ = marked(3)
    score, truth, reader, case, condition, region = columns
    order = np.random.default_rng(0).permutation(score.size)
    named = (np.array([f"r{n}" for n in reader]), np.array([f"c{n:02}" for n in case]), condition, region * 10 + 3)
    there = compare_afroc(*columns)
    back = compare_afroc(*(column[order] for column in (score, truth, *named)))
    assert (back.f, back.p) == pytest.approx((there.f, there.p), rel=1e-9)


def test_a_single_reader_has_fixed_readers_only():
    columns, _ = marked(4, readers=1)
    with pytest.raises(ValueError, match="only one reader"):
        compare_afroc(*columns)
    assert compare_afroc(*columns, random="cases").p is not None
