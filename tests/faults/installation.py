"""An installation for faults: PostgreSQL, Redis, gunicorn and workers on free ports, which are killed and started."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil
import psycopg2

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180
PASSWORD = "a password of the loopback"
DISK_MB = 400  # of the small disk on which the database is, where one can be mounted


def missing_programs() -> list[str]:
    """Return what the installation needs and this machine lacks."""
    servers = {"PostgreSQL": _postgres_folder(), "redis-server": shutil.which("redis-server")}
    return [name for name, path in servers.items() if path is None]


def _postgres_folder() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


class Installation:
    """One installation below /tmp. It ends only processes that it has started, by their numbers."""

    def __init__(self) -> None:
        # Below /tmp itself: PostgreSQL runs as another user, and the path of a socket is short.
        self.folder = Path(tempfile.mkdtemp(prefix="readerstudy-faults-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.var, self.disk = self.folder / "var", self.folder / "disk"
        self.var.mkdir()
        self.disk.mkdir()
        self.set_clock(0)
        self.web_port, self.postgres_port, self.redis_port = _free_ports(3)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.has_small_disk = self._mount()
        self.has_own_var = self.has_small_disk and _mounted("--bind", str(self.var), str(self.var))
        self.postgres_user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    # --- whole ----------------------------------------------------------------------------------------------
    def start(self, workers: int = 2) -> None:
        """Make the database, migrate it and start everything."""
        self._make_database()
        self.start_postgres()
        self.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"])
        self.run([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"])
        self.start_redis()
        self.start_web()
        for number in range(workers):
            self.start_worker(f"worker-{number}")

    def stop(self) -> None:
        """End all processes and delete everything."""
        for name in list(self.processes):
            self.kill(name)
        for path, is_mounted in ((self.disk, self.has_small_disk), (self.var, self.has_own_var)):
            if is_mounted:
                subprocess.run(["umount", "--lazy", str(path)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_clock(self, seconds: int) -> None:
        """Set by how much the clock of the web processes is wrong, also of those that run."""
        draft = self._clock.with_suffix(".part")
        draft.write_text(str(seconds))
        draft.replace(self._clock)

    def environment(self, **changes: str) -> dict[str, str]:
        """What an administrator sets."""
        keys = {name: name.lower() * 4 for name in ("SECRET_KEY", "PSEUDONYM_KEY", "RECORD_KEY")}
        names = {"DATABASE_URL": "web", "SEALED_DATABASE_URL": "sealed", "OWNER_DATABASE_URL": "postgres"}
        place = f"127.0.0.1:{self.postgres_port}/postgres"
        urls = {name: f"postgres://{user}:{PASSWORD.replace(' ', '%20')}@{place}" for name, user in names.items()}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            **keys,
            **urls,
            "ALLOWED_HOSTS": "127.0.0.1",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "CELERY_IMPORTS": "tests.sample_tasks",
            "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings",
            "HTTPS": "0",
            "REQUESTS_PER_MINUTE": "0",
            "TIME_ZONE": "Europe/Berlin",
            "VAR_DIR": str(self.var),
            "CLOCK_FILE": str(self._clock),
            **changes,
        }

    def run(self, command: Sequence[str]) -> str:
        """Run a command of the installation to its end; return what it prints."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=4 * PATIENCE_S
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # --- processes ------------------------------------------------------------------------------------------
    def start_postgres(self) -> None:
        command = [str(self._bin / "postgres"), "-D", str(self.disk / "data")]
        self._start("postgres", command, user=self.postgres_user)
        wait_until(self.database_answers, f"PostgreSQL did not start:\n{self.log('postgres')}")

    def start_redis(self) -> None:
        """Without persistence: whatever waits is lost when it is killed."""
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._start("redis", ["redis-server", *options])
        wait_until(lambda: accepts(self.redis_port), "Redis did not start")

    def start_web(self) -> None:
        options = ["--bind", f"127.0.0.1:{self.web_port}", "--worker-class", "gthread", "--workers", "2"]
        options += ["--threads", "4", "--no-control-socket", "--config", "python:tests.faults.wrong_clock"]
        self._start("web", [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", *options])
        wait_until(lambda: accepts(self.web_port), f"gunicorn did not start:\n{self.log('web')}")

    def start_worker(self, name: str) -> None:
        self._start(name, [sys.executable, "manage.py", "work", "--queue", "cpu"])

    def kill(self, name: str) -> None:
        """Kill a process with all its children, and wait until they are gone."""
        process = self.processes.pop(name)
        family = self.family(process.pid)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
        psutil.wait_procs(family, timeout=PATIENCE_S)

    def family(self, pid: int) -> list[psutil.Process]:
        try:
            first = psutil.Process(pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def children(self, name: str) -> list[psutil.Process]:
        return self.family(self.processes[name].pid)[1:]

    @property
    def workers(self) -> list[str]:
        return sorted(name for name in self.processes if name.startswith("worker"))

    def stop_postgres(self, how: signal.Signals) -> None:
        """SIGINT: fast; SIGQUIT: immediate."""
        process = self.processes.pop("postgres")
        process.send_signal(how)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.processes["postgres"] = process
            self.kill("postgres")

    def is_running(self, name: str) -> bool:
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def errors(self, name: str) -> list[str]:
        """Return the lines of a service's log that report an error, whole, with their tracebacks."""
        path = self.folder / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return [line for line in lines if '"level": "error"' in line]

    def set_writable(self, value: bool) -> bool:
        """Let VAR_DIR be written, or not. Return False if that is impossible here."""
        if not self.has_own_var:
            return False
        options = f"remount,bind,{'rw' if value else 'ro'}"
        # While a file is open for writing the change is refused.
        wait_until(lambda: _mounted("-o", options, str(self.var)), "VAR_DIR cannot be mounted again")
        return True

    def database_answers(self) -> bool:
        try:
            psycopg2.connect(
                host="127.0.0.1", port=self.postgres_port, user="postgres", password=PASSWORD, dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    # --- parts ----------------------------------------------------------------------------------------------
    @property
    def _bin(self) -> Path:
        folder = _postgres_folder()
        assert folder is not None
        return folder

    @property
    def _clock(self) -> Path:
        return self.folder / "clock"

    def _start(self, name: str, command: Sequence[str], user: str | None = None) -> None:
        log: IO[bytes] = (self.folder / f"{name}.log").open("ab")
        as_user = {"user": user, "group": user, "extra_groups": []} if user and os.geteuid() == 0 else {}
        with log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT if not as_user else "/", env=self.environment(), stdout=log, stderr=log,
                start_new_session=True, **as_user,
            )  # fmt: skip

    def _mount(self) -> bool:
        """Mount a small disk for the database, where that is possible."""
        if os.geteuid() != 0:
            return False
        options = f"size={DISK_MB}m,mode=0711"
        return _mounted("-t", "tmpfs", "-o", options, "readerstudy-faults", str(self.disk))

    def _make_database(self) -> None:
        data, secret = self.disk / "data", self.folder / "password"
        data.mkdir()
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (data, secret):
                shutil.chown(path, self.postgres_user)
        command = [str(self._bin / "initdb"), "-D", str(data), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        as_user = {"user": self.postgres_user, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, capture_output=True, cwd="/", **as_user)
        settings = {
            "listen_addresses": "'127.0.0.1'",
            "port": self.postgres_port,
            "unix_socket_directories": f"'{data}'",
            "max_wal_size": "'64MB'",
            "min_wal_size": "'32MB'",
            "max_connections": 60,
            "timezone": "'UTC'",
        }
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())


def wait_until(holds: Callable[[], bool], message: str, patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, message
        time.sleep(0.1)


def _mounted(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


def accepts(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _number in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
