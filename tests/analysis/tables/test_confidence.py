"""Confidence: ratings read from the database, ROC curves of single readers, and the analysis over readers."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.record.confidence import ranks_of_answers
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import build_report
from readerstudy.analysis.report.chapters import Chapters
from readerstudy.analysis.tables.comparison.confidence import compare_confidence, confidence_mrmc_table
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.analysis.tables.confidence import confidence_curves, confidence_table
from readerstudy.layout.table import Estimate, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import CONFIDENCE, MARK, Choice, Question, QuestionKind
from readerstudy.protocol.rules import SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import close_study, exclude_from_analysis
from readerstudy.studies.models import Presentation
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.queries import truth_of_study
from tests import make, walk
from tests.analysis import played, rated, small
from tests.analysis.tables.test_mrmc import full
from tests.statistics.mrmc.data import EXACT, expected, published, simulated, van_dyke

PLAN = AnalysisPlan()
SLIDER = Question("confidence", QuestionKind.SCALE, "Sure?", minimum=0, maximum=2, required=False)
READING = ProtocolSession(SessionKind.BLINDED, "A", real=4, adversarial=4)
PROTOCOL = Protocol(
    (
        replace(READING, rules=SessionRules(questions=(CONFIDENCE,)), repeat_share=0.25, repeat_distance=4),
        replace(READING, rules=SessionRules(questions=(SLIDER,)), splits=("tuning", "test")),
    ),
    analysis=AnalysisPlan(before=1, after=2),
)
# What is said of the images of a session in turn, and how it is rated there.
IN_FIRST = [("not_real", "5"), ("real", "4"), ("unsure", None), ("real", "1"), ("not_real", "2")]
IN_SECOND = [("not_real", 2), ("real", 0), ("unsure", 1), ("real", None), ("not_real", 1)]
RATING = {1: {"5": 5, "4": 4, "1": 1, "2": 2}, 2: {0: 1, 1: 2, 2: 3}}
SIGN = {"real": -1, "unsure": 0, "not_real": 1}


def rows(table: Table | None) -> list[dict]:
    assert table is not None
    return [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.rows]


# --- from the database ----------------------------------------------------------------------------------------
@pytest.fixture
def read(db, small):
    """Rita and Ruth answer each from another place in the lists above."""
    study = make.study("sure", protocol=PROTOCOL)
    for shift, name in enumerate(("rita", "ruth")):
        client = walk.client_of(make.reader_in(study, name))
        for session, said in ((1, IN_FIRST), (2, IN_SECOND)):
            step, place = walk.open_session(client, "sure", session), shift
            while step["kind"] == "read":
                verdict, sure = said[place % len(said)]
                answers = {} if sure is None else {"confidence": sure}
                step = walk.answer(client, "sure", session, step, verdict, answers=answers).json()["step"]
                place += 1
    return study


def unsealed(study) -> StudyRecord:
    close_study(study=study, actor=None, reason="Read.", at=make.MONDAY)
    unseal_study(study=study, actor=None, reason="Report.", at=make.MONDAY)
    study.refresh_from_db()
    return study_record(study)


def read_by_hand(study) -> Counter:
    """Count the readings by reader, session, truth and rating with the ORM alone; None is without a rating."""
    truth, counted = truth_of_study(study), Counter()
    for reading in Reading.objects.filter(presentation__is_repeat=False):
        shown = reading.presentation
        session = shown.reading_list.session_plan.number
        sure = reading.answers.get("confidence")
        rating = 0 if reading.verdict == "unsure" else None
        if reading.verdict != "unsure" and sure is not None:
            rating = SIGN[reading.verdict] * RATING[session][sure]
        is_adversarial = int(truth[shown.stimulus_id].authenticity == "adversarial")
        counted[shown.reading_list.enrollment.code, session, is_adversarial, rating] += 1
    return counted


def test_ratings_are_counted_by_reader_session_and_truth(read):
    ratings, by_hand = unsealed(read).confidence, Counter()
    assert ratings.steps == {1: 5, 2: 3}
    for (reader, session), cell in ratings.cells.items():
        for truth, place in np.ndindex(cell.counts.shape):
            by_hand[reader, session, truth, place - ratings.steps[session]] = int(cell.counts[truth, place])
    wanted = read_by_hand(read)
    assert +by_hand == Counter({key: count for key, count in wanted.items() if key[3] is not None})
    unrated = Counter()
    for (reader, session, _truth, rating), count in wanted.items():
        unrated[reader, session] += count * (rating is None)
    assert {cell: each.unrated for cell, each in ratings.cells.items()} == dict(unrated)
    assert sum(unrated.values()) > 0


def test_the_rated_readings_are_those_that_were_counted(read):
    ratings = unsealed(read).confidence
    compared = ratings.compared
    again = rated.ratings_of(
        compared.rating,
        compared.is_adversarial.astype(int),
        np.array(ratings.readers)[compared.reader],
        compared.case,
        compared.session,
        steps=5,
        compared=(1, 2),
    )
    for (reader, session), cell in ratings.cells.items():
        middle = ratings.steps[session]
        wide = again.cells[reader, session].counts[:, 5 - middle : 6 + middle]
        assert (wide == cell.counts).all()
    truth = {each.case: each.authenticity == "adversarial" for each in truth_of_study(read).values()}
    assert [truth[case] for case in compared.case.tolist()] == compared.is_adversarial.tolist()


def test_an_excluded_image_and_a_repeat_are_not_rated(read):
    again = Presentation.objects.filter(reading_list__session_plan__number=1, is_repeat=True).first()
    exclude_from_analysis(presentation=again, actor=None, reason="Cut off.", at=make.MONDAY)
    ratings = unsealed(read).confidence
    assert {sum(ratings.cells[reader, 1].images) for reader in ("R1", "R2")} == {7}


def test_the_report_shows_confidence_after_signal_detection(read):
    unsealed(read)
    section = next(each for each in build_report(read, at=make.MONDAY).sections if each.key == "supporting")
    keys = [item.key for item in section.items]
    place = keys.index("detection-figure")
    assert keys[place + 1 : place + 4] == ["confidence", "confidence-figure", "confidence_mrmc"]


def test_a_study_that_does_not_ask_has_none_of_it(db, small):
    study = make.study("plain")
    walk.finish_session(walk.client_of(make.reader_in(study, "rita")), "plain", 1)
    record = unsealed(study)
    assert record.confidence is None
    assert not {"confidence", "confidence-figure", "confidence_mrmc"} & {
        item.key for item in Chapters(record, study.analysis, None).supporting.items
    }


# --- what counts as the question ------------------------------------------------------------------------------
def test_answers_rank_from_least_to_most_sure():
    assert ranks_of_answers((MARK, CONFIDENCE)) == {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
    assert ranks_of_answers((SLIDER,)) == {"0": 1, "1": 2, "2": 3}
    named = replace(CONFIDENCE, choices=(Choice("low", "Low"), Choice("high", "High")))
    assert ranks_of_answers((named,)) == {"low": 1, "high": 2}


@pytest.mark.parametrize(
    "question",
    [
        MARK,
        replace(CONFIDENCE, name="sure"),
        replace(CONFIDENCE, after=("not_real",)),
        Question("confidence", QuestionKind.TEXT, "How sure?"),
    ],
    ids=["another", "another name", "after not real only", "a text"],
)
def test_other_questions_give_no_rating(question):
    assert ranks_of_answers((question,)) == {}


# --- numbers --------------------------------------------------------------------------------------------------
def test_the_areas_are_those_of_all_pairs():
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], [13, 11])
    rating = rng.integers(-3, 4, truth.size) + truth
    ratings = rated.ratings_of(rating, truth, np.full(24, "R1"), np.arange(24), np.full(24, 3), steps=4)
    (row,) = rows(confidence_table(rated.record(ratings), confidence_curves(rated.record(ratings))))
    for score, key in ((rating, "auc"), (np.sign(rating), "auc_verdicts")):
        pairs = [(x < y) + (x == y) / 2 for x in score[truth == 0] for y in score[truth == 1]]
        assert row[key].value == pytest.approx(np.mean(pairs), abs=1e-12)
        assert row[key].low < row[key].value < row[key].high
    assert (row["real"], row["adversarial"], row["unrated"]) == (13, 11, 0)


def test_the_area_under_the_drawn_curve_is_the_area_in_the_table():
    record = rated.record(rated.crowd(3))
    for each in confidence_curves(record).values():
        x, y = np.array(each.curve.points, dtype=float).T
        assert np.trapezoid(y / each.curve.positives, x / each.curve.negatives) == pytest.approx(each.area.value)


def test_a_reader_of_one_kind_of_image_has_no_curve_but_a_row():
    ratings = rated.ratings_of([1, -2, 3], [0, 0, 0], ["R1"] * 3, [1, 2, 3], [3, 3, 3], steps=3)
    table = confidence_table(rated.record(ratings), confidence_curves(rated.record(ratings)))
    (row,) = rows(table)
    assert (row["real"], row["adversarial"], row["auc"]) == (3, 0, None)
    assert any("no curve" in note for note in table.notes)


@published
def test_the_analysis_is_that_of_the_published_ratings():
    """Van Dyke's five categories as verdicts with two steps of confidence; both sessions show the same images."""
    study = van_dyke()
    sets = tuple(replace(each, images_of=3) if each.number == 5 else each for each in small.image_sets())
    conditions = sorted(set(study.condition.tolist()))
    session = np.where(study.condition == conditions[0], 3, 5)
    case = np.unique(study.case, return_inverse=True)[1]
    ratings = rated.ratings_of(
        study.score.astype(int) - 3, study.truth, study.reader.astype(str), case, session, steps=2
    )
    found = compare_confidence(rated.record(ratings, image_sets=sets), PLAN, ratings, "high").result
    assert (found.f, found.df2, found.p) == pytest.approx((4.484854, 15.066108, 0.05123303), rel=1e-6)
    means = [row["Estimate"] for row in expected("rjafroc_expected.json")["dataset02_OR_jackknife"]["FOMs"]["trtMeans"]]
    assert list(found.means.values()) == pytest.approx(means, abs=EXACT)


