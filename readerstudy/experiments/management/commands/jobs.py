"""What the lab is at."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.experiments.job_view import JobView, views_of
from readerstudy.jobs.models import Job


class Command(StudyCommand):
    help = "List jobs: those under way first, then the newest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--last", type=int, default=20, metavar="N", help="so many at most (default: 20)")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = views_of(Job.objects.under_way_first()[: options["last"]], at=now())
        text = "\n".join(_line(job) for job in jobs) or "There is no job yet."
        self.show([_data(job) for job in jobs], text, as_json=options["json"])


def _line(view: JobView) -> str:
    share = f"{view.percent:3d} %" if view.job.total and not view.job.is_over else "     "
    return f"{view.job.pk:5d}  {view.state:<10} {share}  {view.job.task:<28} {view.job.note}".rstrip()


def _data(view: JobView) -> dict[str, Any]:
    job = view.job
    return {
        "id": job.pk,
        "task": job.task,
        "status": job.status,
        "is_lost": view.is_lost,
        "done": job.done,
        "total": job.total,
        "note": job.note,
        "seconds_left": view.seconds_left,
    }
