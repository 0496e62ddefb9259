"""The administration: it shows progress and people, acts through the actions, and gives nothing away."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from readerstudy.accounts.models import Role, User
from readerstudy.admin_site import PLURALS
from readerstudy.audit.actions import record
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Image, Stimulus
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.actions import unlock_study
from readerstudy.studies.models import Enrollment, Study
from readerstudy.truth.models import ImageTruth, Truth
from tests import make, walk

PAGES = sorted(model._meta.label_lower for model in admin.site._registry)

# What a coordinator may see here; the rest is raw evidence.
FOR_COORDINATORS = {
    "accounts.user",
    "audit.event",
    "cohort.cohort",
    "jobs.job",
    "reading.checkeddisplay",
    "reading.readingsession",
    "studies.enrollment",
    "studies.study",
}


def changelist(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def change(row) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


@pytest.fixture
def read(study, rita):
    """Sessions 1 and 2 done, by keys that leave a trace."""
    client = walk.client_of(rita)
    walk.finish_session(client, study.code, 1)
    walk.finish_session(client, study.code, 2, walk.always("not_real"))
    return study


# --- doors --------------------------------------------------------------------------------------------------
def test_strangers_are_sent_to_the_sites_own_sign_in_page(client, db):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/account/sign-in/?next=%2Fadmin%2F"


def test_rita_gets_a_sentence_and_no_page(read, rita, signed_in):
    for label in PAGES:
        answer = signed_in(rita).get(changelist(label), follow=True)
        assert answer.status_code == 403
        assert b"The administration is for coordinators and researchers." in answer.content


@pytest.mark.parametrize("label", PAGES)
def test_clara_gets_no_raw_evidence(read, clara, signed_in, label):
    assert signed_in(clara).get(changelist(label)).status_code == (200 if label in FOR_COORDINATORS else 403)


@pytest.mark.parametrize("label", PAGES)
def test_rosa_opens_every_list_searches_it_and_opens_a_row(read, rosa, signed_in, label):
    client = signed_in(rosa)
    assert client.get(changelist(label)).status_code == 200
    assert client.get(changelist(label), {"q": "tiny"}).status_code == 200
    row = admin.site._registry[next(m for m in admin.site._registry if m._meta.label_lower == label)].model.objects
    if first := row.first():
        assert client.get(change(first)).status_code == 200


def test_truth_has_no_page_at_all():
    assert not {Truth, ImageTruth, Stimulus} & admin.site._registry.keys()


def test_only_people_studies_and_enrollments_can_be_added_and_nothing_deleted(study, clara, rosa, rf):
    for person in (clara, rosa):
        request = rf.get("/admin/")
        request.user = person
        pages = admin.site._registry.items()
        assert {model for model, page in pages if page.has_add_permission(request)} == {User, Enrollment, Study}
        assert not [model for model, page in pages if page.has_delete_permission(request)]
        assert {model for model, page in pages if page.has_change_permission(request)} == {User}


def test_a_row_of_evidence_cannot_be_posted_over(read, rosa, signed_in):
    reading = Reading.objects.first()
    answer = signed_in(rosa).post(change(reading), {"verdict": "real", "elapsed_ms": 1})
    assert answer.status_code == 403
    assert Reading.objects.get(pk=reading.pk).elapsed_ms == reading.elapsed_ms


# --- nothing tells ------------------------------------------------------------------------------------------
def test_verdicts_are_hidden_while_the_study_is_open(read, rosa, signed_in):
    client = signed_in(rosa)
    pages = [changelist("reading.reading"), change(Reading.objects.order_by("-pk").first())]
    assert not any(b"Not real" in client.get(page).content for page in pages)
    read.close(at=make.MONDAY)
    assert all(b"Not real" in client.get(page).content for page in pages)


@pytest.mark.parametrize(
    ("label", "question"),
    [
        ("reading.reading", "verdict=not_real"),
        ("reading.reading", "verdict__in=not_real"),
        ("reading.reading", "presentation__stimulus__id__gt=5"),
        ("studies.presentation", "stimulus__gt=5"),
        ("studies.presentation", "stimulus=5"),
        ("studies.allocation", "stimulus__lt=5"),
        ("studies.study", "seed=7"),
        ("studies.study", "seed__gt=5"),
        ("studies.enrollment", "study__seed=7"),
        ("audit.event", "data__seed=7"),
        ("accounts.user", "password__startswith=pbkdf2"),
        ("cohort.image", "stimuli__bytes__gt=1"),
    ],
)
def test_no_address_answers_what_no_column_shows(read, clara, rosa, signed_in, label, question):
    for person in (clara, rosa):
        answer = signed_in(person).get(f"{changelist(label)}?{question}", follow=True)
        has_no_page = person == clara and label not in FOR_COORDINATORS
        refused = answer.status_code == 400 or "e=1" in (answer.redirect_chain or [("", 0)])[-1][0]
        assert answer.status_code == 403 if has_no_page else refused, answer.status_code


def test_the_seed_of_the_draw_is_nowhere_while_the_study_is_sealed(small, db, clara, signed_in):
    study = make.study("secret", seed=918273645)
    client = signed_in(clara)
    assert b"918273645" not in client.get(change(study)).content
    unlock_study(study=study, actor=None, reason="Another plan.", at=make.MONDAY)
    event = record("study.drawn", actor=None, subject=study, at=make.MONDAY, seed=918273645)
    pages = [change(study), changelist("studies.study"), change(event), changelist("audit.event")]
    assert not Event.objects.filter(verb="study.created", data__has_key="seed").exists()
    assert not any(b"918273645" in client.get(page).content for page in pages)


def test_marks_of_copies_are_on_no_page_of_an_image(study, clara, rosa, signed_in):
    image = Image.objects.filter(exam__patient__cohort=study.cohort).first()
    Image.objects.filter(pk=image.pk).update(moment="e" * 64, recording="f" * 64)
    for person in (clara, rosa):
        client = signed_in(person)
        pages = [client.get(page).content.decode() for page in (change(image), changelist("cohort.image"))]
        for mark in (image.signature["hash"], "e" * 64, "f" * 64):
            assert not any(mark in page for page in pages)


# --- studies ------------------------------------------------------------------------------------------------
def test_the_list_of_studies_counts_every_reader_once(read, clara, signed_in):
    make.reader_in(read, "paul")
    total = 2 * sum(plan.total for plan in read.session_plans.all())
    page = signed_in(clara).get(changelist("studies.study")).content.decode()
    assert f"6 of {total}" in page
    (row,) = signed_in(clara).get(changelist("studies.study")).context["cl"].result_list
    assert (row.reader_count, row.answered, row.planned) == (2, 6, total)


def test_the_page_of_a_study_shows_each_reader_in_each_session(read, clara, signed_in):
    page = signed_in(clara).get(change(read)).content.decode()
    assert "3/3 · 3/3 · 0/14 · 0/3 · 0/14" in page
    assert "3 of 3" in page
    assert "0 of 14" in page


def test_each_move_of_a_study_is_a_button_to_the_page_that_asks(study, clara, signed_in):
    client = signed_in(clara)
    page = client.get(change(study)).content.decode()
    for name, is_offered in {"pause": True, "unlock": True, "close": True, "lock": False, "unseal": False}.items():
        address = f"/admin/studies/study/{study.pk}/move-{name}/"
        assert (address in page) == is_offered
        answer = client.get(address)
        assert answer.status_code == (302 if is_offered else 403)
        if is_offered:
            assert answer["Location"] == reverse("designer:move", args=[study.code, name])
    study.refresh_from_db()
    assert study.status == "open"


def test_earlier_draws_stand_on_the_page_of_a_study(study, clara, signed_in):
    unlock_study(study=study, actor=clara, reason="The room is being painted.", at=make.MONDAY)
    page = signed_in(clara).get(change(study)).content.decode()
    assert "The room is being painted." in page


def test_no_button_that_goes_back_is_called_close(study, clara, signed_in):
    client = signed_in(clara)
    for address in (change(study), reverse("admin:studies_enrollment_add")):
        buttons = re.findall(
            r"<(?:a|button)\b[^>]*>\s*([^<>]*?)\s*</(?:a|button)>", client.get(address).content.decode()
        )
        assert "Close" not in buttons


def test_clara_enrolls_paul_through_the_action(study, clara, signed_in):
    paul = make.user("paul")
    address = reverse("admin:studies_enrollment_add")
    answer = signed_in(clara).post(address, {"study": study.pk, "reader": paul.pk}, follow=True)
    assert answer.status_code == 200
    assert paul.enrollments.get().reading_lists.count() == 5
    assert Event.objects.get(verb="reader.enrolled").actor == clara


def test_nobody_is_enrolled_twice_and_the_page_says_so(study, rita, clara, signed_in):
    address = reverse("admin:studies_enrollment_add")
    answer = signed_in(clara).post(address, {"study": study.pk, "reader": rita.pk}, follow=True)
    assert b"already" in answer.content
    assert Enrollment.objects.count() == 1


def test_a_status_cannot_be_posted(study, rosa, signed_in):
    signed_in(rosa).post(change(study), {"status": "unsealed", "code": study.code})
    assert Study.objects.get(pk=study.pk).status == "open"


# --- people -------------------------------------------------------------------------------------------------
def new_person(role: Role) -> dict:
    password = "a-long-enough-1"
    passwords = {"usable_password": "true", "password1": password, "password2": password}
    return {"username": "nora", "role": role.value, **passwords}


@pytest.mark.parametrize(("role", "made"), [(Role.READER, True), (Role.COORDINATOR, False), (Role.RESEARCHER, False)])
def test_clara_makes_readers_and_nobody_above(clara, signed_in, role, made):
    signed_in(clara).post(reverse("admin:accounts_user_add"), new_person(role))
    assert User.objects.filter(username="nora").exists() is made


def test_rosa_makes_coordinators_who_get_in(rosa, signed_in):
    signed_in(rosa).post(reverse("admin:accounts_user_add"), new_person(Role.COORDINATOR))
    nora = User.objects.get(username="nora")
    assert (nora.is_staff, nora.check_password("a-long-enough-1")) == (True, True)
    assert signed_in(nora).get("/admin/").status_code == 200


def test_clara_cannot_sign_in_as_rosa_by_password_or_link(clara, rosa, signed_in):
    client = signed_in(clara)
    address = reverse("admin:auth_user_password_change", args=[rosa.pk])
    assert client.post(address, {"password1": "stolen-it-1", "password2": "stolen-it-1"}).status_code == 403
    links = {"action": "sign_in_links", "_selected_action": [rosa.pk]}
    assert b"/account/sign-in/" not in client.post(changelist("accounts.user"), links, follow=True).content
    assert not Event.objects.filter(verb="link.made").exists()


@pytest.mark.parametrize("role", list(Role))
def test_only_superusers_set_the_password_of_another(rosa, signed_in, role):
    nora = make.user("nora", role)
    address, new = reverse("admin:auth_user_password_change", args=[nora.pk]), "set-by-somebody-1"
    passwords = {"usable_password": "true", "password1": new, "password2": new}
    for person in (rosa, nora):
        assert signed_in(person).post(address, passwords).status_code in (302, 403)
        assert not User.objects.get(pk=nora.pk).check_password(new)
    assert 'href="../password/"' not in signed_in(rosa).get(change(nora)).content.decode()
    rosa.is_superuser = True
    rosa.save()
    signed_in(rosa).post(address, passwords)
    assert User.objects.get(pk=nora.pk).check_password(new)


def test_rosa_cannot_turn_a_colleague_s_mail_to_her_own_address(rosa, signed_in):
    nora = make.user("nora", Role.COORDINATOR, email="nora@example.org")
    signed_in(rosa).post(change(nora), {"username": "nora", "email": "rosa@example.org"})
    assert User.objects.get(pk=nora.pk).email == "nora@example.org"


def test_no_form_of_the_administration_reactivates_an_account(rita, rosa, signed_in):
    rita.is_active = False
    rita.save()
    signed_in(rosa).post(change(rita), {"username": "rita", "email": "rita@example.org", "is_active": "on"})
    changed = User.objects.get(pk=rita.pk)
    assert (changed.email, changed.is_active) == ("rita@example.org", False)


def test_clara_gets_a_link_that_signs_rita_in(rita, clara, signed_in, client):
    links = {"action": "sign_in_links", "_selected_action": [rita.pk]}
    page = signed_in(clara).post(changelist("accounts.user"), links, follow=True).content.decode()
    link = page.split("<code>")[1].split("</code>")[0]
    assert client.post(link, follow=True).wsgi_request.user == rita


def test_a_role_is_for_good(rita, rosa, signed_in):
    signed_in(rosa).post(change(rita), {"username": "rita", "role": "researcher", "is_active": "on"})
    assert User.objects.get(pk=rita.pk).role == Role.READER


def test_every_page_is_called_as_in_the_side_bar_in_both_languages(rosa, signed_in):
    assert PLURALS.keys() == {model._meta.label_lower for model in admin.site._registry}
    client = signed_in(rosa)
    for language in ("en", "de"):
        with override(language):
            for model in admin.site._registry:
                assert str(model._meta.verbose_name_plural) == str(PLURALS[model._meta.label_lower])
        page = client.get("/admin/", headers={"accept-language": language}).content.decode()
        assert not re.findall(r"\b(?:Enrollments|Users|Auftrags|Bilds|Kohortes|Beurteilungs|Untersuchungs)\b", page)


# --- the pages themselves -----------------------------------------------------------------------------------
def test_scripts_and_everything_else_come_from_this_server_only(study, clara, signed_in):
    policy = signed_in(clara).get(changelist("studies.study"))["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("label", [label for label in PAGES if label.startswith(("studies", "reading"))])
def test_a_longer_list_needs_no_more_queries(read, rosa, signed_in, label):
    client, counts = signed_in(rosa), []
    for readers in (("paul",), ("peter", "petra", "quirin")):
        for name in readers:
            walk.finish_session(walk.client_of(make.reader_in(read, name)), read.code, 1)
        with CaptureQueriesContext(connection) as queries:
            client.get(changelist(label))
            client.get(change(read))
        counts.append(len(queries))
    assert counts[1] <= counts[0]


def test_clara_lets_a_rested_session_go_on_with_a_reason(small, db, clara, signed_in):
    study = make.study("rested", changes={"every": {"rest_hours": 1}})
    rita = make.reader_in(study, "rested-rita")
    walk.open_session(walk.client_of(rita), study.code, 1)
    session = ReadingSession.objects.get()
    address = f"/admin/reading/readingsession/{session.pk}/allow/"
    client = signed_in(clara)
    assert client.get(address).status_code == 403  # nothing to allow
    ReadingSession.objects.filter(pk=session.pk).update(held_at=make.MONDAY)
    assert b"Resume this session?" in client.get(address).content
    client.post(address, {"_form_submitted": "on", "reason": "She was ill."})
    session.refresh_from_db()
    assert session.held_at is None
    event = Event.objects.get(verb="session.allowed")
    assert (event.actor, event.data["reason"]) == (clara, "She was ill.")


def test_a_session_s_page_shows_the_rules_of_its_plan(small, db, rosa, signed_in):
    study = make.study("asking", changes={"every": {"questions": ["confidence"], "rest_hours": 72}})
    page = signed_in(rosa).get(change(study.session_plans.get(number=3))).content.decode()
    assert "confidence" in page
    assert "72" in page


def test_clara_reads_what_the_study_will_test(study, clara, signed_in):
    page = signed_in(clara).get(change(study)).content.decode()
    family = "sensitivity and specificity: Sensitivity: adversarial images called not real, Specificity: real images"
    assert family in page
    assert "Primary figure: Area under the ROC curve (AUC)" in page
    assert study.analysis.hash in page


def test_the_rules_of_a_session_are_in_words(study, rosa, client):
    client.force_login(rosa)
    plan = study.session_plans.get(number=3)
    page = client.get(f"/admin/studies/sessionplan/{plan.pk}/change/").content.decode()
    assert "Check of the display: " in page
    assert "display_check" not in page


def test_the_form_of_a_new_account_and_the_filter_of_sessions_are_in_german(study, rosa, client):
    rosa.is_superuser = True
    rosa.save()
    client.force_login(rosa)
    client.cookies["django_language"] = "de"
    form = client.get("/admin/accounts/user/add/").content.decode()
    assert "Anmeldung mit Passwort" in form
    assert "LDAP" not in form
    sessions = client.get("/admin/reading/readingsession/").content.decode()
    assert "Nicht angehalten" in sessions
    assert "By held" not in sessions
