"""Header fields of every response, and which files of the server are public."""

import re
from pathlib import Path

import pytest
from django.test import Client

from readerstudy.accounts.models import Role
from readerstudy.middleware import HashedStaticFiles
from tests import make

ROOT = Path(__file__).parent.parent


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/account/sign-in/", "/static/favicon.svg", "/api/v1/reading/", "/nowhere/"])
def test_every_response_refuses_other_sites_and_devices(client, address):
    headers = client.get(address).headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    allowed = dict(part.split("=") for part in headers["Permissions-Policy"].split(", "))
    passkeys = ["publickey-credentials-create", "publickey-credentials-get"]
    assert [name for name, origins in allowed.items() if origins != "()"] == ["fullscreen", *passkeys]
    assert {"camera", "microphone", "geolocation", "usb", "display-capture"} <= allowed.keys()


@pytest.mark.django_db
def test_pages_are_alone_in_their_window_and_run_no_foreign_script(client):
    headers = client.get("/account/sign-in/").headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_only_the_administration_has_a_policy_of_its_own():
    loose = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "readerstudy").rglob("*.py")
        if re.search(r"UNSAFE_|unsafe-|@csp|csp_(update|replace|exempt)", path.read_text())
    ]
    assert loose == ["readerstudy/admin_site.py"]


def test_the_list_of_static_files_is_not_public(settings, tmp_path):
    settings.VAR_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    old = settings.STATIC_ROOT / "staticfiles.json"
    settings.STATIC_ROOT.mkdir()
    old.write_text("{}")
    storage = HashedStaticFiles()
    storage.hashed_files = {"a.css": "a.123.css"}
    storage.save_manifest()
    assert not list(settings.STATIC_ROOT.iterdir())
    assert HashedStaticFiles().load_manifest()[0] == {"a.css": "a.123.css"}


@pytest.mark.django_db
def test_answers_of_the_api_are_files_to_a_browser(client):
    """A person who opens such an address gets a file, never a page."""
    client.force_login(make.user("rosa", Role.RESEARCHER))
    named = {
        address: client.get(address).headers.get("Content-Disposition")
        for address in ("/api/v1/studies/", "/api/v1/studies/nowhere/", "/api/v1/schema/", "/desk/")
    }
    assert named["/desk/"] is None
    assert named["/api/v1/studies/"] == named["/api/v1/studies/nowhere/"] == 'attachment; filename="api.json"'
    assert named["/api/v1/schema/"] == 'attachment; filename="Reader study.yaml"'
    assert Client().get("/api/v1/reading/").headers["Content-Disposition"] == 'attachment; filename="api.json"'