def test_with_one_step_the_analysis_is_the_primary_one():
    """Ratings that say no more than the verdicts: the two rows of the table agree."""
    study = simulated()
    case = np.unique(study.case, return_inverse=True)[1]
    ratings = rated.ratings_of(study.score - 1, study.truth, study.reader, case, study.condition, steps=1)
    record = replace(full(), confidence=ratings)
    primary, own = rows(confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN)))
    assert primary["figure"] == "AUC of the verdicts (primary)"
    assert own["figure"] == "AUC of the confidence ratings"
    for key in ("f", "df2", "p"):
        assert own[key] == pytest.approx(primary[key], rel=1e-10)
    assert own["difference"].value == pytest.approx(primary["difference"].value, abs=1e-12)
    assert (own["readers"], own["images"]) == (5, 876)


# --- where there is nothing to compare ------------------------------------------------------------------------
def test_one_reader_is_not_compared_and_the_table_says_so():
    ratings = rated.crowd(1)
    record = rated.record(ratings)
    table = confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN))
    assert not table.rows
    assert table.empty.startswith("Fewer than two readers")


def test_ratings_of_one_session_only_are_not_compared():
    ratings = rated.crowd(3)
    first = replace(ratings, steps={3: 5})
    record = rated.record(first)
    assert confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN)) is None


