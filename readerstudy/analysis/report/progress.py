"""What the report's pages show of a study that is still sealed: progress, and nothing of the truth."""

from dataclasses import dataclass

from django.db.models import Count

from readerstudy.studies.models import ReadingList, Study


@dataclass(frozen=True)
class Progress:
    """One reader's readings in one session against the plan."""

    reader: str
    session: int
    done: int
    planned: int

    @property
    def is_finished(self) -> bool:
        return self.done >= self.planned


def progress_of_study(study: Study) -> list[Progress]:
    """Every reader and session, in order."""
    lists = (
        ReadingList.objects.filter(enrollment__study=study)
        .annotate(done=Count("presentations__reading"))
        .order_by("enrollment_id", "session_plan__number")
        .values_list("enrollment__code", "session_plan__number", "done", "session_plan__total")
    )
    return [Progress(*line) for line in lists]


def rehearsal_of(study: Study) -> Study | None:
    """The copy that simulated readers played or play, if there is one."""
    return Study.objects.filter(code=f"{study.code}-rehearsal", is_rehearsal=True).first()
