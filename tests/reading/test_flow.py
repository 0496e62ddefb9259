"""Pure: what comes next, from where the reader stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from readerstudy.reading.flow import Ask, Done, Progress, Read, Ready, Teach, Wait, next_step
from tests.make import MONDAY

FIRST = Progress(number=1, place=1, total=3, answered=0, is_open=False, previous_finished_at=None)


@pytest.mark.parametrize(
    ("progress", "step"),
    [
        (FIRST, Ready()),
        (replace(FIRST, is_open=True), Read(1)),
        (replace(FIRST, is_open=True, answered=2), Read(3)),
        (replace(FIRST, is_open=True, answered=3), Done()),
        (replace(FIRST, is_open=True, answered=1, teaches=True), Teach(2)),
        (replace(FIRST, is_open=True, answered=3, asks_at_end=True), Ask()),
        (replace(FIRST, is_open=True, total=0, asks_at_end=True), Ask()),
        (replace(FIRST, number=2, place=2), Wait(until=None)),
        (replace(FIRST, number=2, place=2, previous_finished_at=MONDAY), Ready()),
        (
            replace(FIRST, number=2, place=2, previous_finished_at=MONDAY, washout=timedelta(days=7)),
            Wait(until=MONDAY + timedelta(days=7)),
        ),
        # An open session stays open, whatever the washout says.
        (replace(FIRST, number=2, place=2, is_open=True, washout=timedelta(days=7)), Read(1)),
    ],
)
def test_the_step_follows_from_the_progress(progress, step):
    assert next_step(progress, now=MONDAY) == step


def test_a_washout_ends_on_the_minute():
    waiting = replace(FIRST, number=2, place=2, previous_finished_at=MONDAY, washout=timedelta(days=7))
    assert next_step(waiting, now=MONDAY + timedelta(days=7)) == Ready()
