"""The clock of the running web is set back while verdicts come: nothing is lost, doubled or out of order."""

import pytest

from tests.faults.installation import missing_programs
from tests.faults.play import Plan, play

FAULT = "clock of the running web set back"


def test_no_verdict_suffers_while_the_clock_of_the_web_is_set_back():
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    plan = Plan(
        readers=3, jobs=0, steps=1, rounds=3, think_s=0.3, spoilt=0.02, fault_pause_s=1.0, only=(FAULT,), longest_s=90
    )
    outcome = play(plan)
    assert outcome.errors == (), outcome.log
    assert outcome.counts.acknowledged > 20, outcome.seen
    assert outcome.faults[FAULT] > 0
    assert outcome.set_back > 0, "no verdict was stamped before its predecessor: the clock was never wrong"
    assert outcome.counts.wrong == {}, outcome.log
    assert outcome.is_verified
