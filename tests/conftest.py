"""The cast, and a house of their own for every test."""

import pytest

from readerstudy.accounts.models import Role
from tests import make


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """Pictures, runs and reports of one test stay in its own folder."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow by design
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RUNS_DIR = tmp_path / "runs"
    settings.CACHE_DIR = tmp_path / "cache"
    settings.REPORTS_DIR = tmp_path / "reports"
    settings.JOBS_DIR = tmp_path / "jobs"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """The files of a test need not survive a power cut, and hundreds of fsyncs take minutes."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def small(monkeypatch):
    """Both resolutions at 64 x 52, for tests in which the size of the pictures does not matter."""
    make.small_resolutions(monkeypatch)


@pytest.fixture
def study(db, small):
    return make.study()


@pytest.fixture
def rita(study):
    """A reader, enrolled in `study`."""
    return make.reader_in(study, "rita")


@pytest.fixture
def clara(db):
    return make.user("clara", Role.COORDINATOR)


@pytest.fixture
def rosa(db):
    return make.user("rosa", Role.RESEARCHER)
