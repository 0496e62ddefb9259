"""The checklist beside the form: what keeps the draft from being locked, expected times, and advice."""

from dataclasses import dataclass

from readerstudy.cohort.models import Cohort
from readerstudy.designer.checklist.advice import Advice, Pace, find_advice, find_pace, minutes, total_sentence
from readerstudy.designer.form.labels import row_of
from readerstudy.designer.form.raw import Errors, known_place, place_of
from readerstudy.designer.form.schema import Rows, Table, protocol_form
from readerstudy.studies.models import Study
from readerstudy.studies.protocol_document import Protocol
from readerstudy.studies.texts import reader_says
from readerstudy.truth.checklist import Finding, checklist


@dataclass(frozen=True)
class Obstacle:
    """One reason why the study cannot be locked, with the field to mend and its name in words."""

    place: str
    label: str
    sentence: str


@dataclass(frozen=True)
class SessionTime:
    """The expected length of a session."""

    number: int
    title: str
    minutes: int


@dataclass(frozen=True)
class Checked:
    """The contents of the checklist."""

    obstacles: tuple[Obstacle, ...]
    advice: tuple[Advice, ...] = ()
    times: tuple[SessionTime, ...] = ()
    time_sentence: str = ""

    @property
    def can_be_locked(self) -> bool:
        return not self.obstacles


def check_errors(errors: Errors) -> Checked:
    """Return the errors of the form as obstacles: nothing else is known of values that are no protocol."""
    return Checked(tuple(_obstacle(place, sentence) for place, sentence in errors.items()))


def check_protocol(study: Study, cohort: Cohort, protocol: Protocol) -> Checked:
    """Return what keeps the protocol from being drawn from the cohort, and advice."""
    obstacles = tuple(_of_finding(finding) for finding in checklist(cohort, protocol))
    pace = find_pace(study)
    return Checked(
        obstacles, tuple(find_advice(study, protocol)), _times(protocol, pace), total_sentence(protocol, pace)
    )


def _times(protocol: Protocol, pace: Pace) -> tuple[SessionTime, ...]:
    say = reader_says(protocol.first_language)
    return tuple(
        SessionTime(number, say(session.title), minutes(protocol, number, pace))
        for number, session in enumerate(protocol.sessions, start=1)
    )


def _of_finding(finding: Finding) -> Obstacle:
    place, sentence = place_of(finding.sentence)
    if not place:
        parts = [*(("sessions", str(finding.session)) if finding.session else ()), finding.field]
        place = "-".join(part for part in parts if part)
    return _obstacle(place, sentence)


def _obstacle(place: str, sentence: str) -> Obstacle:
    place = known_place(place)
    return Obstacle(place, _label(place), sentence)


def _label(place: str) -> str:
    """Return the name of a field in words: "Sessions 3, Real images"."""
    words: list[str] = []
    node: object = protocol_form()
    for part in place.split("-") if place else []:
        if isinstance(node, Rows):
            words[-1] = f"{row_of(node.owner, node.name).one} {part}"
            node = node.item
        elif isinstance(node, Table):
            label, node = str(row_of(node.kind, part).label), node.field(part)
            words.append(label)
    return ", ".join(words)
