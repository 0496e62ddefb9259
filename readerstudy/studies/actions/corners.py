"""The statement of a person that the corners of all images were looked at."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import StudyError
from readerstudy.studies.corners import LOOKED, images_of
from readerstudy.studies.models import Study


@transaction.atomic
def confirm_corners(*, study: Study, images: int, actor: User, at: datetime) -> None:
    """Record that the actor looked at the corners of `images` images, as many as the page showed.

    Raises StudyError if the cohort has another number of images, or none.
    """
    if images < 1 or images != images_of(study).count():
        raise StudyError(_("The cohort has other images now. Look at the corners again."))
    record(LOOKED, actor=actor, subject=study, at=at, images=images)
