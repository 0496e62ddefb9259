"""The images whose corners somebody has to look at for burned-in text, and who has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

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
    """Return every image of the study's cohort once: nothing of what is drawn or altered."""
    return Image.objects.filter(exam__patient__cohort_id=study.cohort_id)


@dataclass(frozen=True)
class Square:
    """An image on the sheets. `code` names it there and nowhere else."""

    code: str
    image: int


def squares_of(study: Study) -> list[Square]:
    """Return the images in the order of the sheets, that of their codes, which are keyed hashes.

    Keys, pseudonyms and fingerprints are in the order of imports, and synthetic images are imported last; beside a
    picture they would tell which it is.
    """
    keys = images_of(study).values_list("pk", flat=True)
    return sorted((Square(_code(study, key), key) for key in keys), key=lambda square: square.code)


def _code(study: Study, image: int) -> str:
    return salted_hmac("readerstudy.corners", f"{study.code}:{image}", algorithm="sha256").hexdigest()[:10]


def last_look(study: Study) -> Look | None:
    """Return the last look at the corners; None if nobody has looked at all images that the cohort has now."""
    event = Event.objects.filter(verb=LOOKED, study=study.code).select_related("actor").order_by("-pk").first()
    if event is None or event.data["images"] != images_of(study).count():
        return None
    return Look(event.actor, event.at, event.data["images"])
