"""What follows a transaction and must not undo it: signatures of logs, mails, messages to other systems."""

from collections.abc import Callable
from typing import ParamSpec

from django.db import transaction

Given = ParamSpec("Given")


def after_commit(act: Callable[Given, object], *args: Given.args, **kwargs: Given.kwargs) -> None:
    """Call `act` with these arguments once the running transaction is committed; its failure is logged only."""

    # A function of its own: Django names it in the log, and fails itself if that is a partial.
    def follow() -> None:
        act(*args, **kwargs)

    follow.__qualname__ = getattr(act, "__qualname__", repr(act))
    transaction.on_commit(follow, robust=True)
