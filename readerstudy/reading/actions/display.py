"""Checking the display before a session."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.reading.display_check import failures_of
from readerstudy.reading.models import CheckedDisplay
from readerstudy.reading.queries import reading_list_of


@transaction.atomic
def check_display(*, reader: User, study: str, number: int, results: Mapping[str, Any], at: datetime) -> CheckedDisplay:
    """Judge and keep one check. A failed one is kept too: the analysis should know on what was read."""
    reading_list = reading_list_of(reader, study, number)
    with override("en"):  # what is stored does not depend on the reader's language
        failures = failures_of(results)
    checked = CheckedDisplay.objects.create(
        reading_list=reading_list, at=at, passed=not failures, failures=failures, results=results
    )
    record("display.checked", actor=reader, subject=reading_list, at=at, session=number, passed=checked.passed)
    return checked
