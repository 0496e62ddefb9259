"""One run of the harness: an installation, a crowd of readers, jobs, faults; then the counts."""

import json
import math
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tests.faults.chaos import Chaos
from tests.faults.installation import ROOT, Installation
from tests.faults.proxy import Proxy
from tests.faults.readers import Crowd
from tests.faults.verdict import Counts, compare

READ_ONLY: Final = "Read-only file system"


@dataclass(frozen=True)
class Plan:
    """How large a run is."""

    readers: int
    jobs: int
    steps: int  # of each job; one takes a twentieth of a second
    rounds: int  # in which everything is broken once
    seed: int = 1
    scale: float = 0.03  # of the study
    think_s: float = 0.3  # of a reader before a verdict
    fault_pause_s: float = 0.5  # between two faults
    spoilt: float = 0.06  # share of the requests
    long_stop_s: float = 0.0
    only: tuple[str, ...] = ()  # the kinds of faults; empty: all
    verdicts_a_fault: int = 0  # that each reader may give before the next one, until all have come; 0: any number
    longest_s: float = 600  # after which readers stop where they are


@dataclass(frozen=True)
class Outcome:
    """What was done, and what came of it."""

    counts: Counts
    kinds: frozenset[str]  # of faults, all that there are
    faults: Counter[str]
    impossible: frozenset[str]  # faults that this machine does not let a test make
    spoilt: Counter[str]
    seen: Counter[str]  # by the readers: answers that they asked for again, and what they tried
    errors: tuple[str, ...]  # of readers whom a fault stopped
    failures: tuple[str, ...]  # what the web logged as errors
    unfinished: int  # readers who ran out of time
    seconds: float
    set_back: int  # verdicts that are stamped earlier than the one before them in their session
    is_verified: bool
    log: str


def play(plan: Plan) -> Outcome:
    """Make an installation, break it while readers read, and count."""
    place = Installation()
    try:
        place.start()
        numbers = [str(value) for value in (plan.readers, plan.jobs, plan.steps, plan.scale)]
        made = json.loads(place.run([sys.executable, "-m", "tests.faults.seed", *numbers]).splitlines()[-1])
        proxy = Proxy(place.web_port, share=plan.spoilt, seed=plan.seed)
        crowd = Crowd(
            f"http://127.0.0.1:{proxy.port}",
            made["study"],
            made["tokens"],
            seed=plan.seed,
            folder=place.folder / "journals",
            pause_s=plan.think_s,
        )
        chaos = Chaos(place, seed=plan.seed, pause_s=plan.fault_pause_s, only=plan.only, long_stop_s=plan.long_stop_s)
        began = time.monotonic()
        if plan.verdicts_a_fault:
            crowd.allowed = 0
        crowd.start()
        end = began + plan.longest_s
        chaos.run(
            until=lambda: not crowd.is_reading or time.monotonic() > end,
            rounds=plan.rounds,
            before=lambda: crowd.allow(plan.verdicts_a_fault),
        )
        crowd.allowed = math.inf
        crowd.join(max(5.0, end - time.monotonic()))
        seconds = time.monotonic() - began
        proxy.stop()
        census = _census_when_jobs_are_over(place)
        return Outcome(
            counts=compare(census, place.folder / "journals", made["jobs"]),
            kinds=chaos.kinds,
            faults=chaos.counts,
            impossible=chaos.impossible,
            spoilt=proxy.counts,
            seen=sum((reader.counts for reader in crowd.readers), Counter()),
            errors=tuple(crowd.errors),
            failures=tuple(place.errors("web")),
            unfinished=sum(reader.counts["stopped"] for reader in crowd.readers),
            seconds=seconds,
            set_back=_stamped_before_their_predecessor(census["readings"]),
            is_verified=_verifies(place, made["study"]),
            log="\n".join(f"--- {name}\n{place.log(name)}" for name in ("web", "worker-0", "worker-1"))
            + json.dumps(census["jobs"]),
        )
    finally:
        place.stop()


def _stamped_before_their_predecessor(readings: list[list[Any]]) -> int:
    stamps: dict[tuple[str, int], list[str]] = defaultdict(list)
    for reader, session, *_facts, stamp in readings:  # in the order of storing
        stamps[reader, session].append(stamp)
    return sum(later < earlier for found in stamps.values() for earlier, later in pairwise(found))


def _census_when_jobs_are_over(place: Installation) -> dict[str, Any]:
    """Return what is stored once no job waits or runs; after some minutes what is stored by then.

    A job that ended because nothing could be written is tried again, as a person would.
    """
    end = time.monotonic() + 240
    while True:
        census: dict[str, Any] = json.loads(place.run([sys.executable, "-m", "tests.faults.census"]).splitlines()[-1])
        stopped = [job["id"] for job in census["jobs"] if job["status"] == "failed" and READ_ONLY in job["note"]]
        for job in set(stopped) - {job["retried_from"] for job in census["jobs"]}:
            place.run([sys.executable, "manage.py", "retry_job", str(job)])
            census["jobs"].append({"status": "queued"})
        is_over = all(job["status"] not in ("queued", "running") for job in census["jobs"])
        if is_over or time.monotonic() > end:
            return census
        time.sleep(3)


def _verifies(place: Installation, study: str) -> bool:
    command = [sys.executable, "manage.py", "verify_study", study]
    done = subprocess.run(command, cwd=ROOT, env=place.environment(), capture_output=True)
    return done.returncode == 0
