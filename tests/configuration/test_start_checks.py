"""A process that would answer with errors does not start, and says what is to be done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder

from readerstudy.configuration.start_checks import require_migrated, require_static_files, require_tasks
from readerstudy.middleware import HashedStaticFiles
from tests.configuration.test_settings import CONFIGURED
from tests.jobs.outage import database_away
from tests.roles import database_addresses

ROOT = Path(__file__).parents[2]


def test_missing_static_files_are_named(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setitem(storages._storages, "staticfiles", HashedStaticFiles())
    with pytest.raises(ImproperlyConfigured, match="then start again"):
        require_static_files()
    (tmp_path / "static_files.json").write_text('{"version": "1.1", "paths": {"a.css": "a.1.css"}, "hash": "1"}')
    monkeypatch.setitem(storages._storages, "staticfiles", HashedStaticFiles())
    require_static_files()


@pytest.mark.django_db(transaction=True)
def test_missing_migrations_are_named():
    require_migrated()
    last = ("jobs", "0002_deaths_and_outages")
    MigrationRecorder(connection).record_unapplied(*last)
    try:
        with pytest.raises(ImproperlyConfigured, match=r"lacks 1 migrations, the first of them jobs.0002_deaths"):
            require_migrated()
    finally:
        MigrationRecorder(connection).record_applied(*last)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_lets_the_web_start():
    with database_away():
        require_migrated()


@pytest.mark.django_db(transaction=True)
def test_gunicorn_ends_with_a_sentence_instead_of_trying_again(tmp_path):
    environment = {**CONFIGURED, **database_addresses(), "VAR_DIR": str(tmp_path), "HOME": str(tmp_path)}
    environment |= {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode != 0
    assert "readerstudy: The static files are missing: run manage.py collectstatic" in run.stderr
    assert "Traceback" not in run.stderr.split("readerstudy: The static files")[0]


def test_a_worker_names_the_package_that_it_lacks(settings, tmp_path, monkeypatch):
    (tmp_path / "lab_tasks_of_a_test.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings.CELERY_IMPORTS = ["tests.sample_tasks"]
    require_tasks()
    settings.CELERY_IMPORTS = ["tests.sample_tasks", "lab_tasks_of_a_test"]
    with pytest.raises(ImproperlyConfigured, match="loads lab_tasks_of_a_test, which needs a_package_that_nobody_has"):
        require_tasks()


@pytest.mark.django_db(transaction=True)
def test_the_pages_are_imported_before_the_first_person_waits(tmp_path):
    (tmp_path / "static_files.json").write_text('{"version": "1.1", "paths": {"a.css": "a.1.css"}, "hash": "1"}')
    environment = {**CONFIGURED, **database_addresses(), "VAR_DIR": str(tmp_path), "HOME": str(tmp_path)}
    show = "import sys, readerstudy.wsgi; print('readerstudy.desk.views' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", show], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout == "True\n", run.stderr


@pytest.mark.django_db(transaction=True)
def test_a_command_on_a_database_without_a_table_names_the_migration():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_job RENAME TO jobs_job_away")
    last = ("jobs", "0002_deaths_and_outages")
    MigrationRecorder(connection).record_unapplied(*last)
    try:
        with pytest.raises(ImproperlyConfigured, match="lacks 1 migrations"):
            call_command("requeue_lost_jobs")
        MigrationRecorder(connection).record_applied(*last)
        with pytest.raises(ProgrammingError, match="jobs_job"):
            call_command("requeue_lost_jobs")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_job_away RENAME TO jobs_job")
        MigrationRecorder(connection).record_applied(*last)


@pytest.mark.django_db(transaction=True)
def test_a_command_says_that_the_database_is_away():
    with database_away(), pytest.raises(CommandError, match="The database does not answer: "):
        call_command("requeue_lost_jobs")
