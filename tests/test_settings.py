"""A missing or wrong value stops the start with a sentence that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Nothing connects at the start, so no server needs to be there.
CONFIGURED = {
    "DATABASE_URL": "postgres://somebody:secret@localhost/study",
    "SECRET_KEY": "x" * 50,
    "PSEUDONYM_KEY": "y" * 50,
    "RECORD_KEY": "z" * 50,
    "ALLOWED_HOSTS": "study.example.org",
    "CELERY_BROKER_URL": "redis://localhost/0",
    "DJANGO_SETTINGS_MODULE": "readerstudy.settings",
    "TIME_ZONE": "Europe/Berlin",
    "PATH": os.environ["PATH"],
}
SHOW = "from django.conf import settings as s; print(s.EMBEDDED, s.DEBUG, s.SESSION_COOKIE_SECURE, s.ALLOWED_HOSTS)"


def start(tmp_path, program: str = SHOW, **changes: str | None) -> subprocess.CompletedProcess[str]:
    wanted = {**CONFIGURED, "VAR_DIR": str(tmp_path), **changes}
    environment = {name: value for name, value in wanted.items() if value is not None}
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_configured_start_is_strict_and_starts_no_server_of_its_own(tmp_path):
    run = start(tmp_path, f"import django; django.setup(); {SHOW}")
    assert run.stdout.strip() == "False False True ['study.example.org']", run.stderr
    assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("name", ["SECRET_KEY", "PSEUDONYM_KEY", "RECORD_KEY", "ALLOWED_HOSTS", "CELERY_BROKER_URL"])
def test_with_a_database_address_nothing_has_a_default(tmp_path, name):
    run = start(tmp_path, **{name: None})
    assert run.returncode != 0
    assert f"The environment variable {name} is missing: set it" in run.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://somebody@localhost/study", "DATABASE_URL must name a PostgreSQL server"),
        ("DATABASE_URL", "sqlite:///study.db", "DATABASE_URL must name a PostgreSQL server"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://localhost:many/study", "DATABASE_URL"),
        ("TIME_ZONE", "Mars/Olympus", "TIME_ZONE is 'Mars/Olympus'; give a name such as Europe/Berlin."),
        ("HTTPS", "maybe", "The environment variable HTTPS is 'maybe'; it must be 1 or 0."),
        ("DEBUG", "a bit", "The environment variable DEBUG is 'a bit'; it must be 1 or 0."),
        ("EMAIL_URL", "mail.example.org", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "http://mail.example.org", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "smtp://somebody:secret@mail.example.org:many", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "smtp://mail.example.org", "The environment variable EMAIL_FROM is missing"),
        ("PUBLIC_URL", "study.example.org", "PUBLIC_URL is 'study.example.org'; give an address such as"),
        ("SECRET_KEY", "short", "SECRET_KEY is shorter than 32 characters"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, name, value, sentence):
    run = start(tmp_path, **{name: value})
    assert run.returncode != 0
    assert sentence in run.stderr
    assert "ImproperlyConfigured" in run.stderr


def test_https_can_be_turned_off_behind_a_firewall(tmp_path):
    assert start(tmp_path, HTTPS="off").stdout.split()[2] == "False"


MAIL = """
from django.conf import settings as s
print(s.SENDS_MAIL, s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER, s.EMAIL_HOST_PASSWORD)
print(s.EMAIL_USE_TLS, s.EMAIL_USE_SSL)
"""


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("smtp+tls://ruth:a%40b@mail.example.org", "True mail.example.org 587 ruth a@b True False"),
        ("smtps://ruth:secret@mail.example.org:4650", "True mail.example.org 4650 ruth secret False True"),
        ("smtp://localhost", "True localhost 25 False False"),
        (None, "False localhost 25 False False"),
    ],
)
def test_the_mail_server_is_one_address(tmp_path, address, shown):
    run = start(tmp_path, MAIL, EMAIL_URL=address, EMAIL_FROM="study@example.org")
    assert run.stdout.split() == shown.split(), run.stderr


def test_a_wrong_mail_address_does_not_show_its_password(tmp_path):
    run = start(tmp_path, EMAIL_URL="pop3://ruth:secret-1@mail.example.org")
    assert "EMAIL_URL cannot be understood" in run.stderr
    assert "secret-1" not in run.stderr
