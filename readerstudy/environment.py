"""Environment variables of the application: one registry, and functions that read them.

Each variable may name a file instead: NAME_FILE is the path of a file that holds the value of NAME, as secrets do.
A missing or wrong variable stops the start with a message that names it. Tests compare `docs/reference/settings.md` and
`.env.example` with the registry.
"""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

_REQUIRED = object()


@dataclass(frozen=True)
class Variable:
    """One environment variable, as the settings reference shows it."""

    name: str
    meaning: str
    embedded: str  # the default without DATABASE_URL
    service: str = ""  # the default with DATABASE_URL; empty if it must be set


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "DATABASE_URL",
        "`postgres://user:password@host/name`: the user that answers requests, who cannot read what is sealed",
        "own PostgreSQL server under `VAR_DIR`",
    ),
    Variable(
        "SEALED_DATABASE_URL",
        "the same database for a second user, who can: workers, commands, and sealed work of the pages",
        "as `DATABASE_URL`",
    ),
    Variable(
        "OWNER_DATABASE_URL",
        "the same database for the user that owns its tables; needed by `migrate`, `backup` and `restore` only",
        "as `DATABASE_URL`",
        "required by these",
    ),
    Variable(
        "DATABASE_PASSWORD", "password of the user in `DATABASE_URL`, if the address has none", "not used", "none"
    ),
    Variable("SEALED_DATABASE_PASSWORD", "password of the user in `SEALED_DATABASE_URL`, likewise", "not used", "none"),
    Variable("OWNER_DATABASE_PASSWORD", "password of the user in `OWNER_DATABASE_URL`, likewise", "not used", "none"),
    Variable("SECRET_KEY", "signs sessions and links; at least 32 characters", "created once under `VAR_DIR`"),
    Variable(
        "PSEUDONYM_KEY",
        "key of the one-way fingerprints of patients and images, at least 32 characters; store it apart from backups; "
        "only processes that import need it: the worker of the queue `cpu`, and commands",
        "created once under `VAR_DIR`",
        "none; an import says so",
    ),
    Variable(
        "PSEUDONYM_KEY_FILE",
        "file with that key, instead of `PSEUDONYM_KEY`; in service not within `VAR_DIR`",
        "none",
        "none",
    ),
    Variable(
        "RECORD_KEY",
        "signs the tree heads of the studies' records; at least 32 characters; store it apart from backups",
        "created once under `VAR_DIR`",
    ),
    Variable(
        "DATABASE_TLS",
        "1: a database on another machine needs `?sslmode=require`, `verify-ca` or `verify-full` in its address; "
        "0 only on a network that nobody else can read",
        "not used",
        "1",
    ),
    Variable(
        "ALLOWED_HOSTS", "host names, separated by commas; `*` is refused in service", "`localhost,127.0.0.1,[::1]`"
    ),
    Variable(
        "CELERY_BROKER_URL",
        "`redis://:password@host/0`; Redis on another machine needs the password",
        "`filesystem://` (files under `VAR_DIR`)",
    ),
    Variable("CELERY_BROKER_PASSWORD", "password of Redis, if `CELERY_BROKER_URL` has none", "not used", "none"),
    Variable("VAR_DIR", "folder for images, runs, cache and reports", "`var`", "`var`"),
    Variable("HTTPS", "secure cookies and HSTS; 1 or 0", "0", "1"),
    Variable("HTTPS_REDIRECT", "redirect HTTP to HTTPS; 1 or 0, used with `HTTPS`", "1", "1"),
    Variable("HSTS_SUBDOMAINS", "HTTPS for all subdomains of the host too; 1 or 0, used with `HTTPS`", "0", "0"),
    Variable(
        "SECOND_FACTOR",
        "coordinators and researchers must set up a second factor (an authenticator app or a passkey) before they "
        "work; 1 or 0",
        "0",
        "1",
    ),
    Variable(
        "SIGN_IN_AGAIN_MINUTES",
        "who closes, unseals, exports or makes links must have signed in within this number of minutes, or signs in "
        "again; 0: is never asked",
        "0",
        "15",
    ),
    Variable(
        "IDLE_MINUTES",
        "coordinators and researchers are signed out after this number of minutes without anything done, readers "
        "never; 0: never",
        "0",
        "30",
    ),
    Variable(
        "REQUESTS_PER_MINUTE",
        "requests that a person or token may send to a web process in a minute; a visitor's address half of them; "
        "0: no limit",
        "1200",
        "1200",
    ),
    Variable("SSO_NAME", "name of the single sign-on on the sign-in page", "`Single sign-on`", "`Single sign-on`"),
    Variable(
        "SSO_ROLE_CLAIM",
        "claim (OpenID Connect) or attribute (SAML, LDAP) that `SSO_ROLES` reads",
        "`groups`",
        "`groups`",
    ),
    Variable(
        "SSO_ROLES",
        "roles of new accounts by a value of the claim: `researcher=VALUE,coordinator=VALUE`; `;` for each comma of a "
        "group's name; without a value that is listed an account is a reader's",
        "none",
        "none",
    ),
    Variable(
        "SSO_SECOND_FACTOR",
        "1: the other server asks for a second factor, so that people who sign in there need none here",
        "0",
        "0",
    ),
    Variable("OIDC_URL", "issuer for OpenID Connect, for example `https://login.example.org/realms/x`", "off", "off"),
    Variable("OIDC_CLIENT_ID", "name of this application at the issuer; must be set with `OIDC_URL`", "none", "none"),
    Variable("OIDC_CLIENT_SECRET", "its secret; must be set with `OIDC_URL`", "none", "none"),
    Variable("SAML_METADATA_URL", "metadata of a SAML identity provider; needs the extra `[saml]`", "off", "off"),
    Variable("SAML_ENTITY_ID", "its entity ID; must be set with `SAML_METADATA_URL`", "none", "none"),
    Variable("LDAP_URL", "directory, `ldaps://directory.example.org`; needs the extra `[ldap]`", "off", "off"),
    Variable(
        "LDAP_USER_DN",
        "place of a user, `uid=%(user)s,ou=people,dc=example,dc=org`; must be set with `LDAP_URL`",
        "none",
        "none",
    ),
    Variable(
        "LDAP_CA_FILE",
        "certificate of the authority that signed the directory's; used with `LDAP_URL`",
        "the system's",
        "the system's",
    ),
    Variable("BEHIND_PROXY", "trust `X-Forwarded-Proto` and `X-Forwarded-For` of a reverse proxy; 1 or 0", "0", "0"),
    Variable("CSRF_TRUSTED_ORIGINS", "origins with scheme, separated by commas", "none", "none"),
    Variable("TIME_ZONE", "time zone of the pages, for example `Europe/Berlin`", "the machine's", "the machine's"),
    Variable(
        "EMAIL_URL",
        "mail server: `smtp+tls://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS) or `smtp://…:25`",
        "none; texts of mails are shown instead",
        "none; texts of mails are shown instead",
    ),
    Variable("EMAIL_FROM", "sender of all mails; must be set with `EMAIL_URL`", "none", "none"),
    Variable(
        "PUBLIC_URL",
        "start of the addresses in mails, for example `https://study.example.org`; `send_reminders` needs it",
        "the address of the request",
        "the address of the request",
    ),
    Variable(
        "IMPORT_FOLDERS",
        "folders on the server that images may be imported from on the pages: `NAME=/path`, separated by commas; the "
        "web process and the workers must be able to read them",
        "none",
        "none",
    ),
    Variable(
        "IMPORT_MEGABYTES", "largest upload of images in MB; unpacked it may be three times as large", "4000", "4000"
    ),
    Variable(
        "BUNDLE_MEGABYTES",
        "largest bundle that is checked on a page, in MB; unpacked it may be four times as large",
        "500",
        "500",
    ),
    Variable("IMPORT_FILES", "largest number of files in an upload of images", "20000", "20000"),
    Variable(
        "DICOMWEB_TOKEN_FILE",
        "file with the token for `import_cohort --dicomweb`; sent to the archive only",
        "none",
        "none",
    ),
    Variable("DICOMWEB_LOGIN_FILE", "file with `name:password`, if the archive wants these instead", "none", "none"),
    Variable("DICOMWEB_CA", "file with the certificates of the archive's authority", "the system's", "the system's"),
    Variable("DICOMWEB_TLS", "1: an archive on another machine must be asked by https; 1 or 0", "1", "1"),
    Variable("DICOMWEB_CONNECTIONS", "images that are fetched at the same time", "4", "4"),
    Variable(
        "RETAIN_ADDRESSES_DAYS",
        "days after which IP addresses leave the audit trail; 0: never. Longer than a study, whose trail compares "
        "addresses",
        "0",
        "0",
    ),
    Variable("RETAIN_MAILS_DAYS", "days after which address and text of mails are emptied; 0: never", "0", "0"),
    Variable("RETAIN_LINKS_DAYS", "days after which ended, unused sign-in links are deleted; 0: never", "0", "0"),
    Variable(
        "RETAIN_ACCOUNTS_DAYS",
        "days without a sign-in after which accounts that never had a part in a study are erased; 0: never",
        "0",
        "0",
    ),
    Variable("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`", "`WARNING`", "`WARNING`"),
    Variable("LOG_FORMAT", "`text`, or `json`: a line for each request too", "`text`", "`json`"),
    Variable("LOG_ADDRESSES", "1: the lines of requests have the client's address; 1 or 0", "0", "0"),
    Variable(
        "METRICS_FROM",
        "addresses and networks that may read `/metrics`, separated by commas",
        "the loopback",
        "the loopback",
    ),
    Variable(
        "METRICS_TOKEN_FILE",
        "file with a token of at least 32 characters; who sends it may read `/metrics` from everywhere",
        "none",
        "none",
    ),
    Variable("DISK_LOW_MEGABYTES", "free MB below which `/health/ready` answers 503", "500", "500"),
    Variable("DEBUG", "Django's debug pages, for development only; 1 or 0", "0", "0; 1 is refused"),
    Variable(
        "CELERY_IMPORTS",
        "modules whose tasks a worker loads",
        "`models_ml.tasks,attacks.tasks,readerstudy.image_import.tasks,readerstudy.designer.tasks,"
        "readerstudy.invitations.tasks,readerstudy.bundle.tasks,readerstudy.studies.tasks,"
        "readerstudy.analysis.tasks,readerstudy.privacy.tasks`",
        "the same",
    ),
    Variable("TEST_DATABASE", "name of the database that tests create", "one per process", "one per process"),
)
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
        raise KeyError(f"{name} is not in readerstudy.environment.VARIABLES.")
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
