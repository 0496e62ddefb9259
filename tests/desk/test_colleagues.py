"""Accounts of coordinators and researchers: inviting them by link, their role, and ending and reopening accounts."""

import re

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils.timezone import now
from rest_framework.test import APIClient

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.tokens import make_token
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, NotFound
from readerstudy.invitations.colleagues import change_role, deactivate_account, invite_colleague, send_account_link
from readerstudy.invitations.invitees import Invitee
from readerstudy.invitations.letters import Terms
from readerstudy.invitations.models import Mail
from readerstudy.studies.access import role_in
from readerstudy.studies.actions import add_member
from readerstudy.studies.models import Study
from tests import make
from tests.analysis import rows
from tests.make import MONDAY
from tests.test_german import left_in_english

INVITE = "/desk/people/invite/"
KIM = {"first_name": "Kim", "last_name": "Koch", "address": "kim@example.org", "language": "en"}
TERMS = Terms(base_url="https://study.example.org", language="en")
WHY = {"reason": "A good reason."}


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def study(db) -> Study:
    return rows.study(readers=["rita"])


@pytest.fixture
def rosa(study) -> User:
    return make.user("rosa", Role.RESEARCHER, first_name="Rosa", email="rosa@example.org")


@pytest.fixture
def desk(rosa, client, django_capture_on_commit_callbacks):
    """Rosa's browser; what waits for the commit is done with each request."""
    client.force_login(rosa)
    post = client.post

    def post_and_commit(*args, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return post(*args, **kwargs)

    client.post = post_and_commit
    return client


def colleague(name: str, role: Role, study: Study | None = None, member: Role | None = None) -> User:
    person = make.stranger(name, role)
    if study:
        add_member(study=study, person=person, role=member or role, actor=None, at=MONDAY)
    return person


def page_of(person: User, act: str = "") -> str:
    return f"/desk/people/{person.pk}/{act}"


# --- inviting ---------------------------------------------------------------------------------------------------
def test_a_colleague_is_invited_after_a_check_and_signs_in(study, desk, rosa, settings):
    settings.SENDS_MAIL = True
    values = {**KIM, "role": "researcher", "studies": ["small"]}
    page = desk.post(INVITE, values).content.decode()
    assert "small (Researcher)" in page
    assert not User.objects.filter(email=KIM["address"]).exists()
    page = desk.post(INVITE, {**values, "step": "confirm"}, follow=True).content.decode()
    assert "kim.koch is invited." in page
    kim = User.objects.get(email=KIM["address"])
    assert (kim.role, kim.is_staff, kim.is_superuser) == ("researcher", True, False)
    assert role_in(study, kim) == Role.RESEARCHER
    (message,) = outbox.outbox
    assert "with the role: Researcher" in message.body
    assert message.reply_to == ["rosa@example.org"]
    browser = Client()
    browser.post(re.search(r"/account/sign-in/[\w-]+/", message.body)[0])
    assert "small" in browser.get("/desk/").content.decode()
    assert Event.objects.get(verb="account.made").actor == rosa


def test_without_a_server_the_text_is_shown_once(desk):
    page = desk.post(INVITE, {**KIM, "role": "coordinator", "step": "confirm"}).content.decode()
    browser = Client()
    assert browser.post(re.search(r"/account/sign-in/[\w-]+/", page)[0]).status_code == 302
    assert "/account/sign-in/" not in desk.get(page_of(User.objects.get(email=KIM["address"]))).content.decode()


def test_only_researchers_invite_colleagues(study, client):
    clara = make.user("clara", Role.COORDINATOR)
    client.force_login(clara)
    assert client.get(INVITE).status_code == client.post(INVITE, KIM).status_code == 403
    with pytest.raises(NotAllowed, match="Only researchers"):
        invite_colleague(
            invitee=Invitee(1, "Kim", "Koch", "kim@example.org"),
            role=Role.COORDINATOR, studies=[], actor=clara, at=MONDAY, terms=TERMS,
        )  # fmt: skip


def test_nobody_gives_more_rights_in_a_study_than_they_have(study):
    ruth = colleague("ruth", Role.RESEARCHER, study, Role.COORDINATOR)
    values = {"role": Role.RESEARCHER, "at": MONDAY, "terms": TERMS}
    invitee = Invitee(1, "Kim", "Koch", "kim@example.org")
    letter = invite_colleague(invitee=invitee, studies=[study], actor=ruth, **values)
    assert role_in(study, letter.mail.person) == Role.COORDINATOR
    ralph = colleague("ralph", Role.RESEARCHER)
    with pytest.raises(NotFound, match="There is no study small"):
        invite_colleague(invitee=Invitee(1, "Li", "Lu", "li@example.org"), studies=[study], actor=ralph, **values)
    with pytest.raises(BadInput, match="Readers are invited"):
        invite_colleague(invitee=invitee, studies=[], actor=ralph, **{**values, "role": Role.READER})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"address": "RITA@example.org"}, "readers must not see their truth"),
        ({"address": "Rosa@example.org"}, "is a Researcher already"),
        ({"address": "kim"}, "valid email"),
        ({"role": "reader"}, "not one of the available choices"),
        ({"studies": ["other"]}, "not one of the available choices"),
        ({"last_name": ""}, "required"),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong(desk, change, sentence):
    User.objects.filter(username="rita").update(email="rita@example.org")
    answer = desk.post(INVITE, {**KIM, "role": "coordinator", "step": "confirm", **change})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Mail.objects.exists()


