"""Advice on a protocol that could be drawn: time, readers, power, and rules that contradict each other.

None of it keeps a study from being locked; the findings of `truth.checklist` do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.layout.numbers import localise
from readerstudy.reading.models import Reading
from readerstudy.statistics.mrmc.sizing import binary_components, power
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, Study
from readerstudy.studies.protocol import SessionKind
from readerstudy.studies.protocol_document import DEFAULT_RULES, Protocol, ProtocolSession

# Seconds per image without any reading to learn from. Rounded from the times of the simulated readers.
DEFAULT_SECONDS: Final = 10.0
FEWEST_READINGS: Final = 20
# What the power is computed for: the example of docs/explanation/statistics.md.
DIFFERENCE: Final = 0.10
RATE: Final = 0.60
SD_READERS: Final = 0.05
CORRELATION: Final = 0.15


@dataclass(frozen=True)
class Advice:
    """A sentence, and the field that it is about; empty: none."""

    place: str
    sentence: str


@dataclass(frozen=True)
class Pace:
    """Seconds per image, and where they come from in words."""

    seconds: float
    source: str


def find_advice(study: Study, protocol: Protocol) -> list[Advice]:
    """Return everything that a coordinator should know of a protocol before it is locked."""
    readers = Enrollment.objects.filter(study=study).count()
    return [*_contradictions(protocol), *_readers(readers), *_power(protocol, readers)]


def minutes(protocol: Protocol, number: int, pace: Pace) -> int:
    """Return the expected length of a session, repeated images included, without breaks."""
    return max(1, round(protocol.showings(number) * pace.seconds / 60))


# --- time -----------------------------------------------------------------------------------------------------------
_MEDIAN: Final = f"""
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY reading.elapsed_ms) / 1000
FROM {Reading._meta.db_table} reading
JOIN {Presentation._meta.db_table} shown ON shown.id = reading.presentation_id
JOIN {ReadingList._meta.db_table} list ON list.id = shown.reading_list_id
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
WHERE enrollment.study_id = %s
"""


def find_pace(study: Study) -> Pace:
    """Return the median time per image of this study's readings, of its last rehearsal, or the default."""
    if seconds := _median_seconds(study):
        return Pace(seconds, _("the median of the readings of this study"))
    rehearsal = Study.objects.filter(code__regex=f"^{study.code}-rehearsal(-[0-9]+)?$", is_rehearsal=True).last()
    if rehearsal and (seconds := _median_seconds(rehearsal)):
        return Pace(seconds, _("the median of the simulated readers of %(code)s") % {"code": rehearsal.code})
    return Pace(DEFAULT_SECONDS, _("an assumption: nothing was read or rehearsed yet"))


def _median_seconds(study: Study) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(_MEDIAN, [study.pk])
        readings, seconds = cursor.fetchone()
    return float(seconds) if readings >= FEWEST_READINGS else None


# --- readers and power ----------------------------------------------------------------------------------------------
def _readers(readers: int) -> Iterator[Advice]:
    if not readers:
        text = _("Nobody is enrolled yet. Readers can be invited before and after the study is locked.")
        yield Advice("", text)


def _power(protocol: Protocol, readers: int) -> Iterator[Advice]:
    """Yield the power of the primary comparison with the enrolled readers, with what was assumed for it."""
    after = protocol.source(protocol.analysis.after)
    cases = _cases(protocol, after)
    if readers < 2 or cases < 2:
        if readers:
            yield Advice("", _("A test over readers needs at least 2 of them; 1 is enrolled."))
        return
    are_same = protocol.show_same_images(protocol.analysis.before, protocol.analysis.after)
    shared = CORRELATION if are_same else 0.0
    components = binary_components(RATE, cases, r1=shared, r2=CORRELATION, r3=shared, sd_tr=SD_READERS)
    found = power(components, readers=readers, cases=cases, difference=DIFFERENCE, alpha=protocol.analysis.alpha)
    values = {
        "power": localise(f"{found.power:.2f}"),
        "readers": readers,
        "cases": cases,
        "difference": localise(f"{DIFFERENCE:.2f}"),
        "rate": localise(f"{RATE:.2f}"),
        "correlation": localise(f"{CORRELATION:.2f}"),
        "sd": localise(f"{SD_READERS:.2f}"),
    }
    text = (
        _(
            "With %(readers)s readers and %(cases)s images, a true change of %(difference)s is found with a power of "
            "%(power)s. Assumed: a rate of %(rate)s, a correlation of %(correlation)s between two readings of one "
            "image, by whichever reader and in whichever session, a spread of %(sd)s of readers from session to "
            "session."
        )
        if are_same
        else _(
            "With %(readers)s readers and %(cases)s images, a true change of %(difference)s is found with a power of "
            "%(power)s. Assumed: a rate of %(rate)s, a correlation of %(correlation)s between two readers on one "
            "image, a spread of %(sd)s of readers from session to session, other images in each session."
        )
    )
    yield Advice("analysis-primary", text % values)
    if protocol.analysis.primary in ("auc", "balanced_accuracy"):
        text = _(
            "There is no formula for the chosen primary figure before a pilot: the power is that of a share of right "
            "verdicts on as many images, as orientation."
        )
        yield Advice("analysis-primary", text)


