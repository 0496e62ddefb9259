"""The whole set of docker-compose.yml, started by the same scripts on this machine, and a small study on it.

Debian's PostgreSQL, Redis and nginx, gunicorn and Celery workers; readers come through the proxy by TLS.
"""

import json
import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg2
import pytest

from readerstudy.client.reader_client import ReaderClient
from readerstudy.client.scripted_reader import play_session
from tests.deployment import installation
from tests.deployment.installation import Installation, holds_within

STUDY = "tiny"
NEW_PASSWORD = "it's \\ a new %40 one"
SECRETS = ("owner_password", "web_password", "sealed_password", "redis_password", "secret_key", "record_key")


@pytest.fixture(scope="module")
def service() -> Iterator[Installation]:
    missing = installation.missing_programs()
    assert not missing, f"{', '.join(missing)} is missing: run `make setup-test`."
    service = Installation()
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def job(service: Installation) -> int:
    """A study with the reader Rita, and a job on the queue; its number."""
    return int(json.loads(service.module("tests.deployment.small_study", str(service.archive)))["job"])


@pytest.fixture(scope="module")
def link(service: Installation, job: int) -> str:
    return service.manage("sign_in_link", "rita", "--url", service.url).strip()


@pytest.fixture(scope="module")
def rita(service: Installation, link: str) -> Iterator[httpx.Client]:
    """Signed in as Rita by her link."""
    with httpx.Client(base_url=service.url, verify=service.trust(), trust_env=False, timeout=120) as rita:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', rita.get(link).text)
        form = {"csrfmiddlewaretoken": token[1]}
        response = rita.post(link, data=form, headers={"Referer": link, "Origin": service.url})
        assert response.status_code == 302, response.text
        rita.headers.update({"X-CSRFToken": rita.cookies["__Host-csrftoken"], "Referer": f"{service.url}/"})
        yield rita


@pytest.fixture(scope="module")
def restarted(service: Installation, link: str, rita: httpx.Client) -> None:
    """The application and the database are stopped and started, with another password; Rita comes in between."""
    service.stop_one("web")
    for address in (link, f"{service.url}/read/"):
        assert rita.get(address).status_code == 502
    path = service.secrets / "web_password"
    path.chmod(0o644)
    path.write_text(NEW_PASSWORD)
    service.restart("postgres")
    service.restart("web")


def test_each_service_passes_its_own_health_check(service: Installation) -> None:
    assert {name: service.check(name) for name in ("postgres", "redis", "web", "proxy")} == {
        "postgres": True,
        "redis": True,
        "web": True,
        "proxy": True,
    }
    for name in ("worker", "beat"):
        service.wait_for(name)


def test_a_reader_signs_in_and_reads_through_the_proxy(service: Installation, rita: httpx.Client) -> None:
    reader = ReaderClient(rita)
    (session, *_others) = reader.sessions(STUDY)
    images = []
    for step in play_session(reader, STUDY, session["number"], lambda step: (step["verdicts"][0], 4000)):
        image = reader.fetch_image(step["stimulus"]["image"])
        assert image.status == 200
        assert image.body.startswith(b"\x89PNG")
        images.append(image.body)
    assert len(images) == session["total"] == 3
    assert reader.current_step(STUDY, session["number"])["kind"] == "done"
    assert service.query("SELECT count(*) FROM reading_reading") == [(3,)]
    verified = json.loads(service.manage("verify_study", STUDY, "--json"))
    assert verified["passed"] is True


def test_a_worker_does_the_job_that_came_by_the_queue(service: Installation, job: int) -> None:
    query = f"SELECT status, note FROM jobs_job WHERE id = {job}"
    holds_within(lambda: service.query(query)[0][0] in ("done", "failed"), service.log("worker"))
    assert service.query(query) == [("done", "")]


def test_who_comes_without_tls_is_sent_to_it(service: Installation) -> None:
    plain = f"http://localhost:{service.ports['http']}/read/?x=1"
    response = httpx.get(plain, trust_env=False)
    assert (response.status_code, response.headers["Location"]) == (308, f"{service.url}/read/?x=1")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(service.url, trust_env=False)
    page = httpx.get(f"{service.url}/account/sign-in/", verify=service.trust(), trust_env=False)
    assert page.headers["Strict-Transport-Security"]
    assert "nginx/" not in page.headers.get("Server", "")
    assert all("; Secure" in cookie for cookie in page.headers.get_list("Set-Cookie"))
    styles = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert httpx.get(service.url + styles[1], verify=service.trust(), trust_env=False).status_code == 200


def test_the_proxy_speaks_no_older_tls(service: Installation) -> None:
    for version, is_spoken in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = service.trust()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # otherwise this side would refuse the old version
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", service.ports["https"])) as plain:
            if is_spoken:
                assert context.wrap_socket(plain, server_hostname="localhost").version() == "TLSv1.2"
            else:
                with pytest.raises(ssl.SSLError, match=r"(?i)protocol version|alert"):
                    context.wrap_socket(plain, server_hostname="localhost")


def test_a_reader_cannot_choose_the_address_that_is_recorded(service: Installation, rita: httpx.Client) -> None:
    rita.get("/read/", headers={"X-Forwarded-For": "203.0.113.9"})
    addresses = service.query("SELECT DISTINCT ip::text FROM usersessions_usersession")
    assert addresses == [("127.0.0.1/32",)]


def test_the_role_of_the_pages_cannot_read_the_truth(service: Installation, job: int) -> None:
    assert service.query("SELECT count(*) > 0 FROM truth_truth", role="sealed") == [(True,)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        service.query("SELECT count(*) FROM truth_truth", role="web")
    assert service.query("SELECT rolname FROM pg_roles WHERE rolsuper AND rolname LIKE 'readerstudy%'") == []


def test_nobody_but_the_three_roles_comes_by_the_network(service: Installation) -> None:
    where = {"host": "127.0.0.1", "port": service.ports["postgres"]}
    with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg2.connect(user="postgres", dbname="readerstudy", **where)
    with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg2.connect(user="readerstudy", password=service.secret("owner_password"), dbname="postgres", **where)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(user="readerstudy", password="guessed", dbname="readerstudy", **where)


def test_a_password_is_changed_by_its_file_and_a_restart(service: Installation, restarted: None) -> None:
    assert service.secret("web_password") == NEW_PASSWORD
    assert service.query("SELECT count(*) FROM studies_study", role="web") == [(1,)]


def test_a_reader_goes_on_after_a_restart(rita: httpx.Client, restarted: None) -> None:
    assert [row["study"] for row in ReaderClient(rita).studies()] == [STUDY]


def test_the_secrets_are_their_owner_s_and_are_not_made_twice(service: Installation) -> None:
    assert service.modes["secrets"] == 0o700
    assert {mode for name, mode in service.modes.items() if name != "secrets"} == {0o444}
    before = {name: service.secret(name) for name in SECRETS}
    assert len(set(before.values())) == len(SECRETS)
    assert all(len(before[name]) >= 20 for name in SECRETS)


def test_no_log_and_no_command_line_has_a_secret(service: Installation, link: str, restarted: None) -> None:
    logs = {name: service.log(name) for name in installation.NAMES}
    assert "/read/" in logs["proxy"]  # of the request that found no application
    command_lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    for secret in (token_of(link), *(service.secret(name) for name in SECRETS)):
        assert [name for name, text in logs.items() if secret in text] == []
        assert not any(secret.encode() in line for line in command_lines)


def token_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]
