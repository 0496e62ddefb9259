"""The faults: each takes the installation, breaks something, and leaves it such that it can recover."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.installation import Installation

AWAY_S = 3.0


@dataclass
class Chaos:
    """Breaks one thing after the other. The same seed gives the same order."""

    place: Installation
    seed: int
    pause_s: float
    only: tuple[str, ...] = ()  # the kinds of faults; empty: all
    long_stop_s: float = 0.0  # for which a worker stands still; above a minute another one takes its job

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random.Random(self.seed)
        self._kinds: dict[str, Callable[[], bool]] = {
            "web process killed": self.kill_web_process,
            "all of gunicorn killed": self.kill_web,
            "PostgreSQL killed": self.kill_postgres,
            "PostgreSQL stopped at once": lambda: self.stop_postgres(signal.SIGQUIT),
            "PostgreSQL restarted": lambda: self.stop_postgres(signal.SIGINT),
            "PostgreSQL frozen": self.freeze_postgres,
            "Redis killed": self.kill_redis,
            "worker killed": self.kill_worker,
            "child of a worker killed": self.kill_child,
            "worker stopped and continued": self.stop_and_continue,
            "disk full": self.fill_disk,
            "data folder read-only": self.forbid_writing,
            "web clock wrong": self.set_clock,
            "clock of the running web set back": self.set_clock_back,
        }

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._kinds)

    @property
    def impossible(self) -> frozenset[str]:
        """The kinds that need a disk or a folder of the test's own, if none can be mounted."""
        needs = {"disk full": self.place.has_small_disk, "data folder read-only": self.place.has_own_var}
        return frozenset(kind for kind, is_there in needs.items() if not is_there)

    def run(self, *, until: Callable[[], bool], rounds: int, before: Callable[[], None] = lambda: None) -> None:
        """Break everything once in each round, in another order each time, until that holds."""
        for _round in range(rounds):
            kinds = [kind for kind in self._kinds if not self.only or kind in self.only]
            self._random.shuffle(kinds)
            for kind in kinds:
                if until():
                    return
                before()
                if self._kinds[kind]():
                    self.counts[kind] += 1
                time.sleep(self.pause_s * self._random.uniform(0.5, 1.5))

    def _children(self, name: str) -> list[psutil.Process]:
        """Return the processes of a service; one that has just been started gets some seconds to make them."""
        end = time.monotonic() + 20
        while not (children := self.place.children(name)) and time.monotonic() < end:
            time.sleep(0.1)
        return children

    # --- the web --------------------------------------------------------------------------------------------
    def kill_web_process(self) -> bool:
        children = self._children("web")
        if not children:
            return False
        with suppress(psutil.NoSuchProcess):
            self._random.choice(children).kill()
        return True

    def kill_web(self) -> bool:
        self.place.kill("web")
        self.place.start_web()
        return True

    def set_clock(self) -> bool:
        """The clock of the web is an hour behind or ahead for some seconds, then right again."""
        self.place.set_clock(self._random.choice([-3600, 3600]))
        self.kill_web()
        time.sleep(2 * AWAY_S)
        self.place.set_clock(0)
        return self.kill_web()

    def set_clock_back(self) -> bool:
        """Set the clock of the web back by an hour while it answers, then right again."""
        self.place.set_clock(-3600)
        time.sleep(2 * AWAY_S)
        self.place.set_clock(0)
        return True

    # --- the database ---------------------------------------------------------------------------------------
    def kill_postgres(self) -> bool:
        self.place.kill("postgres")
        time.sleep(self._random.uniform(0, AWAY_S))
        self.place.start_postgres()
        return True

    def stop_postgres(self, how: signal.Signals) -> bool:
        self.place.stop_postgres(how)
        time.sleep(self._random.uniform(0, AWAY_S))
        self.place.start_postgres()
        return True

    def freeze_postgres(self) -> bool:
        family = self.place.family(self.place.processes["postgres"].pid)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        time.sleep(AWAY_S)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        return True

    def fill_disk(self) -> bool:
        """Fill the small disk of the database; it may end itself. Where no disk can be mounted nothing is done."""
        if not self.place.has_small_disk:
            return False
        ballast = self.place.disk / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        time.sleep(AWAY_S)
        ballast.unlink()
        if not self.place.is_running("postgres") or not self.place.database_answers():
            self.place.kill("postgres")
            self.place.start_postgres()
        return True

    def forbid_writing(self) -> bool:
        """Let nobody write into VAR_DIR for some seconds, if a folder can be mounted here."""
        if not self.place.set_writable(False):
            return False
        time.sleep(AWAY_S)
        return self.place.set_writable(True)

    # --- the queue and the workers --------------------------------------------------------------------------
    def kill_redis(self) -> bool:
        self.place.kill("redis")
        time.sleep(self._random.uniform(0, AWAY_S))
        self.place.start_redis()
        return True

    def kill_worker(self) -> bool:
        name = self._random.choice(self.place.workers)
        self.place.kill(name)
        self.place.start_worker(name)
        return True

    def kill_child(self) -> bool:
        children = self._children(self._random.choice(self.place.workers))
        if not children:
            return False
        with suppress(psutil.NoSuchProcess):
            children[-1].kill()
        return True

    def stop_and_continue(self) -> bool:
        """Let a worker with its child stand still, long enough for another one to take its job if asked."""
        family = self.place.family(self.place.processes[self._random.choice(self.place.workers)].pid)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        time.sleep(self.long_stop_s or AWAY_S)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        return True


def is_mount_possible(folder: Path) -> bool:
    """Return whether this machine lets a test mount a disk of its own."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "readerstudy-try", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True