def _cases(protocol: Protocol, session: ProtocolSession) -> int:
    match protocol.analysis.primary:
        case "sensitivity":
            return session.adversarial
        case "specificity":
            return session.real
        case _:
            return session.total


# --- contradictions -------------------------------------------------------------------------------------------------
def _contradictions(protocol: Protocol) -> Iterator[Advice]:
    yield from _comparison(protocol)
    yield from _same_images(protocol)
    for number, session in enumerate(protocol.sessions, start=1):
        place = f"sessions-{number}"
        has_own_break = session.rules.break_every != DEFAULT_RULES.break_every
        total = protocol.showings(number)
        if has_own_break and session.rules.break_every >= total:
            text = _("Session %(number)s has %(total)s images, so its break after %(every)s never comes.")
            values = {"number": number, "total": total, "every": session.rules.break_every}
            yield Advice(f"{place}-rules-break_every", text % values)
        for index, question in enumerate(session.rules.questions, start=1):
            if question.kind == "mark" and "not_real" not in question.after and question.after:
                text = _("Session %(number)s asks for marks on the image, but not after the verdict “not real”.")
                yield Advice(f"{place}-rules-questions-{index}-after", text % {"number": number})
    if protocol.sessions[0].washout_days:
        text = _("Nothing comes before session 1, so its washout has no effect.")
        yield Advice("sessions-1-washout_days", text)


def _same_images(protocol: Protocol) -> Iterator[Advice]:
    """Yield what a comparison of the same images under two conditions should have."""
    for number, session in enumerate(protocol.sessions, start=1):
        if not session.images_of:
            continue
        values = {"number": number, "source": session.images_of}
        if not any(each.washout_days for each in protocol.sessions[session.images_of : number]):
            text = _(
                "Session %(number)s shows the images of session %(source)s without a washout: readers may remember "
                "them. Four weeks are usual."
            )
            yield Advice(f"sessions-{number}-washout_days", text % values)
        if protocol.crossover != (session.images_of, number):
            text = _(
                "All readers see the images of session %(source)s there first, and in session %(number)s again. With "
                "a crossover, half of them begin with the other session."
            )
            yield Advice("crossover", text % values)
        if protocol.asking and {session.images_of, number} != {protocol.analysis.before, protocol.analysis.after}:
            text = _("Sessions %(source)s and %(number)s show the same images, but the analysis compares others.")
            yield Advice("analysis-before", text % values)


def _comparison(protocol: Protocol) -> Iterator[Advice]:
    """Yield what the compared sessions lack for the primary figure, and whether there is no education in between."""
    analysis = protocol.analysis
    needs_adversarial, needs_real = analysis.primary != "specificity", analysis.primary != "sensitivity"
    for name in ("before", "after"):
        number = getattr(analysis, name)
        session = protocol.source(number)
        if needs_adversarial and not session.adversarial:
            text = _("Session %(number)s has no adversarial images, so the primary figure cannot be computed there.")
            yield Advice(f"analysis-{name}", text % {"number": number})
        if needs_real and not session.real:
            text = _("Session %(number)s has no real images, so the primary figure cannot be computed there.")
            yield Advice(f"analysis-{name}", text % {"number": number})
    between = protocol.sessions[analysis.before : analysis.after - 1]
    has_education = any(session.kind == SessionKind.EDUCATION for session in protocol.sessions)
    if has_education and not any(session.kind == SessionKind.EDUCATION for session in between):
        yield Advice("analysis-before", _("There is no education between the two sessions that are compared."))


def total_sentence(protocol: Protocol, pace: Pace) -> str:
    """Return how long a reader is expected to read in all."""
    numbers = range(1, len(protocol.sessions) + 1)
    total = sum(minutes(protocol, number, pace) for number in numbers)
    images = sum(protocol.showings(number) for number in numbers)
    text = ngettext(
        "%(minutes)s minute in all for %(images)s images, at %(seconds)s s per image: %(source)s.",
        "%(minutes)s minutes in all for %(images)s images, at %(seconds)s s per image: %(source)s.",
        total,
    )
    seconds = localise(f"{pace.seconds:.1f}")
    return text % {"minutes": total, "images": images, "seconds": seconds, "source": pace.source}
