"""The same images under two conditions: which sessions may show them, how they are drawn, and what is excluded."""

from dataclasses import replace

import pytest

from readerstudy.errors import BadInput
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.document import Protocol, ProtocolSession, ReadingOrder
from readerstudy.protocol.sessions import ZHOU2021, SessionKind
from readerstudy.studies.actions import exclude_from_analysis, include_in_analysis
from readerstudy.studies.models import Allocation, AnalysisExclusion, Presentation
from readerstudy.truth.checklist import checklist
from readerstudy.truth.draw import draw
from tests import make
from tests.truth.test_draw import cohort

FIRST = ProtocolSession(SessionKind.BLINDED, "A", real=4, adversarial=4, splits=("tuning", "test"))
AGAIN = ProtocolSession(SessionKind.BLINDED, "B", images_of=1, order=ReadingOrder.PER_READER)
PLAN = AnalysisPlan(before=1, after=2)


@pytest.mark.parametrize(
    ("sessions", "sentence"),
    [
        ((FIRST, replace(AGAIN, images_of=2)), "sessions 2 images_of: must be the number of an earlier"),
        ((FIRST, AGAIN, replace(AGAIN, images_of=2)), "sessions 3 images_of: only a blinded session can show"),
        (
            (ProtocolSession(SessionKind.FAMILIARISATION, "F", real=4), AGAIN),
            "sessions 2 images_of: only a blinded session can show",
        ),
        (
            (FIRST, replace(AGAIN, kind=SessionKind.FAMILIARISATION)),
            "sessions 2 images_of: only a blinded session can show",
        ),
        ((FIRST, replace(AGAIN, real=4)), "sessions 2 real: is decided by session 1"),
        ((FIRST, replace(AGAIN, resolution="low")), "sessions 2 resolution: is decided by session 1"),
        ((FIRST, replace(AGAIN, repeat_of=1, repeat_share=0.5)), "sessions 2 repeat_of: a session with the images"),
        ((FIRST, replace(AGAIN, repeat_share=0.05)), "repeat_share: is less than one of the 8 images"),
        ((FIRST, replace(AGAIN, order=ReadingOrder.BLOCKS, block_size=9)), "must be from 2 to the 8 images"),
    ],
)
def test_sessions_that_cannot_share_images_are_refused(sessions, sentence):
    with pytest.raises(BadInput, match=sentence):
        Protocol(tuple(sessions), analysis=PLAN).check()


@pytest.mark.parametrize("endpoint", ["subgroup.real", "d_prime"])
def test_no_plan_declares_a_test_of_independent_readings_for_them(endpoint):
    family = Family("each reader", (endpoint,))
    declared = replace(PLAN, families=(family,))
    with pytest.raises(BadInput, match=f"analysis families: {endpoint} is a test of different images"):
        Protocol((FIRST, AGAIN), analysis=declared).check()
    Protocol((FIRST, replace(AGAIN, images_of=0, real=2, adversarial=2)), analysis=declared).check()


def test_a_session_shows_all_images_of_another_in_an_order_of_its_own():
    plain = draw(cohort(), ZHOU2021, seed=7)
    again = replace(ZHOU2021[4], number=6, real=0, adversarial=0, images_of=3)
    blocks = replace(again, number=7, block_size=10)
    drawn = draw(cohort(), (*ZHOU2021, again, blocks), seed=7)
    assert {number: drawn[number] for number in plain} == plain
    assert drawn[6] != drawn[3]
    assert set(drawn[6]) == set(drawn[7]) == set(drawn[3])
    assert len(drawn[6]) == len(drawn[7]) == len(drawn[3]) == 436
    assert all(sum(pick.adversarial for pick in drawn[7][start : start + 10]) == 5 for start in range(0, 430, 10))
    assert draw(cohort(), (*ZHOU2021, again, blocks), seed=7) == drawn
    assert draw(cohort(), (*ZHOU2021, again, blocks), seed=8)[6] != drawn[6]


def test_a_session_with_shared_images_repeats_its_own():
    source = replace(ZHOU2021[2], real=20, adversarial=20, repeats=10, repeat_distance=5)
    again = replace(ZHOU2021[2], number=4, real=0, adversarial=0, images_of=3, repeats=10, repeat_distance=5)
    later = replace(ZHOU2021[4], real=4, adversarial=4, repeats=25, repeat_of=4)
    drawn = draw(cohort(), (source, again, later), seed=3)
    firsts = {number: {pick for pick in drawn[number] if not pick.is_repeat} for number in (3, 4)}
    assert firsts[3] == firsts[4]
    assert [sum(pick.is_repeat for pick in drawn[number]) for number in (3, 4, 5)] == [10, 10, 25]
    repeated = [{replace(pick, is_repeat=False) for pick in drawn[number] if pick.is_repeat} for number in (4, 5)]
    assert not repeated[0] & repeated[1]  # no image of a session is repeated twice


CROSSED = Protocol((FIRST, AGAIN), crossover=(1, 2), analysis=PLAN)


@pytest.fixture
def crossed(db, small):
    return make.study("crossed", protocol=CROSSED)


def shown(reader, number):
    rows = Presentation.objects.filter(
        reading_list__enrollment__reader=reader, reading_list__session_plan__number=number
    )
    return list(rows.order_by("position"))


def test_each_reader_reads_the_same_images_under_both_conditions(crossed):
    assert checklist(crossed.cohort, CROSSED) == ()
    assert [plan.total for plan in crossed.session_plans.all()] == [8, 8]
    assert crossed.plan["sessions"][0]["generators"] == crossed.plan["sessions"][1]["generators"]
    orders = []
    for name in ("rita", "rosa"):
        reader = make.reader_in(crossed, name)
        first, again = (shown(reader, number) for number in (1, 2))
        assert {row.stimulus_id for row in first} == {row.stimulus_id for row in again}
        assert [row.stimulus_id for row in first] != [row.stimulus_id for row in again]
        assert not {row.code for row in first} & {row.code for row in again}
        orders.append([row.stimulus_id for row in again])
    assert orders[0] != orders[1]


def test_an_image_that_is_excluded_is_excluded_under_both_conditions(crossed):
    make.reader_in(crossed, "rita")
    presentation = Presentation.objects.filter(reading_list__session_plan__number=2).first()
    exclude_from_analysis(presentation=presentation, actor=None, reason="Cut off.", at=make.MONDAY)
    left = Allocation.analysed().filter(session_plan__study=crossed)
    assert [left.filter(session_plan__number=number).count() for number in (1, 2)] == [7, 7]
    assert not left.filter(stimulus=presentation.stimulus_id).exists()
    include_in_analysis(presentation=presentation, actor=None, reason="It was the browser.", at=make.MONDAY)
    assert Allocation.analysed().filter(session_plan__study=crossed).count() == 16
    assert AnalysisExclusion.objects.filter(withdrawn_at=None).count() == 0
