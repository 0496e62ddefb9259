"""A missing or wrong value stops the start with a sentence that names it."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import dj_database_url
import pytest
from django.core.exceptions import ImproperlyConfigured

from readerstudy.cache_format import JSONFormat
from readerstudy.configuration import safety
from readerstudy.local_database import server

ROOT = Path(__file__).parents[2]
# Nothing connects at the start, so no server needs to be there.
CONFIGURED = {
    "DATABASE_URL": "postgres://somebody:secret@localhost/study",
    "SEALED_DATABASE_URL": "postgres://sealed:secret@localhost/study",
    "SECRET_KEY": "x" * 50,
    "PSEUDONYM_KEY": "y" * 50,
    "RECORD_KEY": "z" * 50,
    "ALLOWED_HOSTS": "study.example.org",
    "CELERY_BROKER_URL": "redis://localhost/0",
    "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings",
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


@pytest.mark.parametrize(
    "name", ["SEALED_DATABASE_URL", "SECRET_KEY", "RECORD_KEY", "ALLOWED_HOSTS", "CELERY_BROKER_URL"]
)
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
        ("SEALED_DATABASE_URL", "mysql://sealed@localhost/study", "SEALED_DATABASE_URL must name a PostgreSQL server"),
        ("SEALED_DATABASE_URL", "postgres://a:b@db.example.org/study", "SEALED_DATABASE_URL names the server db.exam"),
        ("SEALED_DATABASE_URL", "postgres://somebody:b@localhost/study", "must name three different users"),
        ("TIME_ZONE", "Mars/Olympus", "TIME_ZONE is 'Mars/Olympus'; give a name such as Europe/Berlin."),
        ("HTTPS", "maybe", "The environment variable HTTPS is 'maybe'; it must be 1 or 0."),
        ("DEBUG", "a bit", "The environment variable DEBUG is 'a bit'; it must be 1 or 0."),
        ("EMAIL_URL", "mail.example.org", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "http://mail.example.org", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "smtp://somebody:secret@mail.example.org:many", "EMAIL_URL cannot be understood"),
        ("EMAIL_URL", "smtp://mail.example.org", "The environment variable EMAIL_FROM is missing"),
        ("PUBLIC_URL", "study.example.org", "PUBLIC_URL is 'study.example.org'; give an address such as"),
        ("SECRET_KEY", "short", "SECRET_KEY is shorter than 32 characters"),
        ("PSEUDONYM_KEY", "y" * 31, "PSEUDONYM_KEY is shorter than 32 characters"),
        ("DEBUG", "1", "DEBUG is 1 with a DATABASE_URL"),
        ("ALLOWED_HOSTS", "study.example.org,*", "ALLOWED_HOSTS has '*'"),
        ("DATABASE_URL", "postgres://a:b@db.example.org/study", "names the server db.example.org without TLS"),
        ("CELERY_BROKER_URL", "redis://queue:6379/0", "names the Redis server queue without a password"),
        (
            "CELERY_BROKER_URL",
            "amqp://localhost",
            "CELERY_BROKER_URL begins with 'amqp'; give redis://:password@host/0.",
        ),
        ("CELERY_BROKER_URL", "nonsense", "CELERY_BROKER_URL begins with 'nonsense'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL is 'LOUD'; it must be one of DEBUG, INFO"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, name, value, sentence):
    run = start(tmp_path, **{name: value})
    assert run.returncode != 0
    assert sentence in run.stderr
    assert "ImproperlyConfigured" in run.stderr


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    run = start(tmp_path, VAR_DIR=str(file / "var"))
    assert f"VAR_DIR is {file / 'var'}, where this process cannot write (Not a directory)" in run.stderr


def test_a_secret_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(ImproperlyConfigured, match=f"The secret {tmp_path / 'secret_key'} cannot be read"):
        server.secret(tmp_path, "secret_key")


def test_an_empty_secret_is_refused(tmp_path):
    (tmp_path / "pseudonym_key").touch()
    with pytest.raises(ImproperlyConfigured, match="PSEUDONYM_KEY is shorter than 32 characters"):
        safety.require_long_key("PSEUDONYM_KEY", server.secret(tmp_path, "pseudonym_key"))


def test_every_connection_gives_up_a_silent_server_and_only_requests_have_a_limit(tmp_path):
    show = "from django.conf import settings as s; print(s.DATABASES['default']['OPTIONS'])"
    web = f"from readerstudy.configuration import database_roles; database_roles.process = 'web'; {show}"
    worker, pages = start(tmp_path, show).stdout, start(tmp_path, web).stdout
    for options in (worker, pages):
        assert "'connect_timeout': 5" in options
        assert "'tcp_user_timeout': 20000" in options
    assert "statement_timeout=120000" in pages
    assert "statement_timeout" not in worker


SECRETS = """
from django.conf import settings as s
print(s.SECRET_KEY, s.DATABASE_ADDRESSES["web"]["PASSWORD"], s.DATABASE_ADDRESSES["sealed"]["PASSWORD"])
print(s.CELERY_BROKER_URL, s.CELERY_BROKER_READ_URL)
"""


def in_file(folder: Path, text: str) -> str:
    path = folder / f"secret-{len(list(folder.iterdir()))}"
    path.write_text(text)
    return str(path)


def test_secrets_are_read_from_files(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    run = start(
        tmp_path,
        SECRETS,
        SECRET_KEY=None,
        SECRET_KEY_FILE=in_file(folder, "k" * 40 + "\n"),
        DATABASE_URL="postgres://somebody@localhost/study",
        DATABASE_PASSWORD_FILE=in_file(folder, "it's%40@/new"),
        SEALED_DATABASE_PASSWORD_FILE=in_file(folder, "unused"),  # the address has one
        CELERY_BROKER_URL="redis://queue:6379/0",
        CELERY_BROKER_PASSWORD_FILE=in_file(folder, "a/b:c@d"),
        EMAIL_URL_FILE=in_file(folder, ""),
    )
    queue = "redis://:a%2Fb%3Ac%40d@queue:6379/0"
    assert run.stdout.split() == ["k" * 40, "it's%40@/new", "secret", queue, queue], run.stderr


def test_a_secret_is_given_once(tmp_path):
    path = in_file(tmp_path, "k" * 40)
    run = start(tmp_path, SECRET_KEY_FILE=path)
    assert "SECRET_KEY and SECRET_KEY_FILE are both set; remove one of them." in run.stderr
    assert "k" * 40 not in run.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    run = start(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(path))
    assert run.returncode != 0
    assert f"SECRET_KEY_FILE is {path}, which cannot be read" in run.stderr


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


# --- in service -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("postgres://a:b@localhost/study", True),
        ("postgres://a:b@127.0.0.1/study", True),
        ("postgres://a:b@[::1]/study", True),
        ("postgres://a:b@/study?host=/run/postgresql", True),
        ("postgres://a:b@%2Frun%2Fpostgresql/study", True),
        ("postgres://a:b@10.0.0.7/study?sslmode=verify-full", True),
        ("postgres://a:b@db/study?sslmode=require", True),
        ("postgres://a:b@db/study", False),
        ("postgres://a:b@db/study?sslmode=prefer", False),
        ("postgres://a:b@localhost/study?host=db.example.org", False),
        ("postgres://a:b@localhost.example.org/study", False),
    ],
)
def test_a_database_beyond_the_loopback_needs_tls(address, is_safe):
    database = dj_database_url.parse(address)
    if is_safe:
        safety.require_database_tls(database)
    else:
        with pytest.raises(ImproperlyConfigured, match="without TLS"):
            safety.require_database_tls(database)


def test_a_network_of_its_own_is_said_by_a_variable(tmp_path):
    address = "postgres://somebody:secret@db.example.org/study"
    assert start(tmp_path, DATABASE_URL=address, DATABASE_TLS="0").returncode == 0


@pytest.mark.parametrize(
    "address", ["redis://localhost/0", "redis://:secret@queue/0", "rediss://me:secret@queue/0", "filesystem://"]
)
def test_a_broker_with_a_password_or_on_this_machine_is_used(address):
    safety.require_broker_password(address)


def test_a_passwordless_redis_by_tls_is_refused_too():
    with pytest.raises(ImproperlyConfigured, match="requirepass"):
        safety.require_broker_password("rediss://queue.example.org/0")


COOKIES = """
from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME, s.LANGUAGE_COOKIE_SECURE,
      s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN, s.SECURE_HSTS_INCLUDE_SUBDOMAINS)
