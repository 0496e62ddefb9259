"""Check the display before a session."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import override

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.reading.actions.sessions import keep_open
from readerstudy.reading.display_check import find_failures
from readerstudy.reading.forms import form_of
from readerstudy.reading.models import CheckedDisplay
from readerstudy.reading.queries import get_reading_list


@transaction.atomic
def check_display(*, reader: User, study: str, number: int, results: Mapping[str, Any], at: datetime) -> CheckedDisplay:
    """Store one display check, passed or failed, because the report describes the displays that were used.

    Raises StudyPaused or NotItsTurn unless the study is open.
    """
    reading_list = get_reading_list(reader, study, number)
    keep_open(reading_list)
    form = form_of(reading_list.session_plan.study)
    with override("en"):  # what is stored does not depend on the reader's language
        failures = find_failures(results, least_viewport=form.least_viewport)
    checked = CheckedDisplay.objects.create(
        reading_list=reading_list, at=at, passed=not failures, failures=failures, results=results
    )
    record("display.checked", actor=reader, subject=reading_list, at=at, session=number, passed=checked.passed)
    return checked
