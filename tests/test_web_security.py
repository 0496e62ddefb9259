"""What every page owes to those who use it: cookies, headers, redirects, escaped names, and no code made of text."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from rest_framework.test import APIClient

from readerstudy.accounts.models import Role, User
from readerstudy.configuration.settings import PASSWORD_HASHERS
from tests import make
from tests.configuration.test_settings import start
from tests.identity.people import is_signed_in, sign_in

ROOT = Path(__file__).parent.parent
PASSWORD = "/account/password/"
MARKUP = "<b onclick=steal()>Ruth</b>"


@pytest.fixture
def ruth(db):
    return make.user("ruth", first_name=MARKUP)


# --- sessions and cookies -------------------------------------------------------------------------------------
def test_signing_in_replaces_the_key_of_the_session(ruth, client, settings):
    planted = SessionStore()
    planted["language"] = "en"
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    sign_in(client, "ruth")
    assert is_signed_in(client)
    assert client.session.session_key != planted.session_key
    assert not SessionStore().exists(planted.session_key)


def test_signing_out_ends_the_session_on_the_server(ruth, client, settings):
    sign_in(client, "ruth")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.session.session_key
    assert is_signed_in(thief)
    client.post("/account/sign-out/")
    assert not is_signed_in(thief)


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(ruth, client, settings):
    cookie = sign_in(client, "ruth").cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    assert cookie["max-age"] == 12 * 3600
    assert len(client.session.session_key) == 32


# --- passwords ------------------------------------------------------------------------------------------------
def test_no_account_is_there_from_the_start(db):
    assert not User.objects.exists()


def change_password(client: Client, old: str, new: str) -> bool:
    answer = client.post(PASSWORD, {"old_password": old, "new_password1": new, "new_password2": new})
    return bool(answer.status_code == 302)


def test_a_long_password_counts_to_its_last_character(ruth, client):
    client.force_login(ruth)
    long = "two  spaces, Umlaute ü and 🩻 " * 4
    assert change_password(client, "ruth-secret-1", long)
    ruth.refresh_from_db()
    assert ruth.check_password(long)
    assert not ruth.check_password(long[:-1])


def test_the_hash_of_a_password_costs_memory_and_has_its_salt(settings):
    """At least 15 MiB and two passes, and 32 bits of salt (ASVS 4.0.3, 2.4.2 and 2.4.5)."""
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    hashes = [make_password("a-long-new-word") for _ in range(2)]
    found = [re.fullmatch(r"argon2\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$([^$]+)\$.+", text) for text in hashes]
    assert all(int(each[1]) >= 15 * 1024 and int(each[2]) >= 2 and len(each[3]) > 20 for each in found)
    assert found[0][3] != found[1][3]


def test_a_common_password_is_refused(ruth, client):
    client.force_login(ruth)
    assert not change_password(client, "ruth-secret-1", "qwerty123456")


def test_a_password_is_changed_with_the_old_one_only(ruth, client):
    client.force_login(ruth)
    assert not change_password(client, "a-wrong-guess-1", "a-long-new-word")
    assert User.objects.get(pk=ruth.pk).check_password("ruth-secret-1")


# --- what comes in --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"],
)
def test_an_address_of_another_site_is_no_destination(ruth, client, address):
    assert sign_in(client, "ruth", next=address).url == "/"


def test_an_unknown_host_is_refused(client, db):
    assert client.get("/account/sign-in/", HTTP_HOST="evil.example").status_code == 400


def test_sql_in_a_search_is_a_word_that_nobody_has(client, ruth):
    client.force_login(make.user("rosa", Role.RESEARCHER))
    answer = client.get("/admin/accounts/user/", {"q": "' OR 1=1 --"})
    assert (answer.status_code, answer.context["cl"].result_count) == (200, 0)
    assert client.get("/admin/accounts/user/", {"q": "ruth"}).context["cl"].result_count == 1


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "application/x-www-form-urlencoded"])
def test_the_api_takes_json_only(db, kind):
    client = APIClient()
    client.force_authenticate(make.user("rosa", Role.RESEARCHER))
    assert client.generic("POST", "/api/v1/studies/", b"code=real-1", content_type=kind).status_code == 415


# --- what goes out --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/account/sign-in/", "/api/v1/reading/", "/nowhere/"])
def test_no_answer_is_framed_cached_or_read_by_another_site(client, db, address):
    answer = client.get(address, headers={"Origin": "https://evil.example"})
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Content-Type"] in ("text/html; charset=utf-8", "application/problem+json")
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_markup_in_a_name_is_shown_as_typed(client, ruth):
    client.force_login(make.user("rosa", Role.RESEARCHER))
    for address in ("/admin/accounts/user/", f"/admin/accounts/user/{ruth.pk}/change/", "/desk/people/"):
        page = client.get(address, follow=True).content.decode()
        assert MARKUP not in page, address
    assert "&lt;b onclick=steal()&gt;" in client.get("/admin/accounts/user/").content.decode()


def test_an_unexpected_error_shows_no_detail(client, ruth, monkeypatch):
    def fail(agent: str) -> str:
        raise RuntimeError("a detail of the inside")

    monkeypatch.setattr("readerstudy.identity.account_views.device_of", fail)
    sign_in(client, "ruth")
    client.raise_request_exception = False
    answer = client.get("/account/")
    assert answer.status_code == 500
    assert b"a detail" not in answer.content
    assert b"Traceback" not in answer.content


SERVICE = """
import django
django.setup()
from django.conf import settings as s
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory
answer = SecurityMiddleware(lambda request: HttpResponse())
ask = lambda secure: answer(RequestFactory().get("/x", secure=secure, HTTP_HOST="study.example.org"))
print(ask(False).status_code, ask(False)["Location"])
print(ask(True)["Strict-Transport-Security"])
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECOND_FACTOR, s.IDLE_MINUTES, s.SIGN_IN_AGAIN_MINUTES)
"""


def test_service_answers_by_https_and_asks_staff_for_two_factors(tmp_path):
    run = start(tmp_path, SERVICE, HSTS_SUBDOMAINS="1")
    assert run.stdout.splitlines() == [
        "301 https://study.example.org/x",
        "max-age=31536000; includeSubDomains",
        "True True True 30 15",
    ], run.stderr


# --- code -----------------------------------------------------------------------------------------------------
# What turns text into code, objects or markup, and the files that may use it. Each was read: none takes what a browser
# sent. `limited.py` and the imports of adversarial images unpickle what processes of ours wrote.
DANGEROUS = {
    r"(?<![\w.])(?:eval|exec|__import__)\(|os\.system|shell=True|xml\.(?:etree|dom|sax)": [],
    r"pickle\.loads?\(": [
        "readerstudy/sources/limited.py",
        "readerstudy/truth/actions/pair_import.py",
        "readerstudy/truth/actions/synthetic_import.py",
    ],
    r"torch\.load\(": ["models_ml/networks/vgg.py", "models_ml/runs/checkpoint.py"],  # weights only, no objects
    r"yaml\.load\(": ["readerstudy/protocol/yaml_file.py"],  # a subclass of the safe loader
    r"mark_safe\(": [
        "readerstudy/analysis/report/build.py",
        "readerstudy/bundle/checking/comparison.py",
        "readerstudy/designer/admin.py",
        "readerstudy/layout/markdown.py",
    ],
}


def files_with(pattern: str, folder: str, suffix: str) -> list[str]:
    paths = (path for path in sorted((ROOT / folder).rglob(f"*{suffix}")) if "vendor" not in path.parts)
    return [str(path.relative_to(ROOT)) for path in paths if re.search(pattern, path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("pattern", "known"), DANGEROUS.items())
def test_python_makes_code_of_text_in_no_new_place(pattern, known):
    found = [name for folder in ("attacks", "models_ml", "readerstudy") for name in files_with(pattern, folder, ".py")]
    assert found == known


def test_scripts_and_templates_make_no_markup_of_text():
    assert not files_with(r"(?<![\w.])eval\(|new Function|(?:inner|outer)HTML|insertAdjacentHTML", "static", ".js")
    assert files_with(r"\|\s*safe\b|autoescape off", "templates", ".html") == ["templates/report/study.html"]


# --- requests that cannot be read -----------------------------------------------------------------------------
def test_a_damaged_form_gets_a_page_of_the_product(db, client, settings):
    page = "/account/sign-in/"
    damaged = client.post(page, b"no boundary", content_type="multipart/form-data; boundary=")
    fields = "&".join(f"field{number}=1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    crowded = client.post(page, fields, content_type="application/x-www-form-urlencoded")
    for answer in (damaged, crowded):
        assert (answer.status_code, "This request could not be read" in answer.content.decode()) == (400, True)
        assert "css/site" in answer.content.decode()


def test_an_unknown_host_gets_that_page_too(client):
    answer = client.get("/", headers={"host": "elsewhere.example", "accept-language": "de"})
    assert (answer.status_code, "Bad Request" in answer.content.decode()) == (400, False)
    assert "Diese Anfrage ließ sich nicht lesen" in answer.content.decode()
