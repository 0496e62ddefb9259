"""Progress of a sealed study, for the report's pages; contains nothing about the truth."""

from dataclasses import dataclass

from django.db.models import Count

from readerstudy.studies.models import ReadingList, Study


@dataclass(frozen=True)
class ReadingProgress:
    """The number of readings of one reader in one session, and the number planned."""

    reader: str
    session: int
    done: int
    planned: int

    @property
    def is_finished(self) -> bool:
        return self.done >= self.planned


def progress_of_study(study: Study) -> list[ReadingProgress]:
    """Return the progress of every reader and session, in order, without readers who were withdrawn."""
    lists = (
        ReadingList.objects.filter(enrollment__study=study, enrollment__withdrawn_at=None)
        .annotate(done=Count("presentations__reading"))
        .order_by("enrollment_id", "session_plan__number")
        .values_list("enrollment__code", "session_plan__number", "done", "session_plan__total")
    )
    return [ReadingProgress(*row) for row in lists]


def rehearsal_of(study: Study) -> Study | None:
    """Return the last rehearsal of the study by simulated readers, or None."""
    rehearsals = Study.objects.filter(code__regex=f"^{study.code}-rehearsal(-[0-9]+)?$", is_rehearsal=True)
    return rehearsals.order_by("-created_at", "-pk").first()
