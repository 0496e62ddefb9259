"""The application with its servers, each started by its script in deploy/ as the containers start it."""

import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).parents[2]
PATIENCE = 180  # seconds for a process to come up, or to end
NAMES = ("postgres", "redis", "web", "worker", "beat", "proxy")
# Servers refuse to run as root, or should not.
USERS = {"postgres": "postgres", "redis": "redis", "proxy": "www-data", "sso-proxy": "www-data"}
SCRIPTS = {"sso-proxy": "proxy"}  # of services that do not share their name with it
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
PATH = os.pathsep.join([*(str(path) for path in _POSTGRES[-1:]), os.environ["PATH"], "/usr/sbin"])


def missing_programs() -> list[str]:
    """Return what the servers need and this machine lacks. `make setup-test` installs it."""
    programs = ("initdb", "redis-server", "nginx", "curl", "openssl")
    return [name for name in programs if shutil.which(name, path=PATH) is None]


class Installation:
    """One installation on free ports of the loopback. Everything that it starts it stops, by process id.

    `provider`: the program of the profile `sso`, which is started too, with the proxy before it.
    """

    def __init__(self, *, provider: Path | None = None) -> None:
        self.provider = provider
        # Below /tmp itself: the servers run as users of their own, and the path of a socket is short.
        self.folder = Path(tempfile.mkdtemp(prefix="readerstudy-service-", dir="/tmp"))
        self.folder.chmod(0o711)
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        self.secrets = self.folder / "secrets"
        for command in (["secrets", str(self.secrets)], ["certificate", "localhost", str(self.secrets)]):
            subprocess.run([self.folder / "deploy" / command[0], *command[1:]], check=True, stdout=subprocess.DEVNULL)
        self.modes = {path.name: path.stat().st_mode & 0o777 for path in (self.secrets, *self.secrets.iterdir())}
        self.secrets.chmod(0o711)  # containers are given the files; here servers of other users open them by path
        self.archive = self.folder / "archive"
        self.archive.mkdir()
        names = ("postgres", "redis", "web", "http", "https", "sso", "sso-http", "sso-https")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.url = f"https://localhost:{self.ports['https']}"
        self.provider_url = f"https://localhost:{self.ports['sso-https']}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *, workers: bool = True) -> None:
        """Start everything in the order of docker-compose.yml, and wait until it works."""
        self._start("postgres", self._of_postgres())
        self.wait_for("postgres")
        self._start("redis", self._of_redis())
        self.wait_for("redis")
        if self.provider:
            for name, environment in (("sso", self._of_sso()), ("sso-proxy", self._of_proxy("sso", "sso-"))):
                self._start(name, environment)
                self.wait_for(name)
        self._run_init()
        for name in ("web", *(("worker", "beat") if workers else ())):
            self._start(name, self.environment(imports=name == "worker"))
        self.wait_for("web")
        self._start("proxy", self._of_proxy())
        self.wait_for("proxy")

    def stop(self) -> None:
        """Stop what was started, the last one first, and delete the folder."""
        try:
            for name in reversed(list(self.processes)):
                self.stop_one(name)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def stop_one(self, name: str) -> int:
        """Stop one process, if it runs, as its container is stopped; return its exit code."""
        process = self.processes.pop(name, None)
        if process is None:
            return 0
        process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        try:
            return process.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what is left of its group
            process.wait()

    def restart(self, name: str) -> None:
        self.stop_one(name)
        of = {"postgres": self._of_postgres, "redis": self._of_redis, "proxy": self._of_proxy}
        self._start(name, of.get(name, self.environment)())
        self.wait_for(name)

    def check(self, name: str) -> bool:
        """Return whether the service's own health check passes."""
        of = {"postgres": self._of_postgres, "redis": self._of_redis, "sso": self._of_sso}
        http = self.ports["sso-http" if name == "sso-proxy" else "http"]
        environment = {**of.get(name, self.environment)(), "CHECK": f"127.0.0.1:{http}"}
        command = [ROOT / "deploy" / "check", SCRIPTS.get(name, name)]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode == 0

    def wait_for(self, name: str) -> None:
        holds_within(lambda: self._is_up(name), f"{name} did not come up.\n{self.log(name)}")

    def manage(self, *command: str) -> str:
        """Run a command of manage.py as a person at the terminal does; return what it prints."""
        return self._run([sys.executable, "manage.py", *command])

    def module(self, name: str, *arguments: str) -> str:
        """Run a module of the tests with the settings of the service; return what it prints."""
        settings = {"DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
        return self._run([sys.executable, "-m", name, *arguments], {**self.environment(imports=True), **settings})

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text()

    def query(self, sql: str, *, role: str = "owner") -> list[tuple[Any, ...]]:
        """Return the rows of a query by one of the three roles, over the network."""
        user = "readerstudy" if role == "owner" else f"readerstudy_{role}"
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.ports["postgres"], user=user, password=self.secret(f"{role}_password"),
            dbname="readerstudy",
        )  # fmt: skip
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    def trust(self) -> ssl.SSLContext:
        """Return TLS that trusts the certificate of this installation and no other."""
        return ssl.create_default_context(cafile=str(self.secrets / "tls_certificate"))

    def environment(self, *, imports: bool = False) -> dict[str, str]:
        """What docker-compose.yml gives to the services of the application, at this machine's addresses.

        `imports`: to a service that imports images, which needs the key of the pseudonyms.
        """
        files = {
            "DATABASE_PASSWORD": "web_password",
            "SEALED_DATABASE_PASSWORD": "sealed_password",
            "CELERY_BROKER_PASSWORD": "redis_password",
            "SECRET_KEY": "secret_key",
            "RECORD_KEY": "record_key",
            "EMAIL_URL": "email_url",
            "OIDC_CLIENT_SECRET": "oidc_client_secret",
            "METRICS_TOKEN": "metrics_token",
        }
        if imports:
            files["PSEUDONYM_KEY"] = "pseudonym_key"
        # As docs/guides/deployment.md says under "Trying single sign-on".
        trying = {
            "OIDC_URL": self.provider_url,
            "OIDC_CLIENT_ID": "readerstudy",
            "REQUESTS_CA_BUNDLE": str(self.secrets / "tls_certificate"),
            "SSO_ROLES": "researcher=researchers,coordinator=coordinators",
        }
        return {
            **self._common(),
            **(trying if self.provider else {}),
            **{f"{name}_FILE": str(self.secrets / file) for name, file in files.items()},
            "DATABASE_URL": self._database("readerstudy_web"),
            "SEALED_DATABASE_URL": self._database("readerstudy_sealed"),
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{self.ports['redis']}/0",
            "ALLOWED_HOSTS": "localhost",
            "BEHIND_PROXY": "1",
            "VAR_DIR": str(self.folder / "data"),
            "TIME_ZONE": "Europe/Berlin",
            "WEB_BIND": f"127.0.0.1:{self.ports['web']}",
            "IMPORT_FOLDERS": f"archive={self.archive}",
            # Torch takes long to load, and is not on every machine that runs this.
            "CELERY_IMPORTS": "readerstudy.image_import.tasks,readerstudy.invitations.tasks",
        }

    def _database(self, user: str) -> str:
        return f"postgres://{user}@127.0.0.1:{self.ports['postgres']}/readerstudy"

    def _common(self) -> dict[str, str]:
        names = ("LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {**kept, "PATH": PATH, "PYTHON": sys.executable, "HOME": str(self.folder), "LISTEN": "127.0.0.1"}

    def _of_postgres(self) -> dict[str, str]:
        files = {f"{role.upper()}_PASSWORD_FILE": str(self.secrets / f"{role}_password") for role in _ROLES}
        folder = str(self.folder / "postgres")
        places = {"PGDATA": f"{folder}/data", "PGHOST": folder, "PGPORT": str(self.ports["postgres"])}
        return {**self._common(), **files, **places}

    def _of_redis(self) -> dict[str, str]:
        folder = str(self.folder / "redis")
        places = {"REDIS_DATA": folder, "RUN_DIR": folder, "REDIS_PORT": str(self.ports["redis"])}
        return {**self._common(), **places, "REDIS_PASSWORD_FILE": str(self.secrets / "redis_password")}

    def _of_sso(self) -> dict[str, str]:
        places = {"SSO_BIND": "127.0.0.1", "SSO_PORT": str(self.ports["sso"])}
        return {**self._common(), **places, "OIDC_PROVIDER": str(self.provider)}

    def _of_proxy(self, upstream: str = "web", prefix: str = "") -> dict[str, str]:
        https, http = self.ports[f"{prefix}https"], self.ports[f"{prefix}http"]
        return {
            **self._common(),
            "TLS_CERTIFICATE_FILE": str(self.secrets / "tls_certificate"),
            "TLS_KEY_FILE": str(self.secrets / "tls_key"),
            "UPSTREAM": f"127.0.0.1:{self.ports[upstream]}",
            "HTTPS_LISTEN": f"127.0.0.1:{https}",
            "HTTP_LISTEN": f"127.0.0.1:{http}",
            "HTTPS_PORT": str(https),
            "RUN_DIR": str(self.folder / f"{prefix}proxy"),
        }

    def _run_init(self) -> None:
        owner = {
            "OWNER_DATABASE_URL": self._database("readerstudy"),
            "OWNER_DATABASE_PASSWORD_FILE": str(self.secrets / "owner_password"),
        }
        self._run([str(ROOT / "deploy" / "init")], {**self.environment(), **owner})

    def _run(self, command: list[str], environment: Mapping[str, str] | None = None) -> str:
        run = subprocess.run(command, cwd=ROOT, env=environment or self.environment(), capture_output=True, text=True)
        assert run.returncode == 0, f"{command}: {run.stdout}{run.stderr}"
        return run.stdout

    def _start(self, name: str, environment: Mapping[str, str]) -> None:
        user = USERS.get(name) if os.geteuid() == 0 else None
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        options: dict[str, Any] = {}
        if user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        script = (self.folder if user else ROOT) / "deploy" / SCRIPTS.get(name, name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [script], cwd=self.folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **options,
            )  # fmt: skip

    def _is_up(self, name: str) -> bool:
        process = self.processes[name]
        assert process.poll() is None, f"{name} ended with code {process.returncode}.\n{self.log(name)}"
        return self.check(name)


_ROLES = ("owner", "web", "sealed")


def holds_within(holds: Callable[[], bool], message: str) -> None:
    """Wait until `holds` returns True; fail with the message after some minutes."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, message
        time.sleep(0.3)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
