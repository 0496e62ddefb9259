"""Two people make a move of the same study at the same time: it is made once, and recorded once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from readerstudy.audit.models import Event
from readerstudy.studies.actions import (
    archive_study,
    close_study,
    open_study,
    pause_study,
    resume_study,
    unlock_study,
)
from readerstudy.studies.models import Study, WrongStatus
from readerstudy.truth.actions import lock_study, unseal_study
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
AT = {"actor": None, "at": make.MONDAY}
WHY = {**AT, "reason": "It is time."}
Act = Callable[[Study], Any]


def pause(study: Study) -> None:
    pause_study(study=study, **WHY)


def resume(study: Study) -> None:
    resume_study(study=study, **AT)


def close(study: Study) -> None:
    close_study(study=study, **WHY)


def unseal(study: Study) -> None:
    unseal_study(study=study, **WHY)


def archive(study: Study) -> None:
    archive_study(study=study, **WHY)


def unlock(study: Study) -> None:
    unlock_study(study=study, **WHY)


def lock(study: Study) -> None:
    lock_study(study=study, **AT)


def open_again(study: Study) -> None:
    open_study(study=study, **AT)


def at_once(study: Study, *acts: Act) -> list[type[Exception] | None]:
    """Make the moves at the same time, each on a connection and an object of its own; return their errors or None."""
    ready = Barrier(len(acts))

    def run(act: Act) -> type[Exception] | None:
        own = Study.objects.get(pk=study.pk)
        ready.wait(timeout=60)
        try:
            act(own)
        except WrongStatus as error:
            return type(error)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.parametrize(
    ("before", "act", "status", "verb"),
    [
        ((), pause, "paused", "study.paused"),
        ((pause,), resume, "open", "study.resumed"),
        ((), close, "closed", "study.closed"),
        ((pause,), close, "closed", "study.closed"),
        ((), unlock, "draft", "study.unlocked"),
        ((unlock,), lock, "locked", "study.locked"),
        ((unlock, lock), open_again, "open", "study.opened"),
        ((close,), unseal, "unsealed", "study.unsealed"),
        ((close, unseal), archive, "archived", "study.archived"),
    ],
)
def test_of_two_who_make_the_same_move_one_is_refused(small, before, act, status, verb):
    study = make.study()
    for step in before:
        step(study)
    earlier = Event.objects.filter(verb=verb).count()
    assert sorted(at_once(study, act, act), key=str) == sorted([None, WrongStatus], key=str)
    study.refresh_from_db()
    assert study.status == status
    assert Event.objects.filter(verb=verb).count() == earlier + 1


def test_of_a_closing_and_an_unlocking_one_is_refused(small):
    study = make.study()
    errors = at_once(study, close, unlock)
    study.refresh_from_db()
    assert {"closed": [None, WrongStatus], "draft": [WrongStatus, None]}[study.status] == errors
