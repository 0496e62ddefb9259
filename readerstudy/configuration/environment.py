"""Functions that read environment variables; `readerstudy.configuration.variables` lists these.

Each variable may name a file instead: NAME_FILE is the path of a file that holds the value of NAME, as secrets do.
A missing or wrong variable stops the start with a message that names it.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from readerstudy.configuration.variables import VARIABLES

_REQUIRED = object()
_FILE: Final = "_FILE"
_NAMES = frozenset(variable.name for variable in VARIABLES)


def env_text(name: str, default: str | object = _REQUIRED) -> str:
    """Return the variable's text, or the default. Raises ImproperlyConfigured if it is missing and has no default."""
    value = _value(name)
    if value:
        return value
    if default is _REQUIRED:
        raise ImproperlyConfigured(
            f"The environment variable {name} is missing: set it (see docs/reference/settings.md)."
        )
    return str(default)


def env_flag(name: str, *, default: bool) -> bool:
    """Return True for 1, true, yes, on and False for 0, false, no, off. Raises ImproperlyConfigured otherwise."""
    value = _value(name).strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"The environment variable {name} is {value!r}; it must be 1 or 0.")


def env_choice(name: str, choices: Iterable[str], *, default: str) -> str:
    """Return one of the choices. Raises ImproperlyConfigured, which lists them, for another value."""
    value = env_text(name, default)
    if value not in (known := list(choices)):
        raise ImproperlyConfigured(f"The environment variable {name} is {value!r}; it must be {', '.join(known)}.")
    return value


def env_list(name: str, default: str | object = _REQUIRED) -> list[str]:
    """Return comma-separated values without blanks. Raises ImproperlyConfigured as `env_text` does."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_number(name: str, *, default: int, least: int = 1) -> int:
    """Return a whole number of `least` or more. Raises ImproperlyConfigured otherwise."""
    value = _value(name).strip()
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(
            f"The environment variable {name} is {value!r}; it must be a whole number from {least}."
        )
    return int(value)


def env_database(name: str) -> dict[str, Any]:
    """Return Django's settings for the address of a PostgreSQL database. Raises ImproperlyConfigured if it is wrong."""
    value = env_text(name)
    try:
        database = dict(dj_database_url.parse(value))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} cannot be understood: {error}.") from error
    if database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} must name a PostgreSQL server: postgres://user:password@host/name.")
    if not database.get("PASSWORD"):
        database["PASSWORD"] = _value(name.replace("_URL", "_PASSWORD"))
    return database


def env_broker(name: str, default: str | object = _REQUIRED) -> str:
    """Return the address of the broker; that of Redis with the password, if another variable has it."""
    address = env_text(name, default)
    password = _value(name.replace("_URL", "_PASSWORD"))
    parts = urlsplit(address)
    if not password or parts.password or parts.scheme not in ("redis", "rediss"):
        return address
    place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{place[2]}").geturl()


def env_folders(name: str) -> dict[str, Path]:
    """Return folders by name. Raises ImproperlyConfigured unless each is NAME=/path of an existing folder."""
    folders = {}
    for part in env_list(name, default=""):
        label, equals, path = part.partition("=")
        folder = Path(path.strip())
        if not equals or not re.fullmatch(r"[\w-]{1,64}", label.strip()) or not folder.is_absolute():
            raise ImproperlyConfigured(f"{name} has the part {part!r}; give NAME=/path, separated by commas.")
        if not folder.is_dir():
            raise ImproperlyConfigured(f"{name} names {path.strip()}, which is not a folder.")
        folders[label.strip()] = folder.resolve()
    return folders


def env_networks(name: str, *, default: str) -> list[str]:
    """Return addresses and networks. Raises ImproperlyConfigured unless each is one."""
    networks = env_list(name, default=default)
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} has the part {network!r}; give addresses or networks such as 10.0.0.0/8, separated by commas."
            ) from error
    return networks


def env_file(name: str) -> Path | None:
    """Return the file that the variable names, None without it. Raises ImproperlyConfigured if there is none."""
    value = _value(name)
    if value and not Path(value).is_file():
        raise ImproperlyConfigured(f"{name} names {value}, which is not a file.")
    return Path(value) if value else None


def env_secret_file(name: str, *, least: int = 32) -> str:
    """Return the text of the file that the variable names, "" without the variable.

    Raises ImproperlyConfigured if the file cannot be read or has less than `least` characters. The message has nothing
    of its text.
    """
    path = _value(name)
    if not path:
        return ""
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} names {path}, which cannot be read ({type(error).__name__}).") from error
    if len(secret) < least:
        raise ImproperlyConfigured(f"{name} names {path}, which has less than {least} characters.")
    return secret


@dataclass(frozen=True)
class MailServer:
    """A server that takes mails by SMTP."""

    host: str
    port: int
    user: str
    password: str
    starts_tls: bool  # by STARTTLS
    is_tls: bool  # from the first byte


MAIL_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def env_mail_server(name: str) -> MailServer | None:
    """Return the server that the address names; None if it is empty. Raises ImproperlyConfigured if it is wrong."""
    value = _value(name)
    if not value:
        return None
    # The message must not show the password.
    wrong = ImproperlyConfigured(f"{name} cannot be understood; give smtp+tls://user:password@host:587.")
    try:
        address = urlsplit(value)
        port = address.port
    except ValueError as error:
        raise wrong from error
    if address.scheme not in MAIL_PORTS or not address.hostname or address.path not in ("", "/"):
        raise wrong
    return MailServer(
        host=address.hostname,
        port=port or MAIL_PORTS[address.scheme],
        user=unquote(address.username or ""),
        password=unquote(address.password or ""),
        starts_tls=address.scheme == "smtp+tls",
        is_tls=address.scheme == "smtps",
    )


def _value(name: str) -> str:
    """Return the variable's text, or that of its file. Raises ImproperlyConfigured if both have one."""
    if name not in _NAMES:
        raise KeyError(f"{name} is not in readerstudy.configuration.environment.VARIABLES.")
    value, path = os.environ.get(name, ""), os.environ.get(f"{name}{_FILE}", "")
    if not path or f"{name}{_FILE}" in _NAMES:  # some have a variable of their own for the file
        return value
    try:
        in_file = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}{_FILE} is {path}, which cannot be read ({error}).") from error
    if value and in_file:
        raise ImproperlyConfigured(f"{name} and {name}{_FILE} are both set; remove one of them.")
    return value or in_file
