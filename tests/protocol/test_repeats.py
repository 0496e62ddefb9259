"""Images that are shown twice: which may be, where the second showing stands, and who gets to know."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.errors import BadInput
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession, ReadingOrder
from readerstudy.protocol.questions import Question, QuestionKind
from readerstudy.protocol.repeats import place_repeats
from readerstudy.protocol.rules import AskedVerdict, SessionRules
from readerstudy.protocol.sessions import ZHOU2021, SessionKind
from readerstudy.studies.models import Allocation, Presentation
from readerstudy.truth.draw import draw
from readerstudy.truth.queries import adversarial_codes
from tests import make
from tests.truth.test_draw import cohort

READING = ProtocolSession(SessionKind.BLINDED, "A", real=6, adversarial=6)
QUALITY = Question("quality", QuestionKind.SCALE, "Quality?", minimum=1, maximum=5)
WITHOUT_VERDICT = SessionRules(verdict=AskedVerdict.NONE, questions=(QUALITY,))


@given(st.integers(2, 60), st.integers(1, 30), st.randoms(use_true_random=False), st.data())
def test_a_second_showing_keeps_its_distance(images, distance, random, data):
    most = images - distance + 1
    repeated = set(random.sample(range(images), k=data.draw(st.integers(0, most)))) if most > 0 else set()
    order = random.sample(range(images), k=images)
    placed = place_repeats(order, repeated, distance=distance, rng=Random(random.random()))
    assert Counter(placed) == Counter([*((item, False) for item in order), *((item, True) for item in repeated)])
    for item in repeated:
        assert placed.index((item, True)) - placed.index((item, False)) >= distance


@pytest.mark.parametrize(
    ("sessions", "sentence"),
    [
        ((READING, replace(READING, repeat_of=1)), "sessions 2 repeat_share: is missing"),
        ((READING, replace(READING, repeat_distance=5)), "sessions 2 repeat_share: is missing"),
        ((READING, replace(READING, repeat_share=0.5, repeat_of=2)), "repeat_of: must be the number of an earlier"),
        ((replace(READING, repeat_share=0.02), READING), "is less than one of the 12 images"),
        ((replace(READING, repeat_share=0.5), READING), "at it only 3 of the 12 images can be repeated"),
        (
            (replace(READING, repeat_share=0.2, order=ReadingOrder.BLOCKS, block_size=4), READING),
            "only blinded sessions in the order same or per_reader",
        ),
        (
            (ProtocolSession(SessionKind.FAMILIARISATION, "F", real=12, repeat_share=0.2), READING),
            "sessions 1 repeat_share: only blinded sessions",
        ),
        (
            (replace(READING, repeat_share=0.25, repeat_distance=2), replace(READING, repeat_share=0.8, repeat_of=1)),
            "sessions 2 repeat_share: more than the 12 images of the session, each once",
        ),
        (
            (replace(READING, rules=WITHOUT_VERDICT), replace(READING, repeat_share=0.5, repeat_of=1)),
            "repeat_of: must be a blinded session that asks for the same verdict",
        ),
    ],
)
def test_repeats_that_cannot_be_drawn_are_refused(sessions, sentence):
    with pytest.raises(BadInput, match=sentence):
        Protocol(tuple(sessions)).check()


def templates(**changes):
    sessions = list(ZHOU2021)
    sessions[4] = replace(sessions[4], **changes)
    return sessions


@pytest.mark.parametrize("repeat_of", [0, 3])
def test_repeats_change_nothing_else_of_what_a_seed_draws(repeat_of):
    plain = draw(cohort(), ZHOU2021, seed=7)
    changed = draw(cohort(), templates(repeats=44, repeat_of=repeat_of, repeat_distance=50), seed=7)
    assert {number: changed[number] for number in (1, 2, 3, 4)} == {number: plain[number] for number in (1, 2, 3, 4)}
    assert [pick for pick in changed[5] if not pick.is_repeat] == plain[5]
    again = [replace(pick, is_repeat=False) for pick in changed[5] if pick.is_repeat]
    assert len(set(again)) == 44
    assert set(again) <= set(plain[repeat_of or 5])
    assert sum(pick.adversarial for pick in again) == 22  # as in the session


def test_the_position_of_a_repeat_tells_nothing_of_its_kind():
    positions = {True: [], False: []}
    for seed in range(30):
        picks = draw(cohort(), templates(repeats=40, repeat_distance=40), seed=seed)[5]
        for position, pick in enumerate(picks):
            if pick.is_repeat:
                positions[pick.adversarial].append(position)
    assert len(positions[True]) == len(positions[False]) == 600
    means = [sum(places) / len(places) for places in positions.values()]
    assert abs(means[0] - means[1]) < 20  # the standard error of the difference is about 6 positions


REPEATED = Protocol(
    (
        replace(READING, repeat_share=0.25, repeat_distance=4),
        replace(
            READING, splits=("tuning", "test"), order=ReadingOrder.PER_READER, repeat_share=0.25, repeat_distance=4
        ),
        replace(READING, splits=("tuning", "test"), real=2, adversarial=2, repeat_share=0.5, repeat_of=2),
    ),
    analysis=AnalysisPlan(before=1, after=2),
)


def test_readers_get_the_repeats_of_the_draw_in_their_own_order(db, small):
    study = make.study("again", protocol=REPEATED, is_rehearsal=True)
    assert [plan.total for plan in study.session_plans.all()] == [15, 15, 10]
    rita, rosa = (make.reader_in(study, name) for name in ("rita", "rosa"))
    for reader in (rita, rosa):
        for number in (1, 2, 3):
            shown = Presentation.objects.filter(
                reading_list__enrollment__reader=reader, reading_list__session_plan__number=number
            ).order_by("position")
            firsts = {row.stimulus_id: row.position for row in shown if not row.is_repeat}
            repeats = {row.stimulus_id: row.position for row in shown if row.is_repeat}
            drawn = Allocation.objects.filter(session_plan__study=study, session_plan__number=number, is_repeat=True)
            assert set(repeats) == set(drawn.values_list("stimulus_id", flat=True))
            if number < 3:
                assert all(position - firsts[stimulus] >= 4 for stimulus, position in repeats.items())
            else:
                assert not set(repeats) & set(firsts)
    orders = [
        list(
            Presentation.objects.filter(
                reading_list__enrollment__reader=reader, reading_list__session_plan__number=2
            ).values_list("stimulus_id", flat=True)
        )
        for reader in (rita, rosa)
    ]
    assert orders[0] != orders[1]
    codes = Presentation.objects.filter(reading_list__enrollment__reader=rita)
    assert len(set(codes.values_list("code", flat=True))) == 40  # a code of its own for each showing
    twice = codes.filter(is_repeat=True).values_list("stimulus_id", flat=True)
    of_twice = codes.filter(stimulus_id__in=list(twice)).count()
    assert of_twice == 2 * len(twice)
    assert adversarial_codes(study.enrollments.get(reader=rita))
