"""Ratings as files of iMRMC, MRMCaov and RJafroc: there and back, and the published figures from the files."""

import io

import numpy as np
import openpyxl
import pytest

from readerstudy.statistics import mrmc
from readerstudy.statistics.rating_files import (
    NotCrossed,
    Ratings,
    UnsafeLabel,
    ratings_of,
    read_imrmc,
    read_mrmcaov,
    read_rjafroc,
    write_imrmc,
    write_mrmcaov,
    write_rjafroc,
)
from tests.statistics.mrmc.data import Study, crossed, expected, imrmc, near, published, simulated, van_dyke
from tests.statistics.mrmc.test_u_statistics import agree
from tests.statistics.oracle import SHARED


def through_rjafroc(ratings: Ratings) -> Ratings:
    file = io.BytesIO()
    write_rjafroc(ratings, file)
    file.seek(0)
    return read_rjafroc(file)


WAYS = {
    "imrmc": lambda ratings: read_imrmc(write_imrmc(ratings)),
    "mrmcaov": lambda ratings: read_mrmcaov(write_mrmcaov(ratings)),
    "rjafroc": through_rjafroc,
}


def of_study(study: Study) -> Ratings:
    return ratings_of(*study)


def rows(ratings: Ratings) -> set[tuple[str, str, str, int, float]]:
    return set(ratings.rows())


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_every_rating_comes_back(way) -> None:
    ratings = of_study(crossed(np.random.default_rng(1), readers=3))
    assert len(rows(ratings)) == ratings.score.size > 50
    assert rows(way(ratings)) == rows(ratings)


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_fractions_keep_their_digits(way) -> None:
    """All of them in text; Excel keeps 15."""
    ratings = ratings_of([0.1 + 0.2, -1 / 3], [0, 1], ["R1", "R1"], ["a", "b"], ["x", "x"])
    tolerance = 1e-15 if way is through_rjafroc else 0
    assert way(ratings).score.tolist() == pytest.approx(ratings.score.tolist(), rel=tolerance, abs=0)


@pytest.mark.parametrize("name", ["imrmc", "mrmcaov"])
def test_sessions_without_a_common_image_give_the_same_analysis(name: str) -> None:
    ratings = WAYS[name](of_study(simulated()))
    agree(
        mrmc.u_statistic(*ratings.columns),
        expected("simstudy_r_expected.json")["imrmc_auc_nested"],
        {"S3": "3", "S5": "5"},
    )


@published
@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_van_dyke_from_each_file_has_the_figures_of_rjafroc(way) -> None:
    oracle = expected("rjafroc_expected.json")["dataset02_OR_jackknife"]
    treatment, error = oracle["RRRC"]["FTests"]
    result = mrmc.obuchowski_rockette(*way(of_study(van_dyke())).columns, covariance="jackknife")
    assert (result.f, result.p, result.df2) == (near(treatment["FStat"]), near(treatment["p"]), near(error["DF"]))


@published
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("vandyke", "vandyke"),
        ("vandyke_casesInTreatments", "vandyke_casesInTreatments"),
        ("upstream_R2_rerun", "upstream_R2"),
    ],
)
def test_a_data_frame_of_imrmc_is_read_and_written_as_its_file(name: str, file: str) -> None:
    frame = read_imrmc((SHARED / f"imrmc_{file}.csv").read_text())
    assert rows(frame) == rows(of_study(imrmc(file)))
    agree(mrmc.u_statistic(*read_imrmc(write_imrmc(frame)).columns), expected("imrmc_expected.json")[name])


def test_a_file_of_imrmc_has_the_counts_and_the_truth_first() -> None:
    ratings = ratings_of([3, 1, 2], [1, 0, 1], ["R1", "R1", "R2"], ["b", "a", "b"], ["3", "3", "3"])
    assert write_imrmc(ratings, title="Study\ntiny").splitlines() == [
        "Study tiny", "N0: 1", "N1: 1", "NR: 2", "NM: 1", "BEGIN DATA:", "-1,a,0,0", "-1,b,0,1",
        "R1,b,3,3", "R1,a,3,1", "R2,b,3,2",
    ]  # fmt: skip


def test_a_workbook_has_the_layout_that_rjafroc_reads() -> None:
    """The first three names in the order of the alphabet, columns, whole case ids, weights of 1 for each lesion."""
    file = io.BytesIO()
    write_rjafroc(of_study(crossed(np.random.default_rng(1), readers=2, negatives=3, positives=2)), file)
    book = openpyxl.load_workbook(file)
    assert sorted(name.upper() for name in book.sheetnames)[:3] == ["FP", "TP", "TRUTH"]
    truth = list(book["TRUTH"].values)
    assert truth[0] == ("CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm")
    assert [row[:3] for row in truth[1:]] == [(1, 0, 0), (2, 0, 0), (3, 0, 0), (4, 1, 1), (5, 1, 1)]
    assert [row[5] for row in truth[1:]] == ["ROC", "FCTRL", None, None, None]
    assert {len(row[3].split(", ")) for row in truth[1:]} == {2}
    assert next(iter(book["FP"].values)) == ("ReaderID", "ModalityID", "CaseID", "FP_Rating")
    assert next(iter(book["TP"].values)) == ("ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating")
    assert (book["FP"].max_row, book["TP"].max_row) == (1 + 2 * 2 * 3, 1 + 2 * 2 * 2)


