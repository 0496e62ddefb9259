"""Damaged requests of a reader: never a fault of the server, and a reading only by a valid verdict."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make, walk
from tests.fuzz.wire import Wire


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rng=st.randoms(use_true_random=False))
def _damaged_requests(wire: Wire, rng: Random) -> None:
    wire.try_one(rng)


def test_damaged_verdicts_and_other_requests_are_refused(db, small):
    study = make.study("asked", changes={"every": {"questions": ["confidence", "mark"]}})
    client = walk.client_of(make.reader_in(study))
    _damaged_requests(Wire(client, study.code, 1, walk.open_session(client, study.code, 1)))
