"""Fixtures of all tests; one Hypothesis profile; a folder for temporary files that is removed after the run."""

import os
import shutil
import tempfile
from contextlib import suppress

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from readerstudy.accounts.models import Role
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from tests import make
from tests.kept import forget
from tests.schedule import LongestFirst, place_in
from tests.without_torch import WITHOUT_TORCH, files_with_torch

# Slowness of a busy machine is not a fault: no test fails because it, or the drawing of its examples, was slow.
hypothesis_settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")


collect_ignore = files_with_torch() if WITHOUT_TORCH else []


def pytest_terminal_summary(terminalreporter) -> None:
    if WITHOUT_TORCH:
        terminalreporter.write_line(f"WITHOUT_TORCH is set: {len(collect_ignore)} modules that import torch left out.")


def pytest_configure(config: pytest.Config) -> None:
    """Put everything that tests and their child processes write outside the clone into one folder, removed at the end.

    In the system's temporary folder, not below the clone: the path of a socket has at most 107 characters.
    """
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist inherits its controller's environment
        return
    folder = tempfile.mkdtemp(prefix="readerstudy-tests-")
    patch = pytest.MonkeyPatch()
    for name in ("TMPDIR", "PYTEST_DEBUG_TEMPROOT"):
        patch.setenv(name, folder)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        patch.setenv(name, os.path.join(folder, name.lower()))
    patch.setattr(tempfile, "tempdir", None)  # read TMPDIR again
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.add_cleanup(patch.undo)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of pytest-xdist: what takes longest comes first (`tests.schedule`)."""
    if hasattr(config, "workerinput"):
        place = place_in([item.nodeid for item in items])
        items.sort(key=lambda item: place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    return LongestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Switch autovacuum and the wait for the disk off in the test database.

    No test stops this PostgreSQL by force, so that a commit need not have reached the disk. The rows of a test that was
    rolled back are dead. Once autovacuum has removed them, PostgreSQL estimates that the table is empty, and joins the
    thousands of rows of a later test by nested loops, which took 11 minutes once.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")  # of later connections
        cursor.execute("SET synchronous_commit = off")
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} SET (autovacuum_enabled = false)")


@pytest.fixture(autouse=True, scope="session")
def flush_past_triggers():
    """Let tests with transactions of their own empty the database, whose evidence refuses TRUNCATE.

    Where numbers begin with 1 again, rows that are put back could meet others of their numbers (`tests.kept`).
    """
    flush, reset = DatabaseOperations.sql_flush, DatabaseOperations.sequence_reset_by_name_sql
    role = "SET LOCAL session_replication_role = replica"

    def sql_flush(*args, reset_sequences=False, **options):
        if reset_sequences:
            forget()
        return [role, *flush(*args, reset_sequences=reset_sequences, **options)]

    def reset_and_forget(*args):
        forget()
        return reset(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(DatabaseOperations, "sequence_reset_by_name_sql", reset_and_forget)
        yield


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """Pictures, runs and reports of one test stay in its own folder."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow by design
    settings.MIDDLEWARE = ["tests.roles.PlainRole", *settings.MIDDLEWARE]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RUNS_DIR = tmp_path / "runs"
    settings.CACHE_DIR = tmp_path / "cache"
    settings.REPORTS_DIR = tmp_path / "reports"
    settings.JOBS_DIR = tmp_path / "jobs"
    settings.RECORD_DIR = tmp_path / "record"
    settings.UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture(autouse=True)
def english():
    """A test that asked for a page in German leaves that language to the next one."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def no_earlier_attempts():
    """Wrong passwords of other tests do not count."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """The files of a test need not survive a power cut, and hundreds of fsyncs take minutes."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.setattr("os.sync", lambda: None)


@pytest.fixture(autouse=True)
def own_processes(monkeypatch):
    """A job that would have a process of its own runs in the test's, at once: another process sees no test's rows."""
    monkeypatch.setattr("readerstudy.jobs.own_process.start_process", run_now)


def run_now(number: int) -> None:
    """Run a job as `run_job` does; its row says how it ended."""
    with suppress(StudyError):
        run_here(Job.numbered(number))


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
