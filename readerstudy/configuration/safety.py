"""What keeps an installation safe from its start: settings that are refused in service, and files of its owner only."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY: Final = 32  # characters
_TLS_MODES: Final = ("require", "verify-ca", "verify-full")
_REDIS: Final = ("redis", "rediss")
BROKERS: Final = (*_REDIS, "filesystem", "memory")
_PRIVATE: Final = 0o077  # bits that nobody but the owner has
_TRAVERSED: Final = 0o711  # another system user may pass through, and list nothing


def require_long_key(name: str, key: str) -> None:
    """Raise ImproperlyConfigured if a key is too short."""
    if len(key) < SHORTEST_KEY:
        raise ImproperlyConfigured(f"{name} is shorter than {SHORTEST_KEY} characters; make a longer one.")


def read_pseudonym_key(*, key: str, file: str, folder: Path, is_embedded: bool) -> str:
    """Return the key of the pseudonyms from its variable or its file; "" if this process has none of both.

    Only imports need it, so a file that cannot be read stops no start: the key may be on a medium that is put in for
    an import, or be readable for one worker alone. Raises ImproperlyConfigured for both at once, a short key, and in
    service for a file within `folder`, which is copied with the data.
    """
    if not file:
        if key:
            require_long_key("PSEUDONYM_KEY", key)
        return key
    if key:
        raise ImproperlyConfigured("PSEUDONYM_KEY and PSEUDONYM_KEY_FILE are both set; keep the key in one place.")
    path = Path(file).absolute()
    if not is_embedded and path.resolve().is_relative_to(folder.resolve()):
        raise ImproperlyConfigured(
            f"PSEUDONYM_KEY_FILE names {path}, which is within VAR_DIR: keep the key apart from the data."
        )
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    require_long_key("PSEUDONYM_KEY_FILE", key)
    return key


def require_no_development(*, debug: bool, hosts: Sequence[str]) -> None:
    """Raise ImproperlyConfigured for what only a developer's machine may have."""
    if debug:
        raise ImproperlyConfigured(
            "DEBUG is 1 with a DATABASE_URL: its error pages show settings and data. Set DEBUG to 0 in service."
        )
    if "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS has '*', which allows every name; give the names of this server.")


def require_database_tls(database: Mapping[str, Any], *, name: str = "DATABASE_URL") -> None:
    """Raise ImproperlyConfigured if the database is on another machine and its connection may be readable.

    `name` is the variable that has its address.
    """
    options = database.get("OPTIONS", {})
    host = str(options.get("host") or database.get("HOST") or "")
    if not is_this_machine(host) and options.get("sslmode") not in _TLS_MODES:
        raise ImproperlyConfigured(
            f"{name} names the server {host} without TLS; add ?sslmode=require or verify-full. "
            "DATABASE_TLS=0 allows it on a network that nobody else can read."
        )


def require_broker_password(address: str) -> None:
    """Raise ImproperlyConfigured if Redis is on another machine and takes jobs from anybody."""
    parts = urlsplit(address)
    if parts.scheme in _REDIS and not parts.password and not is_this_machine(parts.hostname or ""):
        raise ImproperlyConfigured(
            f"CELERY_BROKER_URL names the Redis server {parts.hostname} without a password; "
            "set one there (requirepass) and give redis://:password@host/0."
        )


def is_this_machine(host: str) -> bool:
    """Return whether a connection to this host stays on this machine: the loopback, a socket, or no host at all."""
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_known_broker(address: str) -> None:
    """Raise ImproperlyConfigured for a broker that was never tried with this software."""
    scheme = urlsplit(address).scheme
    if scheme not in BROKERS:
        raise ImproperlyConfigured(
            f"CELERY_BROKER_URL begins with {scheme or address[:20]!r}; give redis://:password@host/0."
        )


def limits_of(address: str) -> dict[str, Any]:
    """Return options of the broker's connections. A request that starts a job waits for Redis for seconds at most."""
    return {"socket_connect_timeout": 3, "socket_timeout": 30} if urlsplit(address).scheme in _REDIS else {}


def require_writable(folder: Path) -> None:
    """Raise ImproperlyConfigured if this process cannot write into the data folder, which is made if it is missing."""
    probe = folder / f".writable.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"VAR_DIR is {folder}, where this process cannot write ({error.strerror}). Give the folder to the user "
            "that runs it, or set VAR_DIR to another one."
        ) from error


def keep_private(folder: Path, *, is_traversed: bool = False, public: Sequence[str] = ()) -> None:
    """Keep the folder, and what this process writes from now on, from all other users of the machine.

    Earlier versions left it readable: its direct contents are corrected, which closes all that is below them. With
    `is_traversed` another system user may pass through it to an entry of their own. `public` entries are left.
    """
    os.umask(_PRIVATE)
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.iterdir()):
        # Links lead elsewhere; entries of another user, and those that another process has just removed, are theirs.
        with suppress(FileNotFoundError, PermissionError):
            if path.name in public or path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            mode = path.stat().st_mode & 0o777
            wanted = _TRAVERSED if path == folder and is_traversed else mode & ~_PRIVATE
            if mode != wanted:
                path.chmod(wanted)
