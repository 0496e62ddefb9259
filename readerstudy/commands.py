"""Base of all management commands: error messages instead of tracebacks, a progress bar, --json."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from readerstudy.configuration.start_checks import require_migrated
from readerstudy.errors import StudyError
from readerstudy.outage import is_outage

Advance = Callable[[int, int, str], None]
MAXIMUM_SEED = 2**62


class StudyCommand(BaseCommand):
    """A thin adapter of one action. The exit code is 0 only if everything succeeded."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print the result for programs")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except StudyError as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, InterfaceError) as error:
            if is_outage(error):
                raise CommandError(f"The database does not answer: {str(error).strip()}") from error
            require_migrated()  # has the sentence if a table or column is missing
            raise

    def show(self, result: Any, text: str, *, as_json: bool) -> None:
        """Print the result: as JSON for programs, as text for people."""
        self.stdout.write(json.dumps(result, indent=2, default=str) if as_json else text)

    @contextmanager
    def bar(self, title: str) -> Iterator[Advance]:
        """Yield a function that moves a progress bar on standard error: (done, total, note)."""
        with progress_bar(title) as advance:
            yield advance


def seed(text: str) -> int:
    """Return a seed given on the command line: a whole number from 0 to 2**62, which the database can store."""
    if not text.isdecimal() or int(text) > MAXIMUM_SEED:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**62.")
    return int(text)


@contextmanager
def progress_bar(title: str) -> Iterator[Advance]:
    """Yield a function that moves a bar with elapsed and remaining time; without a terminal it prints every 10 %."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _Lines(console, title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None, note="")
        yield lambda done, total, note: progress.update(task, completed=done, total=total, note=note)


class _Lines:
    """Prints progress for logs and pipes."""

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.title, self.tenth = console, title, 0
        console.print(f"{title} ...", highlight=False)

    def __call__(self, done: int, total: int, note: str) -> None:
        tenth = 10 * done // total if total else 0
        self.tenth = min(self.tenth, tenth)  # a job has several stages, such as reading images and training
        if tenth > self.tenth:
            self.tenth = tenth
            self.console.print(f"{self.title}: {10 * tenth} % {note}".rstrip(), highlight=False)
