"""The short form: a few readers, a few jobs, every kind of fault once; then nothing is lost, doubled or invented."""

import pytest

from tests.faults.installation import missing_programs
from tests.faults.play import Plan, play


@pytest.fixture(scope="module")
def outcome():
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    return play(
        Plan(readers=5, jobs=3, steps=400, rounds=1, think_s=0.15, fault_pause_s=0.2, verdicts_a_fault=2, longest_s=400)
    )


def test_every_reader_read_to_the_end(outcome):
    assert (outcome.errors, outcome.unfinished) == ((), 0), outcome.log
    assert outcome.counts.acknowledged == outcome.counts.stored > 100


def test_nothing_is_lost_doubled_or_invented_and_every_job_is_done_once(outcome):
    assert outcome.counts.wrong == {}, outcome.log
    assert outcome.counts.jobs_done == 3


def test_the_record_of_the_study_verifies(outcome):
    assert outcome.is_verified


def test_every_kind_of_fault_happened(outcome):
    assert outcome.kinds - set(outcome.faults) == outcome.impossible, outcome.faults
    assert sum(outcome.spoilt.values()) > outcome.spoilt["requests"]
    assert outcome.seen["no answer"] > 0
