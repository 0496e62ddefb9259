"""Store problems that readers report with the image on screen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotItsTurn
from readerstudy.reading.actions.sessions import locked_session, require_newest_page, require_open_study
from readerstudy.reading.actions.verdicts import NotCurrent, current_presentation
from readerstudy.reading.models import ImageProblem
from readerstudy.reading.queries import get_reading_list

MAX_TEXT = 500
MAX_PROBLEMS = 10  # of one reader with one image


@dataclass(frozen=True)
class SubmittedProblem:
    """A problem as it was sent. `code`: of the presentation; `key`: made by the browser, one for each report."""

    code: str
    key: UUID
    text: str = ""
    page: UUID | None = None  # the browser page that sends it


@transaction.atomic
def report_problem(*, reader: User, study: str, number: int, submitted: SubmittedProblem, at: datetime) -> bool:
    """Store a problem with the current image once; return whether it is new. The same key again changes nothing.

    The reader's position stays: the image still needs a verdict. Raises NotCurrent for any other image, NotItsTurn if
    the session or the study is not open, TakenOver if another page holds the session, BadInput for a text that is too
    long or the eleventh report of one image.
    """
    reading_list = get_reading_list(reader, study, number)
    text = submitted.text.strip()
    if len(text) > MAX_TEXT or "\0" in text:
        raise BadInput(f"text: must be a text of at most {MAX_TEXT} characters.")
    session = locked_session(reading_list)
    if session is None:
        raise NotItsTurn(_("Session %(number)d has not been opened.") % {"number": number})
    earlier = ImageProblem.objects.filter(key=submitted.key).select_related("presentation").first()
    if earlier:
        if earlier.presentation.code != submitted.code or earlier.presentation.reading_list_id != reading_list.pk:
            raise BadInput("The key of this report was used before; send each report under a key of its own.")
        return False
    require_open_study(reading_list)
    require_newest_page(reading_list, submitted.page)
    presentation = current_presentation(session)
    if presentation is None or presentation.code != submitted.code:
        raise NotCurrent(_("This is not the current image; you may have answered it in another window."))
    if presentation.problems.count() >= MAX_PROBLEMS:
        raise BadInput(_("You have reported this image %(count)d times already.") % {"count": MAX_PROBLEMS})
    ImageProblem.objects.create(presentation=presentation, text=text, at=at, key=submitted.key)
    # The position is that of the reader's own list; which image it is stays hidden.
    record("image.reported", actor=reader, subject=reading_list, at=at, session=number, position=presentation.position)
    return True
