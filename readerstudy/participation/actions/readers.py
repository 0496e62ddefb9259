"""What readers tell about themselves, the messages that they have read, and their comments at the end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.models import (
    LONGEST_COMMENT,
    AgeBand,
    Characteristic,
    Comment,
    MessageDelivery,
    Position,
    ReaderProfile,
    ReaderRules,
    Sex,
)
from readerstudy.studies.models import Enrollment, Study

MOST_COMMENTS: Final = 20
MOST_YEARS: Final = 80
_CHOICES: Final = {
    Characteristic.POSITION: Position.values,
    Characteristic.AGE_BAND: AgeBand.values,
    Characteristic.SEX: Sex.values,
}
_NOTHING: Final[dict[str, Any]] = {"years": None, "specialty": "", "position": "", "age_band": "", "sex": ""}


@transaction.atomic
def save_profile(*, enrollment: Enrollment, values: Mapping[str, Any], at: datetime) -> ReaderProfile:
    """Store what the reader tells about themselves; what is missing was not answered.

    Raises BadInput for an answer that the study does not ask for or that is impossible, StudyError once the study takes
    no more readers or the reader was withdrawn.
    """
    study = Study.objects.get(pk=enrollment.study_id)
    if not (study.takes_readers and Enrollment.objects.filter(pk=enrollment.pk, withdrawn_at=None).exists()):
        raise StudyError(_("What you told about yourself cannot be changed any more."))
    answers = {name: _answer(name, value) for name, value in values.items() if value not in (None, "")}
    if unasked := sorted(set(answers) - set(ReaderRules.of(study).asked)):
        raise BadInput(_("The study does not ask for: %(names)s.") % {"names": ", ".join(unasked)})
    profile, _is_new = ReaderProfile.objects.update_or_create(
        enrollment=enrollment, defaults={**_NOTHING, **answers, "saved_at": at}
    )
    # The trail says that it was answered, not what: everybody who reads it knows the reader by name.
    record("profile.saved", actor=enrollment.reader, subject=enrollment, at=at, answered=sorted(answers))
    return profile


def _answer(name: str, value: Any) -> Any:
    match name:
        case Characteristic.YEARS:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_YEARS:
                raise BadInput(
                    _("Years of experience must be a whole number from 0 to %(most)d.") % {"most": MOST_YEARS}
                )
        case Characteristic.SPECIALTY:
            value = str(value).strip()
            if len(value) > 80 or "\0" in value:
                raise BadInput(_("The specialty has at most 80 characters."))
        case Characteristic.POSITION | Characteristic.AGE_BAND | Characteristic.SEX:
            if value not in _CHOICES[Characteristic(name)]:
                raise BadInput(_("%(name)s: this is not one of the answers.") % {"name": name})
        case _unknown:
            raise BadInput(_("The study does not ask for: %(names)s.") % {"names": name})
    return value


@transaction.atomic
def mark_read(*, reader: User, delivery: int, at: datetime) -> None:
    """Note that the reader has read a message; again: changes nothing. Raises StudyError if it is not theirs."""
    own = MessageDelivery.objects.filter(pk=delivery, enrollment__reader=reader)
    if own.filter(read_at=None).update(read_at=at):
        record("message.read", actor=reader, subject=own.get().enrollment, at=at)
    elif not own.exists():
        raise StudyError(_("There is no such message for you."))


@transaction.atomic
def add_comment(*, enrollment: Enrollment, text: str, at: datetime) -> Comment:
    """Store what the reader writes at the end. Raises BadInput without a text, or for one too long or one too many."""
    text = text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= LONGEST_COMMENT or "\0" in text:
        raise BadInput(_("Write a comment of at most %(most)d characters.") % {"most": LONGEST_COMMENT})
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    if enrollment.comments.count() >= MOST_COMMENTS:
        raise BadInput(_("You have written %(most)d comments already.") % {"most": MOST_COMMENTS})
    comment = Comment.objects.create(enrollment=enrollment, text=text, at=at)
    record("comment.written", actor=enrollment.reader, subject=enrollment, at=at)
    return comment
