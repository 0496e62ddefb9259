"""The profile `sso` of docker-compose.yml: its provider behind its proxy, and people who sign in through it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.deployment import installation
from tests.deployment.installation import ROOT, Installation


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider, installed by the line of the Dockerfile."""
    folder = tmp_path_factory.mktemp("provider")
    (install,) = re.findall(r"^RUN pip (install .*requirements/sso\.txt)$", (ROOT / "Dockerfile").read_text(), re.M)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", *install.split()], cwd=ROOT, check=True, capture_output=True)
    return folder / "bin" / "oidc-provider-mock"


@pytest.fixture(scope="module")
def service(provider: Path) -> Iterator[Installation]:
    missing = installation.missing_programs()
    assert not missing, f"{', '.join(missing)} is missing: run `make setup-test`."
    service = Installation(provider=provider)
    try:
        service.start(workers=False)
        yield service
    finally:
        service.stop()


def sign_in(service: Installation, person: str) -> tuple[httpx.Client, httpx.Response]:
    """Go from the sign-in page to the provider and back as a browser does; return the last page."""
    browser = httpx.Client(verify=service.trust(), trust_env=False, timeout=120, follow_redirects=True)
    page = browser.get(f"{service.url}/account/sign-in/")
    (button,) = re.findall(r'action="(/account/oidc/[^"]+)"|href="(/account/oidc/[^"]+)"', page.text)
    asked = browser.get(service.url + "".join(button).replace("&amp;", "&"))
    assert f"https://{asked.url.netloc.decode()}" == service.provider_url, asked.text
    return browser, browser.post(asked.url, data={"sub": person})


def test_a_coordinator_and_a_researcher_sign_in_through_the_provider(service: Installation) -> None:
    for person in ("clara", "rosa"):
        browser, page = sign_in(service, person)
        assert page.status_code == 200, page.text
        assert f"https://{page.url.netloc.decode()}" == service.url
        assert browser.cookies.get("__Host-sessionid")
    rows = service.query("SELECT username, email, role FROM accounts_user ORDER BY username")
    assert rows == [("clara", "clara@example.org", "coordinator"), ("rosa", "rosa@example.org", "researcher")]
    verbs = service.query("SELECT verb, count(*) FROM audit_event WHERE verb LIKE 'sign_in%' GROUP BY 1")
    assert verbs == [("sign_in.by_sso", 2)]


def test_who_is_refused_at_the_provider_is_not_signed_in(service: Installation) -> None:
    browser = httpx.Client(verify=service.trust(), trust_env=False, timeout=120, follow_redirects=True)
    asked = browser.get(f"{service.url}/account/oidc/openid/login/")
    page = browser.post(asked.url, data={"action": "deny"})
    assert urlsplit(str(page.url)).netloc == urlsplit(service.url).netloc
    assert browser.get(f"{service.url}/read/").url.path.startswith("/account/sign-in/")