# --- role and access --------------------------------------------------------------------------------------------
def test_a_change_of_role_gives_back_no_rights_in_studies(study, desk):
    ralph = colleague("ralph", Role.RESEARCHER, study)
    for role, expected in (("coordinator", Role.COORDINATOR), ("researcher", Role.COORDINATOR)):
        page = desk.post(page_of(ralph, "role/"), {"role": role, **WHY}, follow=True).content.decode()
        assert "ralph has another role." in page
        ralph.refresh_from_db()
        assert (ralph.role, role_in(study, ralph)) == (role, expected)
    assert [event.data["after"] for event in Event.objects.filter(verb="account.role_changed").order_by("pk")] == [
        "coordinator",
        "researcher",
    ]
    assert "A good reason." in page


def test_a_reader_gets_no_role_that_sees_the_truth(study, rosa):
    rita = User.objects.get(username="rita")
    for person, role in ((rita, Role.RESEARCHER), (colleague("ralph", Role.RESEARCHER), Role.READER)):
        with pytest.raises(BadInput, match="nor the other way round"):
            change_role(person=person, role=role, actor=rosa, reason="x", at=MONDAY)


def test_a_deactivated_account_has_no_way_in(study, desk):
    carl = colleague("carl", Role.COORDINATOR, study)
    browser, program = Client(), APIClient()
    browser.force_login(carl)
    program.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user=carl, name='notebook', at=now())[1]}")
    text = desk.post(page_of(carl, "text/")).content.decode()
    link = re.search(r"/account/sign-in/[\w-]+/", text)[0]
    desk.post(page_of(carl, "deactivate/"), {"reason": " "})
    assert browser.get("/desk/").status_code == 200
    desk.post(page_of(carl, "deactivate/"), WHY)
    assert browser.get("/desk/").status_code == 302
    assert program.get("/api/v1/studies/").status_code == 401
    assert Client().post(link).status_code == 410
    assert "deactivated already" in desk.post(page_of(carl, "deactivate/"), WHY, follow=True).content.decode()
    shown = desk.get(page_of(carl)).content.decode()
    assert re.search(r'<ul id="rights">\s*<li>small A small study: Coordinator </li>\s*</ul>', shown)
    for wrong in ({}, {"rights": "0"}, {"rights": "x"}):
        answer = desk.post(page_of(carl, "reactivate/"), {**WHY, **wrong}, follow=True).content.decode()
        assert "Confirm the rights that carl gets back" in answer
    assert browser.get("/desk/").status_code == 302
    page = desk.post(page_of(carl, "reactivate/"), {**WHY, "rights": "1"}, follow=True).content.decode()
    assert "carl is active again." in page
    assert Event.objects.get(verb="account.activated").data == {"reason": "A good reason.", "rights": 1}
    assert Client().post(link).status_code == 410
    assert program.get("/api/v1/studies/").status_code == 401  # tokens do not come back


