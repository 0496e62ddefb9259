"""Nobody is enrolled to see images again that another study shows them, unless somebody records a reason."""

import pytest
from django.db import DatabaseError, transaction

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, StudyError
from readerstudy.invitations.actions import invite_readers, plan_invitations, replace_reader
from readerstudy.invitations.invitees import parse_invitees
from readerstudy.studies.actions import allow_repeated_images, draft_study, enroll, unlock_study, withdraw_reader
from readerstudy.studies.exposure import SeenBefore, images_shown_elsewhere
from readerstudy.studies.models import Allocation, Enrollment, WrongReaderState
from readerstudy.truth.actions import create_study, lock_study
from tests import make, walk
from tests.invitations.conftest import TERMS

AT = {"at": make.MONDAY}
WHY = "The washout of a year is over."


@pytest.fixture
def second(study, clara):
    """Another draw from the same cohort: the small cohort is shown in nearly full."""
    values = {"title": "Second", "template": "zhou2021", "resolution": "low"}
    made = create_study(code="second", cohort=study.cohort, scale=0.03, seed=8, **values, **AT)
    make.join([clara], [made])
    return made


def shared(first, second) -> int:
    first, second = (
        set(Allocation.objects.filter(session_plan__study=study).values_list("stimulus__image", flat=True))
        for study in (first, second)
    )
    return len(first & second)


def test_a_second_study_with_the_same_images_is_refused(study, rita, second):
    count = shared(study, second)
    assert count > 0
    with pytest.raises(SeenBefore, match=f"rita has seen or will see {count} of its images in tiny."):
        enroll(study=second, reader=rita, **AT)
    assert not second.enrollments.exists()


def test_a_recorded_reason_lets_the_reader_in(study, rita, second):
    enrollment = enroll(study=second, reader=rita, override_reason=WHY, **AT)
    assert enrollment.override_reason == WHY
    assert Event.objects.filter(verb="reader.enrolled").last().data["override_reason"] == WHY
    assert enrollment.reading_lists.exists()


def test_other_readers_rehearsals_and_other_cohorts_do_not_count(study, rita, second):
    enroll(study=second, reader=make.user("tom"), **AT)
    other = make.study(code="elsewhere")
    enroll(study=other, reader=rita, **AT)
    rehearsal = create_study(
        code="tiny-rehearsal", cohort=study.cohort, scale=0.03, seed=9, title="Third", template="zhou2021",
        resolution="low", is_rehearsal=True, **AT,
    )  # fmt: skip
    enroll(study=rehearsal, reader=rita, **AT)


def test_a_withdrawn_reader_has_seen_only_what_was_shown(study, rita, second):
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    withdraw_reader(enrollment=Enrollment.objects.get(reader=rita), actor=None, reason="She moved away.", **AT)
    seen = sum(each.images for each in images_shown_elsewhere(second, rita))
    assert seen <= 3 < shared(study, second)


def test_before_the_draw_every_image_of_the_cohort_counts(study, rita):
    draft = draft_study(code="plan", title="Plan", cohort=study.cohort, protocol=study.protocol, actor=None, **AT)
    with pytest.raises(SeenBefore, match="of its images in tiny"):
        enroll(study=draft, reader=rita, **AT)


def test_the_draw_is_refused_when_two_drafts_shared_a_reader(study, second):
    tom = make.user("tom")
    for each in (study, second):
        unlock_study(study=each, actor=None, reason="One more session.", **AT)
        enroll(study=each, reader=tom, **AT)
    lock_study(study=study, actor=None, seed=7, **AT)
    with pytest.raises(SeenBefore, match=r"tom \(R1\) has seen .*Give a reason .* or withdraw the reader"):
        lock_study(study=second, actor=None, seed=8, **AT)


def test_a_reason_given_later_lets_the_draw_pass(study, second, clara):
    unlock_study(study=second, actor=None, reason="One more session.", **AT)
    enrollment = enroll(study=second, reader=make.user("tom"), **AT)
    with pytest.raises(StudyError, match="No other study shows R1"):
        allow_repeated_images(enrollment=enrollment, actor=clara, reason=WHY, **AT)
    enroll(study=study, reader=enrollment.reader, **AT)
    with pytest.raises(BadInput, match="reason"):
        allow_repeated_images(enrollment=enrollment, actor=clara, reason=" ", **AT)
    allow_repeated_images(enrollment=enrollment, actor=clara, reason=WHY, **AT)
    event = Event.objects.get(verb="reader.repeats_allowed")
    assert (event.actor, event.data["override_reason"], event.study) == (clara, WHY, "second")
    with pytest.raises(WrongReaderState, match="already"):
        allow_repeated_images(enrollment=enrollment, actor=clara, reason="Another one.", **AT)
    lock_study(study=second, actor=clara, seed=8, **AT)
    assert Enrollment.objects.get(pk=enrollment.pk).reading_lists.exists()


