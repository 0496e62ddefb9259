"""The images whose corners somebody has to look at for burned-in text, and who has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from readerstudy.accounts.models import User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Image
from readerstudy.studies.models import Study

LOOKED: Final = "corners.looked_at"


@dataclass(frozen=True)
class Look:
    """Who looked at the corners of how many images, and when."""

    by: User | None
    at: datetime
    images: int


def images_of(study: Study) -> "QuerySet[Image]":
    """Return every image of the study's cohort once, by patient: nothing of what is drawn or altered."""
    images = Image.objects.filter(exam__patient__cohort_id=study.cohort_id)
    return images.select_related("exam__patient").order_by("exam__patient__pseudonym", "fingerprint")


def last_look(study: Study) -> Look | None:
    """Return the last look at the corners; None if nobody has looked at all images that the cohort has now."""
    event = Event.objects.filter(verb=LOOKED, study=study.code).select_related("actor").order_by("-pk").first()
    if event is None or event.data["images"] != images_of(study).count():
        return None
    return Look(event.actor, event.at, event.data["images"])
