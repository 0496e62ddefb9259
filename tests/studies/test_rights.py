"""Rights in a study: who sees it, who gives them, and that nobody else learns of it."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import InternalError
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, NotFound
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.access import is_researcher_of, members_of, role_in, studies_of, study_for
from readerstudy.studies.actions import add_member, draft_study, remove_member
from readerstudy.studies.models import Study, StudyMember
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import may_see_report, may_see_truth
from tests import make, walk
from tests.admin.conftest import signed_in
from tests.analysis import rows
from tests.api.conftest import quick_passwords

__all__ = ["quick_passwords", "signed_in"]

ROLES = [Role.COORDINATOR, Role.RESEARCHER]


@pytest.fixture
def study(db):
    return rows.study()


@pytest.fixture
def clara(study):
    return make.user("clara", Role.COORDINATOR)


@pytest.fixture
def rosa(study):
    return make.user("rosa", Role.RESEARCHER)


def add(study, person, role, actor=None):
    return add_member(study=study, person=person, role=role, actor=actor, at=make.MONDAY)


def without_token(answer) -> str:
    """The page without the token of its forms, which is masked anew for each page."""
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())


# --- who sees it ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_sees_no_trace_of_the_study(study, signed_in, role):
    person = make.stranger("sam", role)
    browser, api = signed_in(person), walk.client_of(person)
    for address in ("/desk/", "/report/", "/admin/studies/study/", "/admin/studies/enrollment/", "/admin/audit/event/"):
        page = browser.get(address)
        assert page.status_code == 200, address
        assert "small" not in page.content.decode().replace("<small>", "").replace("</small>", ""), address
    assert api.get("/api/v1/studies/").json()["results"] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_gets_the_answer_of_an_unknown_study(study, signed_in, role):
    person = make.stranger("sam", role)
    browser, api = signed_in(person), walk.client_of(person)
    pages = ("study", "monitor", "people", "mails", "team", "reported-images")
    addresses = [reverse(f"desk:{page}", args=["CODE"]) for page in pages]
    if role == Role.RESEARCHER:
        addresses.append("/report/CODE/")
    for address in addresses:
        known, unknown = (browser.get(address.replace("CODE", code)) for code in ("small", "other"))
        assert known.status_code == unknown.status_code == 404, address
        assert without_token(known).replace("small", "other") == without_token(unknown), address
    for part in ("", "sessions/", "readers/", "readings/"):
        known, unknown = (api.get(f"/api/v1/studies/{code}/{part}") for code in ("small", "other"))
        assert known.status_code == unknown.status_code == 404, part
        assert known.content.replace(b"small", b"other") == unknown.content, part


@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_changes_nothing(study, signed_in, role):
    person = make.stranger("sam", role)
    browser, api = signed_in(person), walk.client_of(person)
    make.user("paul")
    done = Event.objects.exclude(verb="access.refused")
    events = done.count()
    assert api.post("/api/v1/studies/small/close/", {"reason": "x"}).status_code == 404
    assert api.post("/api/v1/studies/small/readers/", {"user": "paul"}).status_code == 404
    browser.post(f"/admin/studies/study/{study.pk}/close/", {"_form_submitted": "on", "reason": "x"})
    browser.post("/admin/studies/enrollment/add/", {"study": study.pk, "reader": 1})
    form = {"person": "sam", "role": role.value}
    assert browser.post(reverse("desk:team-add", args=["small"]), form).status_code == 404
    study.refresh_from_db()
    assert (study.status, study.enrollments.count(), done.count()) == ("open", 2, events)
    assert Event.objects.filter(verb="access.refused", actor=person, study="").count() == 3


def test_a_row_of_a_strangers_study_has_no_page(study, signed_in):
    browser = signed_in(make.stranger("sam", Role.RESEARCHER))
    for row in (study, study.enrollments.first(), study.session_plans.first(), study.arms.first()):
        label = row._meta.label_lower.replace(".", "_")
        answer = browser.get(reverse(f"admin:{label}_change", args=[row.pk]))
        assert answer.status_code == 302, label  # to the start of the administration
        assert browser.get(reverse(f"admin:{label}_changelist")).context["cl"].result_count == 0


def test_a_filter_offers_no_study_of_others(study, signed_in):
    sam = make.stranger("sam", Role.RESEARCHER)
    rows.study(readers=["r2"], code="mine", is_rehearsal=True)
    page = signed_in(sam).get("/admin/studies/sessionplan/").content.decode()
    assert "mine" in page
    assert ">small<" not in page
    assert f"study__id__exact={study.pk}" not in page


def test_a_superuser_takes_part_everywhere_and_a_reader_nowhere(study):
    assert list(studies_of(make.overseer())) == [study]
    assert role_in(study, make.overseer()) == Role.RESEARCHER
    reader = study.enrollments.first().reader
    assert not studies_of(reader).exists()
    assert role_in(study, reader) is None


def test_an_account_that_is_switched_off_has_no_part(study, clara):
    clara.is_active = False
    assert role_in(study, clara) is None
    with pytest.raises(NotFound):
        study_for(clara, "small")


# --- the truth ------------------------------------------------------------------------------------------------
def test_a_researcher_who_coordinates_a_study_cannot_unseal_it(study, signed_in):
    sam = make.stranger("sam", Role.RESEARCHER)
    add(study, sam, Role.COORDINATOR)
    rows.closed(study)
    with pytest.raises(NotAllowed, match="Only researchers of the study small"):
        unseal_study(study=study, actor=sam, reason="Done.", at=make.MONDAY)
    assert walk.client_of(sam).post("/api/v1/studies/small/unseal/", {"reason": "x"}).status_code == 403
    assert signed_in(sam).post("/report/small/unseal/", {"reason": "x"}).status_code == 403
    study.refresh_from_db()
    assert study.status == "closed"


def test_only_researchers_of_the_study_see_the_truth_after_unsealing(study, rosa, clara):
    sam = make.stranger("sam", Role.RESEARCHER)
    add(study, sam, Role.COORDINATOR)
    unseal_study(study=rows.closed(study), actor=rosa, reason="Done.", at=make.MONDAY)
    study.refresh_from_db()
    stranger = make.stranger("stan", Role.RESEARCHER)
    seen = {person.username: may_see_truth(study, person) for person in (rosa, clara, sam, stranger)}
    assert seen == {"rosa": True, "clara": False, "sam": False, "stan": False}
    assert {person.username for person in (rosa, clara, sam, stranger) if may_see_report(study, person)} == {"rosa"}
    assert walk.client_of(sam).get("/api/v1/studies/small/results/").status_code == 403
    lines = walk.client_of(sam).get("/api/v1/studies/small/readings/").json()["results"]
    assert lines
    assert not any("authenticity" in line for line in lines)


# --- giving and ending them -----------------------------------------------------------------------------------
def test_who_drafts_a_study_is_its_first_member(study, rosa):
    session = ProtocolSession(SessionKind.BLINDED, "A", real=2)
    protocol = Protocol((session, session), analysis=AnalysisPlan(before=1, after=2))
    mine = draft_study(code="mine", title="x", cohort=study.cohort, protocol=protocol, actor=rosa, at=make.MONDAY)
    assert [(member.person, member.role) for member in members_of(mine)] == [(rosa, "researcher")]


def test_clara_adds_a_researcher_and_removes_her_again(study, clara, signed_in):
    ruth = make.stranger("ruth", Role.RESEARCHER)
    browser = signed_in(clara)
    browser.post(reverse("desk:team-add", args=["small"]), {"person": "ruth", "role": "researcher"})
    assert is_researcher_of(study, ruth)
    assert "ruth" in browser.get(reverse("desk:team", args=["small"])).content.decode()
    member = members_of(study).get(person=ruth)
    browser.post(reverse("desk:team-remove", args=["small", member.pk]))
    assert role_in(study, ruth) is None
    assert not studies_of(ruth).exists()
    with pytest.raises(NotFound):
        study_for(ruth, "small")
    assert StudyMember.objects.get(pk=member.pk).removed_by == clara
    verbs = Event.objects.filter(verb__startswith="member.", data__person=ruth.pk).values_list(
        "verb", "actor__username"
    )
    assert list(verbs) == [("member.added", "clara"), ("member.removed", "clara")]


@pytest.mark.parametrize(
    ("name", "role", "sentence"),
    [
        ("rita", Role.COORDINATOR, "not an active coordinator"),
        ("clara", Role.RESEARCHER, "coordinator's account"),
        ("clara", Role.COORDINATOR, "has this role"),
    ],
)
def test_a_wrong_member_is_refused_with_the_reason(study, clara, name, role, sentence):
    person = clara if name == "clara" else study.enrollments.first().reader
    with pytest.raises(BadInput, match=sentence):
        add(study, person, role)


def test_nobody_raises_their_own_role(study):
    sam = make.stranger("sam", Role.RESEARCHER)
    add(study, sam, Role.COORDINATOR)
    with pytest.raises(NotAllowed, match="their own role"):
        add(study, sam, Role.RESEARCHER, actor=sam)
    assert role_in(study, sam) == Role.COORDINATOR


def test_the_last_member_stays(study, clara):
    with pytest.raises(BadInput, match="last member"):
        remove_member(study=study, person=clara, actor=clara, at=make.MONDAY)
    assert studies_of(clara).exists()


@pytest.mark.parametrize("change", ["role = 'researcher'", "person_id = person_id + 1", "added_at = now()"])
def test_the_database_keeps_a_right_as_it_was_given(study, clara, change):
    with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE studies_studymember SET {change}")


def test_the_terminal_gives_and_ends_a_part(study, clara):
    make.stranger("sam", Role.RESEARCHER)
    call_command("study_member", "add", "small", "sam", role="coordinator")
    assert members_of(study).get(person__username="sam").role == "coordinator"
    call_command("study_member", "remove", "small", "sam")
    assert not members_of(study).filter(person__username="sam").exists()
    with pytest.raises(CommandError, match="no part"):
        call_command("study_member", "remove", "small", "sam")
    assert Study.objects.count() == 1
