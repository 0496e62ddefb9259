"""What is missing in a study: sessions and readings of each reader, without their verdicts."""

from dataclasses import dataclass
from itertools import groupby

from readerstudy.studies.models import ReadingList, Study


@dataclass(frozen=True)
class Missing:
    """What a reader has not read yet."""

    reader: str
    name: str
    sessions: tuple[int, ...]  # numbers of unfinished sessions
    readings: int
    total: int

    @property
    def has_begun(self) -> bool:
        return self.readings < self.total


def missing_of_readers(study: Study) -> list[Missing]:
    """Return every reader who takes part and has unfinished sessions, in the order of enrolment."""
    lists = (
        ReadingList.objects.filter(enrollment__study=study, enrollment__withdrawn_at=None)
        .select_related("enrollment__reader", "session_plan", "session")
        .order_by("enrollment_id", "session_plan__number")
    )
    found = []
    for enrollment, rows in groupby(lists, lambda row: row.enrollment):
        plans = [(row.session_plan, _answered(row)) for row in rows]
        left = [(plan.number, plan.total - answered) for plan, answered in plans if answered < plan.total]
        if left:
            numbers, readings = tuple(number for number, _ in left), sum(count for _, count in left)
            reader = enrollment.reader
            total = sum(plan.total for plan, _ in plans)
            found.append(Missing(enrollment.code, reader.get_full_name() or reader.username, numbers, readings, total))
    return found


def _answered(row: ReadingList) -> int:
    session = getattr(row, "session", None)  # none before the reader opens it
    return session.answered if session else 0
