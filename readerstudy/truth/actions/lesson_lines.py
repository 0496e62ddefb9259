"""Writing the lines of text under the triptychs of a study's education."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed, NotFound, StudyError
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.lifecycle import UNDER_WAY
from readerstudy.studies.models import Study
from readerstudy.truth.models import LessonLine
from readerstudy.truth.queries import TaughtPair, lessons_begun, taught_pairs
from readerstudy.truth.seal import may_write_lines
from readerstudy.truth.terms import LONGEST_LINE


@dataclass(frozen=True)
class LineChange:
    """A line as its writer saw it and as it is to be; "" for none."""

    before: str
    after: str


@sealed_work()
@transaction.atomic
def write_lines(*, study: Study, changes: Mapping[int, LineChange], actor: User, at: datetime) -> int:
    """Store lines by the number of their pair, and return how many changed. Blanks and line breaks become one blank.

    Raises NotAllowed unless the actor is a researcher of the study, NotFound for an unknown pair, BadInput for a text
    that is too long, StudyError if the lines are final, or if somebody else changed one meanwhile.
    """
    if not may_write_lines(study, actor):
        raise NotAllowed(_("Only researchers of the study %(code)s may do this.") % {"code": study.code})
    # A session is opened under the same lock.
    locked = Study.objects.select_for_update().get(pk=study.pk)
    _require_not_final(locked)
    pairs = {pair.image.number: pair for pair in taught_pairs(locked)}
    count = 0
    for number, change in changes.items():
        if number not in pairs:
            raise NotFound(_("The study %(code)s teaches no pair %(number)d.") % {"code": study.code, "number": number})
        text = _checked(change.after, pairs[number])
        if text in (change.before, pairs[number].line):
            continue
        if pairs[number].line != change.before:
            raise StudyError(
                _("%(place)s: somebody else has changed the line. Look at it again.") % _place(pairs[number])
            )
        source = pairs[number].image.source
        assert source is not None  # taught in a pair
        LessonLine.objects.create(study=locked, stimulus=source, text=text, by=actor, at=at)
        count += 1
    if count:
        record("lessons.written", actor=actor, subject=locked, at=at, images=count)
    return count


def _require_not_final(study: Study) -> None:
    if study.status not in UNDER_WAY:
        text = _("The study %(code)s is %(state)s: lines are written once it is locked and before it is closed.")
        raise StudyError(text % {"code": study.code, "state": study.state})
    if lessons_begun(study):
        raise StudyError(_("A reader has begun the education, so its lines are final: all readers see the same."))


def _checked(text: str, pair: TaughtPair) -> str:
    line = " ".join(text.split())
    if len(line) > LONGEST_LINE:
        values = {**_place(pair), "most": LONGEST_LINE, "length": len(line)}
        raise BadInput(_("%(place)s: a line has at most %(most)d characters; this one has %(length)d.") % values)
    if not line.isprintable():
        raise BadInput(_("%(place)s: the line has characters that cannot be shown.") % _place(pair))
    return line


def _place(pair: TaughtPair) -> dict[str, str]:
    return {"place": _("Session %(session)s, position %(position)s") % vars(pair)}
