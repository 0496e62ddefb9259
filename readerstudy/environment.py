"""Reading environment variables: three helpers that fail at the start, with the variable's name."""

import os

from django.core.exceptions import ImproperlyConfigured

_MISSING = object()


def env_text(name: str, default: str | object = _MISSING) -> str:
    """The variable's text; without it the default, and without a default the start stops."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is _MISSING:
        raise ImproperlyConfigured(f"The environment variable {name} is missing: set it (see README, Settings).")
    return str(default)


def env_flag(name: str, *, default: bool) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off; anything else stops the start."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"The environment variable {name} is {value!r}; it must be 1 or 0.")


def env_list(name: str, default: str | object = _MISSING) -> list[str]:
    """Comma-separated values, without blanks."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]