def test_a_missing_rating_keeps_rjafroc_out_and_no_other_format() -> None:
    study = crossed(np.random.default_rng(1), readers=3)
    ratings = of_study(study.only(np.arange(study.score.size) != 7))
    for name in ("imrmc", "mrmcaov"):
        assert rows(WAYS[name](ratings)) == rows(ratings)
    with pytest.raises(NotCrossed) as refused:
        write_rjafroc(ratings, io.BytesIO())
    assert (refused.value.reader, refused.value.case) == (str(study.reader[7]), str(study.case[7]))


GOOD = "x\nN0: 1\nN1: 1\nNR: 1\nNM: 1\nBEGIN DATA:\n-1,a,0,0\n-1,b,0,1\nR1,a,3,1\nR1,b,3,2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reader,case\n", "neither a line BEGIN DATA"),
        (GOOD.replace("-1,b,0,1\n", ""), "Case b has no line with its truth"),
        (GOOD.replace("N0: 1", "N0: 2"), "N0: 2, but its data have 1"),
        (GOOD.replace("R1,a,3,1", "R1,a,3"), "Line 9 has 3 cells"),
        (GOOD.replace("R1,a,3,1", "R1,a,3,high"), "Line 9: the score 'high' is not a number"),
        (GOOD + "-1,b,0,0\n", "Line 11: case b has both truths"),
        (GOOD + "R1,b,3,1\n", "rates case b 2 times"),
        (GOOD.replace("-1,b,0,1", "-1,b,0,7"), "truth: must be 0 or 1"),
    ],
)
def test_a_damaged_file_of_imrmc_is_refused_with_the_place(text: str, message: str) -> None:
    assert len(rows(read_imrmc(GOOD))) == 2
    with pytest.raises(ValueError, match=message):
        read_imrmc(text)


def test_a_frame_without_a_column_and_a_word_for_a_number_are_refused() -> None:
    with pytest.raises(ValueError, match="lacks the column treatment"):
        read_mrmcaov("reader,case,truth,rating\n")
    with pytest.raises(ValueError, match="Line 2: rating 'x' is not a number"):
        read_mrmcaov("reader,treatment,case,truth,rating\nR1,3,a,0,x\n")


@pytest.mark.parametrize("label", ["a b", "a,b", "", "truth", "-1", '"a"'])
@pytest.mark.parametrize("kind", ["reader", "case", "condition"])
def test_labels_that_a_format_would_misread_are_refused(kind: str, label: str) -> None:
    labels = {"reader": ["R1"], "case": ["a"], "condition": ["3"]} | {kind: [label]}
    with pytest.raises(UnsafeLabel, match=f"{kind}: .*cannot be written") as refused:
        ratings_of([1], [0], **labels)
    assert (refused.value.kind, refused.value.label) == (kind, label)


@pytest.mark.parametrize("name", ["low_dose-3", "low.dose-3", "Köln-3", "low/dose-3", "3"])
@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_names_of_arms_come_back(way, name: str) -> None:
    ratings = ratings_of([1, 3], [0, 1], ["R1", "R1"], ["a", "b"], [name, name])
    assert rows(way(ratings)) == rows(ratings)


def test_an_arm_with_a_blank_in_a_file_of_another_program_is_named() -> None:
    """Programs differ in what a blank means, so no file is read with one: the message says which label to change."""
    message = "condition: 'low dose' cannot be written: no blanks"
    for quote in ("", '"'):
        label = f"{quote}low dose{quote}"
        with pytest.raises(UnsafeLabel, match=message):
            read_imrmc(f"Study\nBEGIN DATA:\n-1,a,0,0\n-1,b,0,1\nR1,a,{label},1\nR1,b,{label},3\n")
        with pytest.raises(UnsafeLabel, match=message):
            read_mrmcaov(f"reader,treatment,case,truth,rating\nR1,{label},a,0,1\nR1,{label},b,1,3\n")
    file = io.BytesIO()
    write_rjafroc(ratings_of([1, 3], [0, 1], ["R1", "R1"], ["a", "b"], ["x", "x"]), file)
    book = openpyxl.load_workbook(file)
    for cell in ("FP!B2", "TP!B2", "TRUTH!E2", "TRUTH!E3"):
        sheet, place = cell.split("!")
        assert book[sheet][place].value == "x"
        book[sheet][place] = "low dose"
    book.save(changed := io.BytesIO())
    with pytest.raises(UnsafeLabel, match=message):
        read_rjafroc(changed)


def test_ratings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="both truths"):
        ratings_of([1, 2], [0, 1], ["R1", "R2"], ["a", "a"], ["3", "3"])
    with pytest.raises(ValueError, match="finite"):
        ratings_of([np.nan], [0], ["R1"], ["a"], ["3"])
    with pytest.raises(ValueError, match="same length"):
        ratings_of([1, 2], [0], ["R1"], ["a"], ["3"])


def test_a_workbook_that_contradicts_its_truth_is_refused() -> None:
    file = io.BytesIO()
    write_rjafroc(ratings_of([1, 2], [0, 1], ["R1", "R1"], ["a", "b"], ["x", "x"]), file)
    book = openpyxl.load_workbook(file)
    book["FP"]["C2"] = 2
    changed = io.BytesIO()
    book.save(changed)
    with pytest.raises(ValueError, match="FP: case 2"):
        read_rjafroc(changed)
    del book["TP"]
    book.save(changed := io.BytesIO())
    with pytest.raises(ValueError, match="no sheet TP"):
        read_rjafroc(changed)
