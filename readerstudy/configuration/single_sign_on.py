"""Settings of single sign-on: OpenID Connect, SAML and LDAP, each switched on by its environment variables."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from readerstudy.configuration.environment import env_list, env_text
from readerstudy.configuration.safety import is_this_machine

OIDC: Final = "openid"  # in addresses, and in the events of sign-ins
SAML: Final = "saml"
TIMEOUT: Final = 10  # seconds
SEPARATORS: Final = re.compile(r"\s*[;,]\s*")
_ROLES: Final = ("reader", "coordinator", "researcher")


def roles_by_value() -> dict[str, str]:
    """Return the role that each value of the claim gives. Raises ImproperlyConfigured unless each is ROLE=VALUE."""
    roles: dict[str, str] = {}
    for part in env_list("SSO_ROLES", default=""):
        role, equals, value = (word.strip() for word in part.partition("="))
        value = comparable(value)
        if role not in _ROLES or not equals or not value:
            raise ImproperlyConfigured(
                f"SSO_ROLES has the part {part!r}; give ROLE=VALUE with a role of {', '.join(_ROLES)}."
            )
        if roles.setdefault(value, role) != role:
            raise ImproperlyConfigured(f"SSO_ROLES gives {value!r} two roles.")
    return roles


def comparable(value: str) -> str:
    """Return a value of the claim as it is compared. Names of groups in directories ignore case and blanks (RFC 4514).

    Parts of such a name may be separated by semicolons, because commas separate the values of a setting.
    """
    return SEPARATORS.sub(",", value).casefold() if "=" in value else value


def providers(name: str) -> dict[str, Any]:
    """Return allauth's `SOCIALACCOUNT_PROVIDERS`. `name`: on the button of the sign-in page."""
    return {**_openid_connect(name), **_saml(name)}


def _openid_connect(name: str) -> dict[str, Any]:
    address = env_text("OIDC_URL", default="")
    if not address:
        return {}
    _require_https("OIDC_URL", address)
    app = {
        "provider_id": OIDC,
        "name": name,
        "client_id": env_text("OIDC_CLIENT_ID"),
        "secret": env_text("OIDC_CLIENT_SECRET"),
        "settings": {"server_url": address.rstrip("/")},
    }
    return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def _saml(name: str) -> dict[str, Any]:
    address = env_text("SAML_METADATA_URL", default="")
    if not address:
        return {}
    _require_https("SAML_METADATA_URL", address)
    _require_package("SAML_METADATA_URL", "onelogin", "saml")
    app = {
        "provider_id": env_text("SAML_ENTITY_ID"),
        "name": name,
        "client_id": SAML,
        "settings": {
            "idp": {"entity_id": env_text("SAML_ENTITY_ID"), "metadata_url": address},
            "advanced": {"want_assertion_signed": True, "reject_deprecated_algorithm": True},
        },
    }
    return {"saml": {"APPS": [app]}}


def ldap() -> dict[str, Any]:
    """Return the settings of django-auth-ldap by name; none if LDAP is off."""
    address = env_text("LDAP_URL", default="")
    if not address:
        return {}
    parts = urlsplit(address)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
        raise ImproperlyConfigured(f"LDAP_URL is {address!r}; give ldaps://directory.example.org.")
    _require_package("LDAP_URL", "django_auth_ldap", "ldap")
    place = env_text("LDAP_USER_DN")
    if place.count("%(user)s") != 1:
        raise ImproperlyConfigured("LDAP_USER_DN must have %(user)s once: uid=%(user)s,ou=people,dc=example,dc=org.")
    return {
        "AUTH_LDAP_SERVER_URI": address,
        "AUTH_LDAP_START_TLS": parts.scheme == "ldap" and not is_this_machine(parts.hostname),
        "AUTH_LDAP_USER_DN_TEMPLATE": place,
        # Many directories show their entries to nobody else. `memberOf` is among what is sent only if asked for.
        "AUTH_LDAP_BIND_AS_AUTHENTICATING_USER": True,
        "AUTH_LDAP_USER_ATTRLIST": ["*", "+"],
        "AUTH_LDAP_CONNECTION_OPTIONS": _directory_options(),
        "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "last_name": "sn", "email": "mail"},
        "AUTH_LDAP_ALWAYS_UPDATE_USER": False,
    }


def _directory_options() -> dict[int, Any]:
    """Return how a directory is connected to: with time-outs, and only with a certificate that can be checked."""
    import ldap  # of the extra

    options: dict[int, Any] = {
        ldap.OPT_NETWORK_TIMEOUT: TIMEOUT,
        ldap.OPT_TIMEOUT: TIMEOUT,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    authority = env_text("LDAP_CA_FILE", default="")
    if authority:
        if not Path(authority).is_file():
            raise ImproperlyConfigured(f"LDAP_CA_FILE is {authority!r}; there is no such file.")
        options[ldap.OPT_X_TLS_CACERTFILE] = authority
    options[ldap.OPT_X_TLS_NEWCTX] = 0  # the last one: what was set before holds from here on
    return options


def _require_https(name: str, address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname or "-")):
        raise ImproperlyConfigured(f"{name} is {address!r}; give an address with https://.")


def _require_package(name: str, module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise ImproperlyConfigured(f"{name} needs more packages: install the extra [{extra}] of pyproject.toml.")