"""


def test_cookies_in_service_belong_to_this_host_alone(tmp_path):
    run = start(tmp_path, COOKIES, HSTS_SUBDOMAINS="1")
    names = ["__Host-sessionid", "__Host-csrftoken", "__Host-django_language"]
    assert run.stdout.split() == [*names, "True", "/", "None", "True"]
    assert start(tmp_path, COOKIES, HTTPS="0").stdout.split()[0] == "sessionid"


# --- files ----------------------------------------------------------------------------------------------------
def test_other_users_cannot_read_the_data_folder(tmp_path):
    """Also what an earlier version left readable; static files are public all the same."""
    var = tmp_path / "var"
    for name in ("media", "static"):
        (var / name).mkdir(parents=True)
        (var / name).chmod(0o755)
    (var / "notes.txt").touch(0o644)
    var.chmod(0o755)
    program = "import django; django.setup(); from pathlib import Path; Path('MADE').write_text('x')"
    assert start(var, program.replace("MADE", str(var / "media" / "new.png"))).returncode == 0
    modes = {path.name: path.stat().st_mode & 0o777 for path in (var, *var.rglob("*")) if path.name != "static"}
    assert modes == {"var": 0o700, "media": 0o700, "new.png": 0o600, "notes.txt": 0o600}
    assert (var / "static").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_another_user_passes_through_shows_nothing(tmp_path):
    before = os.umask(0o022)
    try:
        (tmp_path / "postgres").mkdir()
        safety.keep_private(tmp_path, is_traversed=True)
    finally:
        os.umask(before)
    assert tmp_path.stat().st_mode & 0o777 == 0o711
    assert (tmp_path / "postgres").stat().st_mode & 0o777 == 0o700


def test_the_cache_in_redis_holds_json(tmp_path):
    run = start(tmp_path, "from django.core.cache import cache; print(cache._cache._serializer.dumps({'a': [1.5]}))")
    assert run.stdout.strip() == '{"a": [1.5]}', run.stderr
    written = JSONFormat()
    for value in (0, 7, True, None, "a", [1.5, 2.5], {"a": ["b"]}):
        assert written.loads(str(written.dumps(value)).encode()) == value  # Redis gives bytes back
    assert type(written.dumps(7)) is int, "Redis counts it"
    with pytest.raises(ValueError):  # noqa: PT011 (JSON has several)
        written.loads(pickle.dumps(print))
    with pytest.raises(TypeError):
        written.dumps(print)


SHOW_KEY = "from django.conf import settings as s; print(s.PSEUDONYM_KEY)"


def test_the_key_of_the_pseudonyms_can_be_in_a_file_apart(tmp_path):
    var, apart = tmp_path / "var", tmp_path / "key"
    apart.write_text("k" * 40 + "\n")
    values = {"VAR_DIR": str(var), "PSEUDONYM_KEY": None}
    assert start(tmp_path, SHOW_KEY, **values, PSEUDONYM_KEY_FILE=str(apart)).stdout.strip() == "k" * 40
    within = var / "key"
    within.write_text("k" * 40)
    for changes, sentence in (
        ({**values, "PSEUDONYM_KEY_FILE": str(within)}, "which is within VAR_DIR: keep the key apart from the data"),
        ({**values, "PSEUDONYM_KEY_FILE": str(apart), "PSEUDONYM_KEY": "y" * 40}, "are both set"),
    ):
        run = start(tmp_path, **changes)
        assert run.returncode != 0
        assert sentence in run.stderr
    apart.write_text("short")
    assert "PSEUDONYM_KEY_FILE is shorter" in start(tmp_path, **values, PSEUDONYM_KEY_FILE=str(apart)).stderr


IMPORT = """
import django; django.setup()
from readerstudy.cohort.storage import fingerprint
from readerstudy.errors import StudyError
try:
    fingerprint("x")
except StudyError as error:
    print(error)
"""


def test_a_process_without_that_key_starts_and_imports_nothing(tmp_path):
    run = start(tmp_path, IMPORT, PSEUDONYM_KEY=None)
    assert "this process has no key for their pseudonyms. Set PSEUDONYM_KEY or" in run.stdout, run.stderr
    run = start(tmp_path, IMPORT, PSEUDONYM_KEY=None, PSEUDONYM_KEY_FILE=str(tmp_path.parent / "not there"))
    assert "not there, which this process could not read when it started" in run.stdout, run.stderr


def test_an_embedded_installation_with_a_key_apart_makes_none(tmp_path):
    apart = tmp_path / "key"
    apart.write_text("k" * 40)
    assert safety.read_pseudonym_key(key="", file=str(apart), folder=tmp_path, is_embedded=True) == "k" * 40
    assert safety.read_pseudonym_key(key="", file="", folder=tmp_path, is_embedded=True) == ""
    assert not (tmp_path / "pseudonym_key").exists()
