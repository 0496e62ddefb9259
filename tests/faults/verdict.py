"""Compares what readers wrote down with what is stored. Everything that must not happen is counted."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Counts:
    """All but the first three must be zero."""

    acknowledged: int
    stored: int
    jobs_done: int
    missing: int = 0  # acknowledged, not stored
    different: int = 0  # stored with another verdict or for another image
    doubled: int = 0
    out_of_order: int = 0  # sessions whose positions are not 1, 2, 3 … in the order of storing
    never_sent: int = 0  # stored, sent by nobody
    wrong_counters: int = 0  # sessions that count other than their readings
    jobs_not_done_once: int = 0
    jobs_with_two_workers: int = 0  # an older save was written over a newer one

    @property
    def wrong(self) -> dict[str, int]:
        """What must be zero and is not."""
        names = [field.name for field in fields(self)][3:]
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def compare(census: dict[str, Any], journals: Path, jobs: list[dict[str, Any]]) -> Counts:
    """Return the counts of one run."""
    sent, acknowledged = _written_down(journals)
    stored = {row[5]: row for row in census["readings"]}
    positions: dict[tuple[str, int], list[int]] = defaultdict(list)
    for reader, session, position, *_rest in census["readings"]:
        positions[reader, session].append(position)
    counters = {(reader, session): answered for reader, session, answered in census["sessions"]}
    presentations = Counter(row[3] for row in census["readings"])
    last = {job["folder"]: job for job in census["jobs"]}  # a job that was tried again is another row
    return Counts(
        acknowledged=len(acknowledged),
        stored=len(census["readings"]),
        jobs_done=sum(last[job["folder"]]["status"] == "done" for job in jobs),
        missing=len(acknowledged - set(stored)),
        different=sum(key in sent and sent[key] != (row[3], row[4]) for key, row in stored.items()),
        doubled=len(census["readings"]) - len(stored) + sum(count - 1 for count in presentations.values()),
        out_of_order=sum(found != list(range(1, len(found) + 1)) for found in positions.values()),
        never_sent=len(set(stored) - set(sent)),
        wrong_counters=sum(answered != len(positions[key]) for key, answered in counters.items()),
        jobs_not_done_once=sum(not _is_done_once(last[job["folder"]]) for job in jobs),
        jobs_with_two_workers=sum(not _is_increasing(Path(job["folder"]) / "trace") for job in jobs),
    )


def _written_down(journals: Path) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Return the verdicts that were sent, by key, and the keys that were acknowledged.

    The practice image is answered too, and is no reading.
    """
    sent: dict[str, tuple[str, str]] = {}
    acknowledged = set()
    for path in journals.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if "sent" in entry:
                sent[entry["sent"]] = (entry["stimulus"], entry["verdict"])
            elif entry["receipt"]:
                acknowledged.add(entry["acknowledged"])
    return sent, acknowledged


def _is_done_once(job: dict[str, Any]) -> bool:
    return bool(job["status"] == "done" and job["done_lines"] <= 1 and job["result"]["counted"])


def _is_increasing(trace: Path) -> bool:
    numbers = [int(line) for line in trace.read_text().split()] if trace.exists() else []
    return all(first < second for first, second in pairwise(numbers))
