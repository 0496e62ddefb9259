"""The rules of the seal: a table of studies, people and images, and what may be shown."""

import pytest
from django.utils import translation

from readerstudy.analysis.queries.ratings import study_ratings
from readerstudy.errors import NotAllowed, StudyError
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.actions import archive_study, close_study, copy_members, pause_study, unlock_study
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import Allocation, Presentation, Study
from readerstudy.truth.actions import create_study, lock_study, same_draw, same_plan, unseal_study
from readerstudy.truth.queries import adversarial_codes, shown_cases, truth_of_stimuli, truth_of_study
from readerstudy.truth.seal import (
    StillSealed,
    StudyStillOpen,
    in_no_sealed_study,
    may_see_report,
    may_see_truth,
    may_show_images_of_cohort,
    may_show_triptych,
    require_unsealed,
    require_verdicts_visible,
    revealed_seed,
    sealed_studies,
)
from readerstudy.truth.seeds import seed_of
from tests import make

pytestmark = pytest.mark.django_db
STATES = [(status, is_rehearsal) for status in StudyStatus for is_rehearsal in (False, True)]


@pytest.mark.parametrize(("status", "is_rehearsal"), STATES)
def test_each_rule_follows_status_and_rehearsal(study, rosa, clara, rita, status, is_rehearsal):
    if is_rehearsal:
        unseal(study)
        source = study
        study = create_study(code="copy", title="x", at=make.MONDAY, is_rehearsal=True, **same_plan(source))
        copy_members(source=source, target=study, at=make.MONDAY)
    move_to(study, status)
    is_unsealed = status in (StudyStatus.UNSEALED, StudyStatus.ARCHIVED)
    is_closed = is_unsealed or status == StudyStatus.CLOSED
    assert study.is_sealed is (not is_unsealed and not is_rehearsal)
    assert sealed_studies().filter(pk=study.pk).exists() is study.is_sealed
    assert may_show_images_of_cohort(study.cohort.name) is not study.is_sealed
    assert study.shows_verdicts is is_closed
    assert (revealed_seed(study) is not None) is is_unsealed
    assert revealed_seed(study) in (None, seed_of(study))
    assert [may_see_truth(study, person) for person in (rosa, clara, rita)] == [is_unsealed, False, False]
    assert [may_see_report(study, person) for person in (rosa, clara, rita)] == [True, is_rehearsal, False]


def test_a_sealed_study_and_an_open_one_raise_the_rule(study):
    with pytest.raises(StillSealed, match="close it, then unseal it"):
        require_unsealed(study)
    with pytest.raises(StudyStillOpen, match="once it is closed"):
        require_verdicts_visible(study)


@pytest.mark.parametrize("query", [truth_of_study, truth_of_stimuli, lambda study: shown_cases(study, [])])
def test_no_query_joins_a_sealed_study_with_its_truth(study, query):
    with pytest.raises(StillSealed):
        query(study)
    unseal(study)
    assert query(study) is not None


def test_only_a_rehearsal_is_read_with_the_truth_in_hand(study, rita):
    enrollment = study.enrollments.get(reader=rita)
    with pytest.raises(StudyError, match="not a rehearsal"):
        adversarial_codes(enrollment)


def test_an_image_is_hidden_at_every_resolution_and_as_every_version(study):
    condition = in_no_sealed_study("stimulus__image")
    assert not Allocation.objects.filter(condition).exists()
    unseal(study)
    assert Allocation.objects.filter(condition).count() == Allocation.objects.count()


def test_a_rehearsal_hides_no_image(study):
    unseal(study)
    create_study(code="copy", title="x", at=make.MONDAY, is_rehearsal=True, **same_plan(study))
    assert Allocation.objects.filter(in_no_sealed_study("stimulus__image")).count() == Allocation.objects.count()


def test_verdicts_of_an_unsealed_rehearsal_wait_for_the_study(study, rosa):
    """Its images are those of the study, whose readers may still read."""
    copy = create_study(code="copy", title="x", at=make.MONDAY, is_rehearsal=True, **same_plan(study))
    copy_members(source=study, target=copy, at=make.MONDAY)
    unseal(copy)
    with pytest.raises(NotAllowed, match="not for you, or not yet"):
        study_ratings(copy, rosa)


def test_the_seed_is_hidden_while_a_study_of_the_same_draw_is_sealed(small, rosa):
    cohort = make.cohort(resolutions=("high", "low"))
    make.adversarial_images_for(cohort, resolutions=("high", "low"))
    one = {"scale": 0.03, "persons_to_unseal": 1}
    high = create_study(code="high", title="x", template="zhou2021", cohort=cohort, at=make.MONDAY, **one)
    low = create_study(code="low", title="x", at=make.MONDAY, **same_draw(high, resolution="low"))
    close_study(study=low, actor=None, reason="All have read.", at=make.MONDAY)
    unseal(high)
    assert revealed_seed(high) is None
    unseal_study(study=low, actor=None, reason="All have read.", at=make.MONDAY)
    assert revealed_seed(high) == revealed_seed(low) == seed_of(high)


def test_only_the_educational_session_shows_triptychs(study, rita):
    shown = {
        presentation.reading_list.session_plan.kind
        for presentation in Presentation.objects.select_related("reading_list__session_plan")
        if may_show_triptych(presentation)
    }
    assert shown == {SessionKind.EDUCATION}


def move_to(study: Study, status: StudyStatus) -> None:
    """Move an open study to this status, by the actions."""
    reason = {"actor": None, "reason": "All have read.", "at": make.MONDAY}
    match status:
        case StudyStatus.OPEN:
            return
        case StudyStatus.PAUSED:
            pause_study(study=study, **reason)
        case StudyStatus.DRAFT | StudyStatus.REHEARSED | StudyStatus.LOCKED:
            unlock_study(study=study, **reason)
            if status == StudyStatus.REHEARSED:
                study.mark_rehearsed(at=make.MONDAY)
            if status == StudyStatus.LOCKED:
                lock_study(study=study, actor=None, at=make.MONDAY)
        case _:
            close_study(study=study, **reason)
            if status != StudyStatus.CLOSED:
                unseal_study(study=study, **reason)
            if status == StudyStatus.ARCHIVED:
                archive_study(study=study, **reason)


def unseal(study: Study) -> None:
    move_to(study, StudyStatus.UNSEALED)


def test_the_refusals_of_a_sealed_study_are_in_german_too(study):
    with translation.override("de"):
        with pytest.raises(StudyError, match="noch versiegelt"):
            require_unsealed(study)
        with pytest.raises(StudyError, match="Ihre Beurteilungen werden gezeigt"):
            require_verdicts_visible(study)
