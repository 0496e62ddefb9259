"""The minutes that readers see: at their own pace once it is known, before as the plan estimates."""

import pytest

from readerstudy.protocol.rules import SessionRules
from readerstudy.reading.minutes import LEAST, minutes_for, own_paces
from readerstudy.reading.models import Reading
from readerstudy.studies.models import SessionPlan
from tests import make, walk


@pytest.mark.parametrize(
    ("images", "seconds", "minutes"),
    [(0, 15, 0), (1, 15, 1), (14, 15, 4), (40, 15, 10), (44, 15, 10), (52, 15, 15), (436, 15, 110), (436, 8, 60)],
)
def test_minutes_are_whole_and_above_ten_multiples_of_five(images, seconds, minutes):
    plan = SessionPlan(kind="blinded", rules_data=SessionRules(seconds_per_image=seconds).as_data())
    assert minutes_for(images, plan, enrollment=1, paces={}) == minutes
    assert minutes_for(images, plan, enrollment=1, paces={(1, "education"): 1.0, (2, "blinded"): 1.0}) == minutes


def test_the_readers_own_pace_counts_from_the_tenth_image_on(study, rita):
    client = walk.client_of(rita)
    for number in (1, 2):
        walk.finish_session(client, study.code, number)
    assert own_paces(rita) == {}
    step = walk.open_session(client, study.code, 3)
    for count in range(1, 8):
        paradata = {"questions_ms": 500} if count < 7 else {}
        step = walk.answer(client, study.code, 3, step, "real", elapsed_ms=6000, paradata=paradata).json()["step"]
        # Three images of session 2 took four seconds.
        known = own_paces(rita)
        assert len(known) == (3 + count >= LEAST)
    (((enrollment, kind), pace),) = known.items()
    assert (enrollment, kind, pace) == (study.enrollments.get().pk, "blinded", 6500)
    assert Reading.objects.filter(elapsed_ms=6000).count() == 7
    assert own_paces(make.reader_in(study, "rosa")) == {}