def test_rights_in_studies_of_others_are_counted_and_not_named(study, desk, rosa):
    ralph = colleague("ralph", Role.RESEARCHER)
    add_member(study=Study.objects.get(), person=ralph, role=Role.RESEARCHER, actor=None, at=MONDAY)
    desk.post(page_of(ralph, "deactivate/"), WHY)
    assert "small A small study: Researcher" in desk.get(page_of(ralph)).content.decode()
    desk.force_login(colleague("ruth", Role.RESEARCHER))
    page = desk.get(page_of(ralph)).content.decode()
    assert "1 study that you have no part in" in page
    assert "A small study" not in page


def test_who_may_change_whose_account(study, rosa):
    clara, root = colleague("clara", Role.COORDINATOR, study), make.overseer()
    rita = User.objects.get(username="rita")
    values = {"reason": "x", "at": MONDAY}
    for actor, person in ((rosa, rosa), (clara, rosa), (rita, clara), (rosa, root)):
        with pytest.raises(NotAllowed, match="cannot change the account"):
            deactivate_account(person=person, actor=actor, **values)
    for actor, person in ((clara, rita), (rosa, clara), (root, rosa)):
        deactivate_account(person=person, actor=actor, **values)
    assert User.objects.filter(is_active=False).count() == 3


def test_nobody_sees_the_link_of_somebody_with_more_rights(study, rosa, settings):
    ralph, ruth = colleague("ralph", Role.RESEARCHER), colleague("ruth", Role.RESEARCHER, study, Role.COORDINATOR)
    User.objects.filter(pk=rosa.pk).update(email="rosa@example.org")
    values = {"person": rosa, "at": MONDAY}
    for actor in (ralph, ruth):  # no part in Rosa's study; a lesser one
        with pytest.raises(NotAllowed, match="rights in studies that you lack"):
            send_account_link(actor=actor, terms=TERMS, **values)
    settings.SENDS_MAIL = True
    letter = send_account_link(actor=ralph, terms=TERMS, **values)
    assert (letter.text, letter.mail.address) == ("", "rosa@example.org")
    with pytest.raises(NotAllowed, match="can only be sent"):
        send_account_link(actor=ralph, terms=Terms(TERMS.base_url, "en", by_hand=True), **values)
    assert send_account_link(person=ruth, actor=rosa, terms=TERMS, at=MONDAY).text


# --- passwords and pages ----------------------------------------------------------------------------------------
def test_who_came_by_a_link_chooses_a_password(desk, rosa):
    rosa.set_unusable_password()
    rosa.save()
    desk.force_login(rosa)
    new = {"new_password1": "correct-horse-9", "new_password2": "correct-horse-9"}
    assert "is too short" in desk.post("/account/password/", dict.fromkeys(new, "a1b")).content.decode()
    assert desk.post("/account/password/", new).status_code == 302
    assert Client().login(username="rosa", password="correct-horse-9")
    answer = desk.post("/account/password/", new)  # the second time the old one is needed
    assert answer.status_code == 200
    assert Event.objects.filter(verb="password.changed", actor=rosa).count() == 1


def test_the_pages_of_accounts_are_german(study, desk, rosa):
    carl = colleague("carl", Role.COORDINATOR, study)
    desk.post(page_of(carl, "deactivate/"), {"reason": "x"})
    names = {"x", "Rosa", "rosa", "rosa@example.org", "carl", "small", "small R1", "small A small study"}
    for address in (INVITE, page_of(carl), page_of(rosa), "/desk/people/", "/account/password/"):
        assert left_in_english(desk, address) - names == set(), address
