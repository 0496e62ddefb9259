"""The figures of the whole installation, for `/metrics` and for the page of operation: totals only."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from kombu.exceptions import OperationalError

from readerstudy.invitations.models import Mail, MailState
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.workers_seen import worker_ages
from readerstudy.operation.broker import QUEUES, waiting_messages
from readerstudy.reading.models import ReadingSession
from readerstudy.rehearsal.models import BlindingAudit

STUCK_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Figures:
    """What an operator watches. Ages are in seconds, None without a value."""

    jobs: dict[str, int]  # by state
    oldest_queued: float | None  # age of the job that waits longest
    queues: dict[str, int] | None  # messages by queue; None: the broker does not answer
    workers: dict[str, float]  # age of the newest report of a worker, by queue
    heartbeat: float | None  # age of the oldest heartbeat of a running job
    sessions_on_hold: int
    sessions_open: int
    audit_age: float | None
    audit_passed: bool | None
    mails: dict[str, int]  # waiting, being sent and failed
    disk_free: int  # bytes
    disk_total: int
    connections: int  # to this database, of all processes
    connections_allowed: int

    @property
    def messages_waiting(self) -> int | None:
        return None if self.queues is None else sum(self.queues.values())


def take_figures(*, at: datetime) -> Figures:
    """Return the figures now. Raises an error of the database if it does not answer."""
    jobs = dict.fromkeys(JobStatus.values, 0)
    jobs |= dict(Job.objects.order_by().values_list("status").annotate(Count("pk")))
    queued = Job.objects.filter(status=JobStatus.QUEUED).aggregate(oldest=Min("queued_at"))["oldest"]
    running = Job.objects.filter(status=JobStatus.RUNNING).aggregate(oldest=Min("heartbeat_at"))["oldest"]
    sessions = ReadingSession.objects.filter(finished_at=None)
    audit = BlindingAudit.objects.order_by("-at").values_list("at", "passed").first()
    audit_at, passed = audit or (None, None)
    disk = shutil.disk_usage(settings.VAR_DIR)
    connections, allowed = _connections()
    return Figures(
        jobs=jobs,
        oldest_queued=_age(queued, at),
        queues=_queues(),
        workers=worker_ages(QUEUES),
        heartbeat=_age(running, at),
        sessions_on_hold=sessions.filter(held_at__isnull=False).count(),
        sessions_open=sessions.count(),
        audit_age=_age(audit_at, at),
        audit_passed=passed,
        mails=_mails(),
        disk_free=disk.free,
        disk_total=disk.total,
        connections=connections,
        connections_allowed=allowed,
    )


def _age(moment: datetime | None, at: datetime) -> float | None:
    return None if moment is None else max(0.0, (at - moment).total_seconds())


def _queues() -> dict[str, int] | None:
    try:
        return waiting_messages()
    except OperationalError:
        return None


def _mails() -> dict[str, int]:
    watched = (MailState.QUEUED, MailState.SENDING, MailState.FAILED)
    found = Mail.objects.filter(state__in=watched).order_by().values_list("state").annotate(Count("pk"))
    return {state.value: 0 for state in watched} | dict(found)


def _connections() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT numbackends, current_setting('max_connections')::int FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        used, allowed = cursor.fetchone()
        return int(used), int(allowed)
