"""The pairs of a study's education and the lines of text under their triptychs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from readerstudy.cohort.models import Stimulus
from readerstudy.protocol.sessions import SessionKind
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, ReadingList, SessionPlan, Study
from readerstudy.truth.models import LessonLine, Truth
from readerstudy.truth.queries.gallery import GalleryImage, gallery_image_of
from readerstudy.truth.seal import in_lessons_only


@dataclass(frozen=True)
class TaughtPair:
    """A pair that a session of education shows, at its position of the draw, with the line under it; "" for none."""

    session: int
    position: int
    image: GalleryImage
    line: str


def lessons_begun(study: Study) -> bool:
    """Return whether a reader has opened an educational session. From then on its lines are the same for everybody."""
    lists = ReadingList.objects.filter(session_plan__study=study, session_plan__kind=SessionKind.EDUCATION)
    return lists.filter(session__isnull=False).exists()


@sealed_work()
def taught_pairs(study: Study) -> list[TaughtPair]:
    """Return the pairs of the study's education in the order of the draw; none before it is locked.

    Pairs of which a reader judges an image in a sealed study are left out (`seal.in_lessons_only`).
    """
    lines = lines_of(study)
    return [
        TaughtPair(plan.number, position, gallery_image_of(row), lines.get(row.source_image_id, ""))
        for plan in _plans(study)
        for position, row in _drawn(plan, _pairs(plan).filter(in_lessons_only("stimulus__image")))
    ]


@sealed_work()
def find_taught_pair(study: Study, number: int) -> GalleryImage | None:
    """Return the pair with this number if `taught_pairs` has it."""
    shown = in_lessons_only("stimulus__image")
    rows = (_pairs(plan).filter(shown, pk=number).first() for plan in _plans(study))
    return next((gallery_image_of(row) for row in rows if row), None)


@sealed_work()
def count_hidden_pairs(study: Study) -> int:
    """Return how many pairs `taught_pairs` leaves out."""
    return sum(_pairs(plan).exclude(in_lessons_only("stimulus__image")).count() for plan in _plans(study))


@sealed_work()
def lines_of(study: Study) -> dict[int, str]:
    """Return the lines under the study's triptychs, by real stimulus. Lines of a replaced draw are left out."""
    taught = Allocation.objects.filter(session_plan__study=study, session_plan__kind=SessionKind.EDUCATION)
    written = LessonLine.objects.filter(study=study, stimulus__in=taught.values("stimulus"))
    rows = written.order_by("pk").values_list("stimulus_id", "text")
    return {stimulus: text for stimulus, text in dict(rows).items() if text}


@sealed_work()
def find_line(source: Stimulus, plan: SessionPlan) -> str:
    """Return the line under the triptych of a real stimulus, "" if there is none."""
    newest = LessonLine.objects.filter(study=plan.study_id, stimulus=source).order_by("pk").last()
    return newest.text if newest else ""


@sealed_work()
def has_lines(plan: SessionPlan) -> bool:
    """Return whether a triptych of the session has a line."""
    return plan.allocations.filter(stimulus__in=lines_of(plan.study)).exists()


def _plans(study: Study) -> Iterator[SessionPlan]:
    yield from study.session_plans.filter(kind=SessionKind.EDUCATION).order_by("number")


def _pairs(plan: SessionPlan) -> "QuerySet[Truth]":
    """Return the rows of the adversarial images that a session shows beside their real ones."""
    generators = plan.study.plan["sessions"][plan.number - 1]["generators"]
    rows = Truth.objects.filter(source_image__in=plan.allocations.values("stimulus"), generator__in=generators)
    return rows.select_related("stimulus__image__exam__patient__cohort", "source_image", "attack")


def _drawn(plan: SessionPlan, rows: "QuerySet[Truth]") -> list[tuple[int, Any]]:
    """Return the rows with their positions, in the order of the draw."""
    positions: dict[int | None, int] = dict(plan.allocations.values_list("stimulus_id", "position"))
    return sorted(((positions[row.source_image_id], row) for row in rows), key=lambda each: each[0])
