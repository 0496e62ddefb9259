"""List jobs and their progress."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.experiments.job_view import JobView, view_jobs
from readerstudy.jobs.models import Job


class Command(StudyCommand):
    help = "List jobs: those under way first, then the newest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--last", type=int, default=20, metavar="N", help="list at most N jobs (default: 20)")

    def handle(self, *args: Any, **options: Any) -> None:
        views = view_jobs(Job.objects.under_way_first()[: options["last"]], at=now())
        text = "\n".join(_line(view) for view in views) or "There is no job yet."
        self.show([_data(view) for view in views], text, as_json=options["json"])


def _line(view: JobView) -> str:
    share = f"{view.percent:3d} %" if view.job.total and not view.job.is_over else "     "
    return f"{view.job.pk:5d}  {view.state:<10} {share}  {view.job.kind:<18} {view.note}".rstrip()


def _data(view: JobView) -> dict[str, Any]:
    job = view.job
    return {
        "id": job.pk,
        "kind": job.kind,
        "status": job.status,
        "is_lost": view.is_lost,
        "done": job.done,
        "total": job.total,
        "note": view.note,
        "seconds_left": view.seconds_left,
    }
