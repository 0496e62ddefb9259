"""Advice on a protocol that could be drawn: time, readers, power, and rules that contradict each other.

None of it keeps a study from being locked; the findings of `truth.checklist` do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.designer.checklist.lines import Line
from readerstudy.designer.checklist.power import outdated_sentence, power_sentence
from readerstudy.layout.numbers import localise
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import DEFAULT_RULES, Protocol
from readerstudy.protocol.reporting import ENTRIES
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading
from readerstudy.studies.corners import last_look
from readerstudy.studies.models import Enrollment, Presentation, ReadingList, Study

# Seconds per image without any reading to learn from. Rounded from the times of the simulated readers.
DEFAULT_SECONDS: Final = 10.0
FEWEST_READINGS: Final = 20


@dataclass(frozen=True)
class Pace:
    """Seconds per image, and where they come from in words."""

    seconds: float
    source: str


def find_advice(study: Study, protocol: Protocol) -> list[Line]:
    """Return what a coordinator should know of a protocol before it is locked."""
    return [*_corners(study), *_contradictions(protocol), *_power(study, protocol), *_reporting(protocol)]


def _corners(study: Study) -> Iterator[Line]:
    if last_look(study) is None:
        text = _(
            "Nobody has looked at the corners of all images for names and dates that are burned into them. The page "
            "Corners of this study shows them."
        )
        yield Line("", text, page="corners")


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


# --- power ----------------------------------------------------------------------------------------------------------
def _power(study: Study, protocol: Protocol) -> Iterator[Line]:
    readers = Enrollment.objects.filter(study=study, withdrawn_at=None).count()
    is_compared = len(protocol.asking) > 1
    if is_compared and readers > 1 and (sentence := power_sentence(protocol, readers=readers)):
        yield Line("analysis-primary", sentence)
    if sentence := outdated_sentence(protocol):
        yield Line("", sentence, page="sizing")


def _reporting(protocol: Protocol) -> Iterator[Line]:
    """Yield how much is missing for the reporting checklists, once somebody has begun to fill that part."""
    missing = [name for name in ENTRIES if not getattr(protocol.analysis.reporting, name)]
    if 0 < len(missing) < len(ENTRIES):
        text = ngettext(
            "%(count)s entry for the reporting checklists is empty. It cannot be added after the lock.",
            "%(count)s entries for the reporting checklists are empty. They cannot be added after the lock.",
            len(missing),
        )
        yield Line(f"analysis-reporting-{missing[0]}", text % {"count": len(missing)})


# --- contradictions -------------------------------------------------------------------------------------------------
def _contradictions(protocol: Protocol) -> Iterator[Line]:
    yield from _comparison(protocol)
    yield from _same_images(protocol)
    yield from _labelled_pairs(protocol)
    for number, session in enumerate(protocol.sessions, start=1):
        place = f"sessions-{number}"
        has_own_break = session.rules.break_every != DEFAULT_RULES.break_every
        total = protocol.showings(number)
        if has_own_break and session.rules.break_every >= total:
            text = _("Session %(number)s has %(total)s images, so its break after %(every)s never comes.")
            values = {"number": number, "total": total, "every": session.rules.break_every}
            yield Line(f"{place}-rules-break_every", text % values)
        for index, question in enumerate(session.rules.questions, start=1):
            if question.kind == "mark" and "not_real" not in question.after and question.after:
                text = _("Session %(number)s asks for marks on the image, but not after the verdict “not real”.")
                yield Line(f"{place}-rules-questions-{index}-after", text % {"number": number})
    if protocol.sessions[0].washout_days:
        text = _("Nothing comes before session 1, so its washout has no effect.")
        yield Line("sessions-1-washout_days", text)


def _labelled_pairs(protocol: Protocol) -> Iterator[Line]:
    """Yield that readers could learn from an educational session by a program, if they are tested after it."""
    kinds = [session.kind for session in protocol.sessions]
    number = kinds.index(SessionKind.EDUCATION) + 1 if SessionKind.EDUCATION in kinds else 0
    if not number or not any(each > number for each in protocol.asking):
        return
    text = _(
        "Session %(number)s sends labelled pairs of images. A reader could train a program with them and use it in the "
        "sessions after it; software cannot prevent that. Say in the consent text or the instructions that images may "
        "be neither stored nor processed, and name it as a limitation."
    )
    yield Line(f"sessions-{number}-kind", text % {"number": number})


def _same_images(protocol: Protocol) -> Iterator[Line]:
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
            yield Line(f"sessions-{number}-washout_days", text % values)
        if protocol.crossover != (session.images_of, number):
            text = _(
                "All readers see the images of session %(source)s there first, and in session %(number)s again. With "
                "a crossover, half of them begin with the other session."
            )
            yield Line("crossover", text % values)
        if protocol.asking and {session.images_of, number} != {protocol.analysis.before, protocol.analysis.after}:
            text = _("Sessions %(source)s and %(number)s show the same images, but the analysis compares others.")
            yield Line("analysis-before", text % values)


def _missing_kinds(protocol: Protocol, comparison: Comparison, place: str) -> Iterator[Line]:
    """Yield which of two compared sessions lacks the images that the figure is computed from."""
    needs_adversarial, needs_real = comparison.figure != "specificity", comparison.figure != "sensitivity"
    for name in ("before", "after"):
        number = getattr(comparison, name)
        session = protocol.source(number)
        if needs_adversarial and not session.adversarial:
            text = _("Session %(number)s has no adversarial images, so the figure cannot be computed there.")
            yield Line(f"{place}-{name}", text % {"number": number})
        if needs_real and not session.real:
            text = _("Session %(number)s has no real images, so the figure cannot be computed there.")
            yield Line(f"{place}-{name}", text % {"number": number})


def _comparison(protocol: Protocol) -> Iterator[Line]:
    """Yield what the compared sessions lack for the primary figure, and whether there is no education in between.

    Nothing, if fewer than two sessions ask for verdicts: the plan's `before` and `after` are not looked at then.
    """
    if len(protocol.asking) < 2:
        return
    analysis = protocol.analysis
    yield from _missing_kinds(protocol, analysis.primary_comparison, "analysis")
    for index, comparison in enumerate(analysis.comparisons, start=1):
        yield from _missing_kinds(protocol, comparison, f"analysis-comparisons-{index}")
    between = protocol.sessions[analysis.before : analysis.after - 1]
    has_education = any(session.kind == SessionKind.EDUCATION for session in protocol.sessions)
    if has_education and not any(session.kind == SessionKind.EDUCATION for session in between):
        yield Line("analysis-before", _("There is no education between the two sessions that are compared."))


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
