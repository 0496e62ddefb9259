"""The checklist beside the form: what keeps the draft from being locked, expected times, and advice."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.designer.checklist.advice import Pace, find_advice, find_pace, minutes, total_sentence
from readerstudy.designer.checklist.lines import Line
from readerstudy.designer.checklist.readers import reader_warnings
from readerstudy.designer.checklist.unsealing import unsealing_warnings
from readerstudy.designer.form.raw import Errors, known_place, place_of
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.texts import reader_says
from readerstudy.studies.models import Study, WrongStatus
from readerstudy.truth.checklist import Finding, checklist


@dataclass(frozen=True)
class SessionTime:
    """The expected length of a session."""

    number: int
    title: str
    minutes: int


@dataclass(frozen=True)
class Checked:
    """The contents of the checklist: what the lock enforces, and what is only a warning."""

    obstacles: tuple[Line, ...]
    advice: tuple[Line, ...] = ()
    times: tuple[SessionTime, ...] = ()
    time_sentence: str = ""

    @property
    def can_be_locked(self) -> bool:
        return not self.obstacles


def check_errors(errors: Errors) -> Checked:
    """Return the errors of the form as obstacles: nothing else is known of values that are no protocol."""
    return Checked(tuple(Line(known_place(place), sentence) for place, sentence in errors.items()))


def check_draft(study: Study, *, told_to: User) -> Checked:
    """Return the checklist of a draft as it is stored. Raises WrongStatus once it is locked."""
    if not study.is_editable:
        values = {"code": study.code, "state": study.state}
        raise WrongStatus(_("The study %(code)s is %(state)s; only a draft can be checked.") % values)
    return check_protocol(study, study.cohort, study.protocol, told_to=told_to)


def check_protocol(study: Study, cohort: Cohort, protocol: Protocol, *, told_to: User) -> Checked:
    """Return what keeps the protocol from being drawn from the cohort, and advice for this person."""
    obstacles = tuple(_of_finding(finding) for finding in checklist(cohort, protocol))
    advice = (
        *reader_warnings(study, cohort, told_to=told_to),
        *find_advice(study, protocol),
        *unsealing_warnings(study, cohort, protocol, told_to=told_to),
    )
    pace = find_pace(study)
    return Checked(obstacles, advice, _times(protocol, pace), total_sentence(protocol, pace))


def _times(protocol: Protocol, pace: Pace) -> tuple[SessionTime, ...]:
    say = reader_says(protocol.first_language)
    return tuple(
        SessionTime(number, say(session.title), minutes(protocol, number, pace))
        for number, session in enumerate(protocol.sessions, start=1)
    )


def _of_finding(finding: Finding) -> Line:
    place, sentence = place_of(finding.sentence)
    if not place:
        parts = [*(("sessions", str(finding.session)) if finding.session else ()), finding.field]
        place = "-".join(part for part in parts if part)
    return Line(known_place(place), sentence)
