"""Log lines as JSON: one object a line, with the names of the request or the job, and nothing about a person."""

import logging
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from readerstudy.logs.context import current_names
from readerstudy.logs.filters import without_personal_data

FACTS: Final = "facts"  # attribute of a record: further values for its line
_REQUEST_LOG: Final = "django.request"


class JSONLines(JsonFormatter):
    """Format a record as an object with time, level, logger, message, and what the record is part of.

    Other attributes that libraries add to a record are left out: they could hold a request with its address and names.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. The record stays as it is: other handlers, such as those of jobs, write it as text."""
        facts: LogData = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_personal_data(_message(record)),
            **current_names(),
            **getattr(record, FACTS, {}),
        }
        if record.exc_info and record.exc_info[0]:
            facts["error"] = record.exc_info[0].__name__
            facts["traceback"] = without_personal_data(str(self.formatException(record.exc_info)))
        return self.serialize_log_record(facts)


def _message(record: logging.LogRecord) -> str:
    """Return the message; of Django's on refused requests only the reason, because an address can name a person."""
    message = record.getMessage()
    return message.partition(":")[0] if record.name == _REQUEST_LOG else message


def facts(**values: Any) -> dict[str, Any]:
    """Return the argument `extra` of a call that logs, with values for the line."""
    return {FACTS: values}
