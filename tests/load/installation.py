"""The installation of the load test: Debian's PostgreSQL with fsync, Redis, and gunicorn as `deploy/web` starts it."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import psutil

from tests.deployment.installation import ROOT, USERS, Installation, free_ports, holds_within
from tests.faults.installation import accepts

APPLICATION = "tests.load.application:application"
GUNICORN = ("--worker-class", "gthread", "--workers", "2", "--threads", "4")
_LOG_TO_FILE = ("--log-level", "warning", "--no-control-socket", "--worker-tmp-dir", "/dev/shm")


class LoadedInstallation(Installation):
    """Without proxy and workers: the client speaks to the web processes, with the header fields of the proxy."""

    def start(self) -> None:
        self._start("postgres", self._of_postgres())
        self.wait_for("postgres")
        self._start("redis", self._of_redis())
        self.wait_for("redis")
        self._run_init()
        self.start_web("web", [sys.executable, "-m", "gunicorn", APPLICATION, *GUNICORN, *_LOG_TO_FILE])

    def start_web(self, name: str, command: Sequence[str], **changes: str) -> None:
        """Start a server of pages at the port of that name, and wait until it answers."""
        if name not in self.ports:
            (self.ports[name],) = free_ports(1)
        port = self.ports[name]
        place = ["--host", "127.0.0.1", "--port", str(port)] if name == "granian" else ["--bind", f"127.0.0.1:{port}"]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*command, *place], cwd=ROOT, env={**self.environment(), **changes}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        holds_within(lambda: self._accepts(name), f"{name} did not start.\n{self.log(name)}")

    def _accepts(self, name: str) -> bool:
        assert self.processes[name].poll() is None, f"{name} ended.\n{self.log(name)}"
        return accepts(self.ports[name])

    def environment(self, *, imports: bool = False) -> dict[str, str]:
        """As in service, with a limit of requests that one busy reader does not reach."""
        return {**super().environment(imports=imports), "REQUESTS_PER_MINUTE": "1000000"}

    def make_study(self, *, readers: int, images: int, size: int, coordinators: int) -> dict[str, Any]:
        numbers = (str(number) for number in (readers, images, size, coordinators))
        made = json.loads(self.module("tests.load.study", *numbers).splitlines()[-1])
        self.as_superuser("ANALYZE")
        return dict(made)

    def as_superuser(self, sql: str, database: str = "readerstudy") -> str:
        """Return what psql prints, over the socket that only the server's user may open."""
        options: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(USERS["postgres"])
            options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        environment = self._of_postgres()
        command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", database, "--command", sql]
        run = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False, **options)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def count_statements(self) -> None:
        """Restart PostgreSQL so that it counts statements."""
        self.as_superuser("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        self.restart("postgres")
        self.as_superuser("CREATE EXTENSION pg_stat_statements")
        self.as_superuser("ALTER SYSTEM SET pg_stat_statements.track_planning = 'on'")
        self.as_superuser("SELECT pg_reload_conf()")

    def processor_of(self, *names: str) -> float:
        """Return the seconds of processor that these services have used, with those of processes that have ended."""
        seconds = 0.0
        for name in names:
            first = psutil.Process(self.processes[name].pid)
            for process in (first, *first.children(recursive=True)):
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                seconds += times.user + times.system
                if process == first:
                    seconds += times.children_user + times.children_system
        return seconds


def running(work: Callable[[LoadedInstallation], None]) -> None:
    """Do the work with an installation that is deleted afterwards."""
    installation = LoadedInstallation()
    with closing(_Stopped(installation)):
        installation.start()
        work(installation)


class _Stopped:
    def __init__(self, installation: Installation) -> None:
        self.close = installation.stop
