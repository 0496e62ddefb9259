"""The sweeper of a worker: looks for the jobs of lost workers and for forgotten ones, for as long as it lives.

Any worker's sweeper looks after all jobs. A database or a broker that is away ends none of them.
"""

from collections.abc import Sequence
from datetime import datetime
from threading import Event, Thread
from typing import Final

from readerstudy.jobs.actions import requeue_lost_jobs, resend_forgotten_jobs
from readerstudy.jobs.heartbeat import database_time
from readerstudy.jobs.outages import disconnect, logger
from readerstudy.jobs.workers_seen import note_worker

INTERVAL: Final = 30  # seconds


class Sweeper:
    """Looks for lost and forgotten jobs. After an outage of the database it gives workers the time for a heartbeat."""

    def __init__(self, queues: Sequence[str] = ()) -> None:
        self._queues = queues
        self._back_since: datetime | None = None
        self._was_away = False
        self._is_over = Event()

    def start(self) -> None:
        """Look now and then, from a thread that ends with the process."""
        Thread(target=self._run, name="lost jobs", daemon=True).start()

    def sweep(self) -> bool:
        """Look once. Return whether that succeeded; an error is logged, and the next look tries again."""
        try:
            time = database_time()
            note_worker(self._queues)
            if self._was_away:
                self._back_since, self._was_away = time.now, False
            since = max(filter(None, (self._back_since, time.started)))
            requeue_lost_jobs(at=time.now, since=since)
            resend_forgotten_jobs()
        except Exception as error:
            # Whatever it was, jobs must not be left alone because of it.
            logger.warning("The look for lost jobs failed: %s: %s", type(error).__name__, str(error).strip())
            self._was_away = True
            return False
        finally:
            disconnect()
        return True

    def stop(self) -> None:
        """End the thread after its present look."""
        self._is_over.set()

    def _run(self) -> None:
        self.sweep()
        while not self._is_over.wait(INTERVAL):
            self.sweep()
