"""Two imports into one cohort at the same time, on two connections."""

from threading import Thread

import pytest
from django.db import connection

from readerstudy.cohort.import_lock import only_import_into
from readerstudy.cohort.importing import ImportResult
from readerstudy.cohort.models import Cohort, Image
from readerstudy.errors import StudyError
from readerstudy.truth.actions import import_cohort
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small")]


def bring(name: str, progress=lambda done, total: None) -> ImportResult:
    values = {"seed": 1, "at": make.MONDAY, "resolutions": ("low",), "processes": 1}
    return import_cohort(name, make.found(4), progress=progress, **values)


def on_another_connection(work) -> list[object]:
    """Do the work in a thread and return its result, or the error that it raised."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except StudyError as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return outcome


def test_a_second_import_into_the_cohort_is_refused_while_one_runs():
    outcomes: list[object] = []

    def meanwhile(done: int, total: int) -> None:
        if done == 3:
            outcomes.extend(on_another_connection(lambda: bring("films")))
            outcomes.extend(on_another_connection(lambda: bring("other-films")))

    assert bring("films", meanwhile).images_new == 8
    refused, other = outcomes
    assert str(refused) == ("Another import into the cohort films is running. Start this one again when it has ended.")
    assert other.images_new == 8, "another cohort has a lock of its own"
    assert Image.objects.filter(exam__patient__cohort__name="films").count() == 8
    (again,) = on_another_connection(lambda: bring("films"))
    assert (again.images_new, again.images_known) == (0, 8)


def test_an_import_that_fails_leaves_no_lock_behind():
    def fail(done: int, total: int) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        bring("films", fail)
    (result,) = on_another_connection(lambda: bring("films"))
    assert result.images_new == 8


def test_the_lock_of_a_lost_connection_is_released():
    cohort = make.cohort(patients=1)

    def take_and_vanish() -> None:
        only_import_into(cohort).__enter__()

    on_another_connection(take_and_vanish)
    with only_import_into(Cohort.named(cohort.name)):
        (refused,) = on_another_connection(lambda: bring(cohort.name))
    assert isinstance(refused, StudyError)
