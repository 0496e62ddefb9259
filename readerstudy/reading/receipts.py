"""What a receipt for a session has: the reader's own entries in the record of the study."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from readerstudy.errors import NotItsTurn
from readerstudy.reading.models import ClosingAnswers, Reading, ReadingSession
from readerstudy.record.exports import make_receipt
from readerstudy.record.models import TreeHead
from readerstudy.studies.models import ReadingList


def session_receipt(reading_list: ReadingList, *, at: datetime) -> tuple[dict[str, Any], TreeHead]:
    """Return the receipt for a finished session, and the signed head that it contains.

    It has the reader's verdicts and answers as they were stored, and nothing about images but the keys of the reader's
    own list. Raises NotItsTurn before the end of the session.
    """
    plan = reading_list.session_plan
    session = ReadingSession.objects.filter(reading_list=reading_list, finished_at__isnull=False).first()
    if session is None:
        raise NotItsTurn(
            _("Session %(number)d is not finished; its receipt is made at its end.") % {"number": plan.number}
        )
    rows = {
        ReadingSession: [session.pk],
        Reading: Reading.objects.filter(presentation__reading_list=reading_list).values_list("pk", flat=True),
        ClosingAnswers: ClosingAnswers.objects.filter(session=session).values_list("pk", flat=True),
    }
    keys = {model._meta.db_table: [str(key) for key in found] for model, found in rows.items()}
    about = {"study": plan.study.code, "session": plan.number, "reader": reading_list.enrollment.code}
    return make_receipt(plan.study.code, keys, at=at, about=about)
