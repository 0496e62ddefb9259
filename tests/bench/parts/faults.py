"""Faults in a running installation: `make bench PART=faults` breaks it for minutes and prints what came of it.

READERS=100 sets how many read, SECONDS=420 after how long they stop. Every count under "must be zero" is zero, or the
benchmark fails.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict

from tests.bench.output import write
from tests.faults.installation import missing_programs
from tests.faults.play import Outcome, Plan, play

MUST_BE_ZERO = "must be zero: "


def main() -> None:
    if missing := missing_programs():
        sys.exit(f"Not installed: {', '.join(missing)}.")
    readers, seconds = int(os.environ.get("READERS", "100")), float(os.environ.get("SECONDS", "420"))
    plan = Plan(
        readers=readers,
        jobs=6,
        steps=600,
        rounds=50,
        think_s=1.0,
        fault_pause_s=2.0,
        long_stop_s=75,
        verdicts_a_fault=2,
        longest_s=seconds,
    )
    outcome = play(plan)
    write("faults", list(rows(outcome, plan)))
    for error in (*outcome.errors, *outcome.failures):
        print(error)
    if outcome.counts.wrong or outcome.errors or not outcome.is_verified:
        sys.exit(f"{outcome.log}\nWrong: {outcome.counts.wrong}; the record verifies: {outcome.is_verified}")


def rows(outcome: Outcome, plan: Plan) -> Iterator[tuple[str, float, str]]:
    counts = asdict(outcome.counts)
    first = {name: counts.pop(name) for name in ("acknowledged", "stored", "jobs_done")}
    for name, value in counts.items():
        yield MUST_BE_ZERO + name.replace("_", " "), value, ""
    yield MUST_BE_ZERO + "readers stopped by an error", len(outcome.errors), ""
    yield "the record verifies", float(outcome.is_verified), ""
    yield "readers", plan.readers, ""
    yield "seconds", outcome.seconds, "s"
    yield "verdicts acknowledged", first["acknowledged"], ""
    yield "verdicts stored", first["stored"], ""
    yield "jobs done", first["jobs_done"], f"of {plan.jobs}"
    for kind in (outcome.faults, outcome.spoilt, outcome.seen):
        for name, value in sorted(kind.items()):
            yield name, value, ""


if __name__ == "__main__":
    main()