def test_a_reader_with_too_few_ratings_is_left_out_by_name():
    ratings = rated.crowd(3)
    compared = ratings.compared
    few = compared.select((compared.reader != 2) | (compared.session == 3))
    record = rated.record(replace(ratings, compared=few))
    table = confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN))
    assert rows(table)[1]["readers"] == 2
    assert any("Excluded" in note and ": R3." in note for note in table.notes)


def test_constant_ratings_have_no_test_and_a_reason():
    ratings = rated.crowd(3)
    compared = replace(ratings.compared, rating=np.zeros_like(ratings.compared.rating))
    record = rated.record(replace(ratings, compared=compared))
    own = rows(table := confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN)))[1]
    assert (own["p"], own["before"]) == (None, 0.5)
    assert any(note.startswith("AUC of the confidence ratings: it varies neither") for note in table.notes)


def test_arms_are_compared_separately():
    ratings = rated.crowd(6)
    arms = {name: ("high", "low")[place % 2] for place, name in enumerate(ratings.readers)}
    sets = (*small.image_sets(), *(replace(each, arm="low") for each in small.image_sets()))
    record = rated.record(ratings, readers=arms, image_sets=sets)
    table = rows(confidence_mrmc_table(record, PLAN, mrmc_comparisons(record, PLAN)))
    assert [(row["arm"], row["readers"]) for row in table[1::2]] == [("high", 3), ("low", 3)]
    assert isinstance(table[1]["before"], Estimate)
    assert table[1]["before"] != table[3]["before"]


def test_the_primary_row_is_the_plans_own_figure():
    record = replace(played.record({"R1": {3: "rrnnru", 5: "rrrnnu"}, "R2": {3: "rurnrr", 5: "rnrnnn"}}))
    record = replace(record, confidence=rated.crowd(2))
    plan = AnalysisPlan(primary="sensitivity")
    first = rows(confidence_mrmc_table(record, plan, mrmc_comparisons(record, plan)))[0]
    assert first["figure"] == "Sensitivity of the verdicts (primary)"
