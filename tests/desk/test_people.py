"""The pages on the people of a study: preview, invitation, acts on one reader, mails, and who may see them."""

import re

import pytest
from django.core import mail as outbox
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.desk.people.forms import LARGEST_LIST, decode
from readerstudy.invitations.models import Mail
from readerstudy.studies.actions import close_study
from readerstudy.studies.models import Enrollment
from tests import make
from tests.invitations.conftest import by_mail, clara, drawn, quick_passwords, signed_in, study
from tests.test_german import left_in_english

__all__ = ["by_mail", "clara", "drawn", "quick_passwords", "signed_in", "study"]

FIVE = "\n".join(f"Reader {name} <{name}@example.org>" for name in ("anna", "bert", "cleo", "dora", "emil"))
CHOICES = {"language": "en", "days": "14"}


def address(study, page: str = "people", *more) -> str:
    return reverse(f"desk:{page}", args=[study.code, *more])


@pytest.fixture
def desk(clara, signed_in, django_capture_on_commit_callbacks):
    """Clara's browser; what waits for the commit is done with each request."""
    client = signed_in(clara)
    post = client.post

    def post_and_commit(*args, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return post(*args, **kwargs)

    client.post = post_and_commit
    return client


def hidden_list(page: str) -> str:
    return re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', page, re.DOTALL)[1]


# --- inviting -------------------------------------------------------------------------------------------------
def test_the_preview_says_what_happens_to_each_line_and_changes_nothing(study, desk):
    make.user("rita", email="rita@example.org")
    text = f"{FIVE}\nrita@example.org\nclara@example.org\nno address"
    events = Event.objects.count()
    page = desk.post(address(study, "people-check"), {"text": text, **CHOICES}).content.decode()
    assert page.count("A new account, enrolled and invited") == 5
    assert "The account rita, enrolled and invited" in page
    assert "clara is a Coordinator" in page
    assert "The line has no address." in page
    assert "Invite 6 readers" in page
    assert Event.objects.count() == events
    assert not Mail.objects.exists()


def test_the_button_of_the_preview_invites(study, desk, by_mail):
    page = desk.post(address(study, "people-check"), {"text": FIVE, **CHOICES}).content.decode()
    answer = desk.post(
        address(study, "people-invite"),
        {"text": hidden_list(page).replace("&lt;", "<").replace("&gt;", ">"), **CHOICES},
    )
    assert answer["Location"] == address(study)
    page = desk.get(address(study)).content.decode()
    assert "5 readers were invited." in page
    assert page.count('class="state sent"') == 5
    assert len(outbox.outbox) == 5


def test_a_file_is_read_like_a_pasted_list(study, desk):
    table = SimpleUploadedFile("readers.csv", "Nachname;Vorname;E-Mail\nGroß;Jürgen;j@example.org".encode("cp1252"))
    page = desk.post(address(study, "people-check"), {"file": table, **CHOICES}).content.decode()
    assert "Jürgen Groß" in page


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_files_of_spreadsheets_are_decoded(encoding):
    assert decode("Groß".encode(encoding)) == "Groß"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Paste a list or choose a file."),
        ({"file": SimpleUploadedFile("x.csv", b"x" * (LARGEST_LIST + 1))}, "too large"),
        ({"text": "a@example.org", "days": "0"}, "greater than or equal to 1"),
        ({"text": "a@example.org", "language": "xx"}, "not one of the available choices"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(study, desk, values, sentence):
    answer = desk.post(address(study, "people-check"), {**CHOICES, **values})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_without_a_mail_server_the_texts_are_shown_once(study, desk):
    page = desk.post(address(study, "people-invite"), {"text": FIVE, **CHOICES}).content.decode()
    links = re.findall(r"http://testserver(/account/sign-in/[\w-]+/)", page)
    assert len(links) == 5
    assert Client().post(links[0]).status_code == 302
    assert "/account/sign-in/" not in desk.get(address(study)).content.decode()
    again = desk.post(address(study, "people-invite"), {"text": FIVE, **CHOICES}, follow=True).content.decode()
    assert "Nobody of this list was invited." in again


def test_a_closed_study_invites_nobody(study, desk, clara):
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    assert "This study takes no more readers." in desk.get(address(study)).content.decode()
    answer = desk.post(address(study, "people-invite"), {"text": FIVE, **CHOICES}, follow=True)
    assert "nobody can be enrolled" in answer.content.decode()
    assert not Enrollment.objects.filter(study=study).exists()


# --- one reader -----------------------------------------------------------------------------------------------
@pytest.fixture
def anna(study, desk, by_mail):
    desk.post(address(study, "people-invite"), {"text": "Anna Alt <anna@example.org>", **CHOICES})
    return Enrollment.objects.get(reader__email="anna@example.org")


def test_a_reader_gets_a_new_link_a_reminder_and_a_text(study, desk, anna):
    for name, subject in (("link", "Invitation to"), ("remind", "Reminder:")):
        page = desk.post(address(study, "people-act", anna.pk, name), follow=True).content.decode()
        assert "anna.alt has a new link." in page
        assert outbox.outbox[-1].subject.startswith(subject)
    page = desk.post(address(study, "people-act", anna.pk, "text")).content.decode()
    assert len(outbox.outbox) == 3
    assert Client().post(re.search(r"http://testserver(/account/\S+)", page)[1]).status_code == 302
    assert 'class="state used"' in desk.get(address(study)).content.decode()


def test_a_link_is_revoked_once(study, desk, anna):
    revoke = address(study, "people-act", anna.pk, "revoke")
    page = desk.post(revoke, follow=True).content.decode()
    assert "The link of anna.alt is revoked." in page
    assert 'class="state revoked"' in page
    assert "has no unused link" in desk.post(revoke, follow=True).content.decode()


def test_a_failed_mail_is_shown_with_its_reason_and_sent_again(study, desk, by_mail, settings):
    settings.EMAIL_BACKEND = "tests.invitations.failing_mail.Unreachable"
    desk.post(address(study, "people-invite"), {"text": FIVE, **CHOICES})
    page = desk.get(address(study)).content.decode()
    assert page.count("Connection refused by mail.example.org") == 5
    assert page.count("Send again") == 5
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    number = Enrollment.objects.get(reader__email="anna@example.org").pk
    desk.post(address(study, "people-act", number, "link"))
    page = desk.get(address(study)).content.decode()
    assert page.count('class="state sent"') == 1


def test_an_act_needs_a_known_name_and_a_reader_of_the_study(study, desk, anna):
    assert desk.post(address(study, "people-act", anna.pk, "delete")).status_code == 404
    assert desk.post(address(study, "people-act", anna.pk + 999, "link")).status_code == 404
    assert desk.get(address(study, "people-act", anna.pk, "link")).status_code == 405


def test_the_mails_are_listed_without_their_links(study, desk, anna):
    page = desk.get(address(study, "mails")).content.decode()
    for piece in ("anna@example.org", "Invitation to the reader study", "Sent", "[[sign-in link]]", "clara"):
        assert piece in page
    assert "/account/sign-in/" not in page


def test_the_number_of_queries_does_not_grow_with_the_readers(study, desk, by_mail, django_assert_max_num_queries):
    desk.post(address(study, "people-invite"), {"text": FIVE, **CHOICES})
    desk.get(address(study))
    with django_assert_max_num_queries(12):
        desk.get(address(study))
    with django_assert_max_num_queries(8):
        desk.get(address(study, "mails"))


# --- who may see them -----------------------------------------------------------------------------------------
PAGES = [("people",), ("mails",)]
POSTS = [("people-check",), ("people-invite",), ("people-act", 1, "link")]


def test_researchers_see_the_pages_and_readers_and_visitors_do_not(study, client, signed_in):
    rosa, rita = make.user("rosa", Role.RESEARCHER), make.reader_in(study, "rita")
    for page in PAGES:
        assert signed_in(rosa).get(address(study, *page)).status_code == 200
        assert signed_in(rita).get(address(study, *page)).status_code == 403
        assert client.get(address(study, *page))["Location"].startswith("/account/sign-in/")
    for page in POSTS:
        assert signed_in(rita).post(address(study, *page), {"text": FIVE, **CHOICES}).status_code == 403
        assert client.post(address(study, *page))["Location"].startswith("/account/sign-in/")
    assert User.objects.filter(role=Role.READER).count() == 1
    assert signed_in(rosa).get("/desk/studies/no-such-study/people/").status_code == 404


def test_a_post_without_its_token_is_refused(study, clara):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clara)
    assert strict.post(address(study, "people-invite"), {"text": FIVE, **CHOICES}).status_code == 403


def test_the_pages_are_german(study, desk, anna, clara):
    names = {study.title, study.code, "Anna Alt", "Clara Coe", "R1", "anna@example.org"}
    mail = Mail.objects.get()
    names |= {mail.subject, " ".join(mail.body.split())}
    for page in PAGES:
        assert left_in_english(desk, address(study, *page)) - names == set()


def test_the_study_s_page_links_to_its_people(study, desk):
    page = desk.get(reverse("admin:studies_study_change", args=[study.pk])).content.decode()
    assert address(study) in page
