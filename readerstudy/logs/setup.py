"""Django's LOGGING: text on standard error for people, or JSON on standard output for a service."""

from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

TEXT, JSON = "text", "json"
FORMS: Final = (TEXT, JSON)
REQUESTS: Final = "readerstudy.requests"  # the logger of answered requests
HTTP_CLIENTS: Final = ("dicomweb_client", "httpx", "urllib3")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


def logging_settings(form: str, level: str, arguments: list[str]) -> dict[str, Any]:
    """Return LOGGING. `arguments` are those of the process. Raises ImproperlyConfigured for a value that is unknown."""
    if form not in FORMS:
        raise ImproperlyConfigured(f"LOG_FORMAT is {form!r}; it must be one of {', '.join(FORMS)}.")
    if level not in LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL is {level!r}; it must be one of {', '.join(LEVELS)}.")
    console: dict[str, Any] = {"class": "logging.StreamHandler", "filters": ["hide_sign_in_links"]}
    if form == JSON:
        stream = "ext://sys.stdout" if _is_service(arguments) else "ext://sys.stderr"
        console |= {"formatter": JSON, "stream": stream}
    own = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"hide_sign_in_links": {"()": "readerstudy.logs.filters.HideSignInLinks"}},
        "formatters": {JSON: {"()": "readerstudy.logs.lines.JSONLines"}},
        "handlers": {"console": console},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own server for development logs every address by a handler of its own.
            "django.server": {**own, "level": "INFO"},
            "gunicorn.error": own,
            # Their lines quote addresses, in which an archive names its patients' images.
            **{name: {"level": "ERROR"} for name in HTTP_CLIENTS},
            REQUESTS: {"level": "INFO" if form == JSON else level},
        },
    }


def _is_service(arguments: list[str]) -> bool:
    """Return whether this process serves pages or works on jobs; other commands print their results."""
    is_command = arguments[:1] and arguments[0].endswith(("manage.py", "/readerstudy"))
    return not is_command or arguments[1:2] == ["work"]
