"""Tasks for workers of the tests: one leaves a file behind, two count slowly and go on where they were killed."""

import time
from pathlib import Path
from typing import Any

from celery import shared_task

from models_ml.runs.folder import owned_folder, replace_file
from readerstudy.jobs.queue import ReportProgress, perform
from readerstudy.results.progress import Activity, ActivityKind


@shared_task(name="tests.leave_a_note")
def leave_a_note(path: str, text: str) -> None:
    """Write whole or not at all, so that a process that waits for the file reads all of it."""
    draft = Path(path).with_suffix(".part")
    draft.write_text(text)
    draft.rename(path)


@shared_task(name="tests.count_slowly")
def count_slowly(job_id: int) -> None:
    """Parameters: to, saved (a file with the number reached so far)."""
    perform(job_id, _count_slowly)


def _count_slowly(parameters: dict[str, Any], report: ReportProgress) -> dict[str, int]:
    saved = Path(parameters["saved"])
    began = int(saved.read_text()) if saved.exists() else 0
    for number in range(began + 1, parameters["to"] + 1):
        time.sleep(0.05)
        leave_a_note(str(saved), str(number))
        report(number, parameters["to"], Activity(ActivityKind.READING_IMAGES), {"share": number / parameters["to"]})
    return {"began": began, "counted": parameters["to"]}


@shared_task(name="tests.own_and_count")
def own_and_count(job_id: int) -> None:
    """Parameters: to, folder. As a training does: it owns its folder, saves each step, and traces each save."""
    perform(job_id, _own_and_count)


def _own_and_count(parameters: dict[str, Any], report: ReportProgress) -> dict[str, int]:
    folder = Path(parameters["folder"])
    with owned_folder(folder):
        saved = folder / "saved"
        began = int(saved.read_text()) if saved.exists() else 0
        for number in range(began + 1, parameters["to"] + 1):
            time.sleep(0.05)
            replace_file(saved, lambda path, number=number: path.write_text(str(number)))
            with (folder / "trace").open("a") as trace:
                trace.write(f"{number}\n")
            report(number, parameters["to"], Activity(ActivityKind.TRAINING_CLASSIFIER), {"loss": 1 / number})
    return {"began": began, "counted": parameters["to"]}
