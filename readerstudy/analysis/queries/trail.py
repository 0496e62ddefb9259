"""Events of the audit trail: names of subjects, and who did what."""

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.studies.models import ReadingList, Study


def subject_of(row: Study | Cohort | ReadingList) -> str:
    """Return the name under which `audit.actions.record` stores events of this row."""
    return f"{row._meta.label_lower}:{row.pk}"


def last_actor(row: Study, verb: str) -> str:
    """Return the name of the person of the last such event, or "" for the server's terminal."""
    event = Event.objects.filter(verb=verb, subject=subject_of(row)).select_related("actor").order_by("-id").first()
    return person_name(event.actor) if event else ""


def person_name(person: User | None) -> str:
    """Return the full name, or the user name without one; "" for nobody."""
    return (person.get_full_name() or person.username) if person else ""
