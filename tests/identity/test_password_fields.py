"""Choosing a password: its greatest length, how hard it is to guess, and the button that shows it."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.translation import override

from readerstudy.accounts.models import Role
from readerstudy.accounts.passwords import ADVICE, LABELS, LONGEST, strength_of
from tests import make

STRENGTH = "/account/password/strength/"
LONG = "lorem4Ipsum-" * 11


def test_128_characters_are_taken_and_129_are_not_with_both_numbers():
    validate_password(LONG[:LONGEST])
    with pytest.raises(ValidationError, match=r"has 129 characters\. It may have at most 128\."):
        validate_password(LONG[: LONGEST + 1])


def test_a_password_that_is_too_long_changes_nothing_and_the_page_says_why(db, client):
    ruth = make.user("ruth")
    client.force_login(ruth)
    long = LONG[: LONGEST + 1]
    form = {"old_password": "ruth-secret-1", "new_password1": long, "new_password2": long}
    assert b"It may have at most 128." in client.post("/account/password/", form).content
    ruth.refresh_from_db()
    assert ruth.check_password("ruth-secret-1")


def test_the_page_says_the_rules_before_a_password_is_typed(db, client):
    client.force_login(make.user("ruth"))
    page = client.get("/account/password/").content.decode()
    field = page.split('name="new_password1"')[1].split(">")[0]
    assert 'aria-describedby="id_new_password1_helptext"' in field
    rules = page.split('id="id_new_password1_helptext"')[1].split("</div>")[0]
    assert "at least 12 characters" in rules
    assert "at most 128 characters" in rules


@pytest.mark.parametrize(
    ("password", "score", "advice"),
    [
        ("password", 0, "dictionary"),
        ("asdfghjkl;'", 1, "spatial"),
        ("aaaaaaaaaaaa", 0, "repeat"),
        ("abcdefghijkl", 0, "sequence"),
        ("correct horse battery staple", 4, None),
    ],
)
def test_the_strength_follows_what_a_guesser_knows(password, score, advice):
    strength = strength_of(password)
    assert strength.advice == (str(ADVICE[advice]) if advice else "")
    assert abs(strength.score - score) <= 1
    assert strength.label == str(LABELS[strength.score])


def test_words_about_the_person_make_a_password_weak():
    assert strength_of("Ruthwinterhalder").score > strength_of("Ruthwinterhalder", known=["winterhalder", ""]).score


def test_only_the_first_72_characters_are_judged_so_that_nobody_waits():
    assert strength_of("a" * 5000).score == 0


def test_the_server_answers_with_a_meter_in_words_of_the_language(db):
    client = Client(headers={"Accept-Language": "de"})
    answer = client.post(STRENGTH, {"new_password1": "abcdefghijkl"}).content.decode()
    with override("de"):
        assert str(LABELS[0]) in answer
        assert str(ADVICE["sequence"]) in answer
    assert "abcdefghijkl" not in answer
    assert client.post(STRENGTH, {"new_password1": ""}).content.strip() == b""
    assert client.get(STRENGTH).status_code == 405


def test_every_field_for_a_password_can_be_shown_and_a_new_one_is_judged(db):
    boss = make.overseer()
    client = Client()
    pages = {"/account/sign-in/": (1, 0)}
    visitor = {path: client.get(path).content.decode() for path in pages}
    client.force_login(boss)
    staff = {
        "/account/password/": (3, 1),
        f"/admin/accounts/user/{boss.pk}/password/": (2, 1),
        "/admin/accounts/user/add/": (2, 1),
        "/account/again/": (1, 0),
    }
    shown = visitor | {path: client.get(path).content.decode() for path in staff}
    for path, (fields, judged) in (pages | staff).items():
        page = shown[path]
        assert page.count('type="password"') == page.count("data-show-password") == fields, path
        assert page.count(f'hx-post="{STRENGTH}"') == page.count('role="status"></div>') == judged, path
        assert "account/password.js" in page, path
        assert "htmx" in page or not judged, path


def test_the_judgement_needs_no_sign_in_but_a_form_of_this_site(db):
    client = Client(enforce_csrf_checks=True)
    assert client.post(STRENGTH, {"new_password1": "x"}).status_code == 403


@pytest.mark.parametrize("role", [Role.READER, Role.COORDINATOR])
def test_names_of_the_person_who_is_signed_in_count(db, client, role):
    client.force_login(make.user("winterhalder", role))
    weak = client.post(STRENGTH, {"new_password1": "winterhalder"}).content.decode()
    assert str(LABELS[0]) in weak
