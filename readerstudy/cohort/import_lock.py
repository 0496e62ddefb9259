"""One import into a cohort at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils.translation import gettext as _

from readerstudy.cohort.models import Cohort
from readerstudy.errors import StudyError

_KEY = "hashtextextended('cohort.import', %s)"  # the name, with the cohort's key as the seed of its hash


@contextmanager
def only_import_into(cohort: Cohort) -> Iterator[None]:
    """Hold the cohort's import lock. Raises StudyError at once if another connection holds it.

    An import compares new images with those stored before it began. Two at the same time would not see each other's
    images, and copies could lie in two splits. It commits several times, so the lock belongs to the connection, not to
    a transaction; the database releases it if the connection ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_KEY})", [cohort.pk])
        (is_held,) = cursor.fetchone()
    if not is_held:
        message = _("Another import into the cohort %(cohort)s is running. Start this one again when it has ended.")
        raise StudyError(message % {"cohort": cohort.name})
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({_KEY})", [cohort.pk])