def test_a_stored_reason_cannot_be_changed(study, rita, second):
    enrollment = enroll(study=second, reader=rita, override_reason=WHY, **AT)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Enrollment.objects.filter(pk=enrollment.pk).update(override_reason="Another one.")


def test_after_the_draw_no_reason_is_taken(study, rita, clara):
    enrollment = Enrollment.objects.get(reader=rita)
    with pytest.raises(StudyError, match="drawn already"):
        allow_repeated_images(enrollment=enrollment, actor=clara, reason=WHY, **AT)


def test_the_other_study_is_not_named_to_people_outside_it(rita, second):
    stranger = make.stranger("sam", Role.COORDINATOR)
    make.join([stranger], [second])
    with pytest.raises(SeenBefore, match="of its images in another study"):
        enroll(study=second, reader=rita, actor=stranger, **AT)


# --- invitations ----------------------------------------------------------------------------------------------
@pytest.fixture
def list_with_rita(rita):
    rita.email = "rita@example.org"
    rita.save()
    return parse_invitees("Rita <rita@example.org>\nTom Tau <tom@example.org>").invitees


def test_an_invitation_is_refused_in_the_preview_and_can_be_overridden(second, list_with_rita):
    refused, new = plan_invitations(study=second, invitees=list_with_rita)
    assert (refused.outcome, refused.may_override, new.outcome) == ("refused", True, "new")
    assert "of its images in tiny" in refused.reason
    allowed, _new = plan_invitations(study=second, invitees=list_with_rita, overridden=["RITA@example.org"])
    assert allowed.outcome == "existing"


def test_overriding_an_invitation_needs_a_reason(second, list_with_rita, clara):
    values = {"study": second, "invitees": list_with_rita, "actor": clara, "terms": TERMS, **AT}
    with pytest.raises(BadInput, match="reason"):
        invite_readers(**values, overridden=["rita@example.org"])
    assert len(invite_readers(**values).letters) == 1
    invited = invite_readers(**values, overridden=["rita@example.org"], override_reason=WHY)
    assert [letter.mail.person.username for letter in invited.letters] == ["rita"]
    assert second.enrollments.get(reader__username="rita").override_reason == WHY


def test_a_replacement_follows_the_same_rule(second, list_with_rita, clara):
    tom = enroll(study=second, reader=make.user("tim"), **AT)
    withdraw_reader(enrollment=tom, actor=clara, reason="He moved away.", **AT)
    values = {"withdrawn": tom, "invitee": list_with_rita[0], "actor": clara, "terms": TERMS, **AT}
    with pytest.raises(BadInput, match="of its images in tiny"):
        replace_reader(**values)
    letter = replace_reader(**values, override_reason=WHY)
    assert letter.mail.enrollment.replaces == tom


# --- the API and the administration ---------------------------------------------------------------------------
def test_the_api_refuses_and_takes_the_reason(second, rita, clara):
    client, url = walk.client_of(clara), f"/api/v1/studies/{second.code}/readers/"
    refused = client.post(url, {"user": "rita"})
    assert (refused.status_code, "of its images in tiny" in refused.json()["detail"]) == (409, True)
    taken = client.post(url, {"user": "rita", "override_reason": WHY})
    assert (taken.status_code, taken.json()["override_reason"]) == (201, WHY)


def test_the_administration_refuses_and_takes_the_reason(second, rita, clara, client):
    client.force_login(clara)
    values = {"study": second.pk, "reader": rita.pk, "override_reason": ""}
    page = client.post("/admin/studies/enrollment/add/", values, follow=True).content.decode()
    assert "of its images in tiny" in page
    assert not second.enrollments.exists()
    client.post("/admin/studies/enrollment/add/", {**values, "override_reason": WHY})
    assert second.enrollments.get().override_reason == WHY
