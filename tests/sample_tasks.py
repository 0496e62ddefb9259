"""A task for the worker of test_embedded.py: it leaves a file behind."""

from pathlib import Path

from celery import shared_task


@shared_task(name="tests.leave_a_note")
def leave_a_note(path: str, text: str) -> None:
    """Write whole or not at all, so that whoever waits for the file reads all of it."""
    draft = Path(path).with_suffix(".part")
    draft.write_text(text)
    draft.rename(path)
