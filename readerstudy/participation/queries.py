"""Queries about consent, characteristics, messages and the end of a study for its readers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.participation.models import Consent, ConsentText, MessageDelivery, ReaderRules
from readerstudy.studies.models import Enrollment, Study


class ConsentState(TextChoices):
    """Whether a reader has agreed to what the study asks them to."""

    NOT_ASKED = "not_asked", _("Not asked")
    MISSING = "missing", _("Missing")
    OUTDATED = "outdated", _("To an earlier version")
    GIVEN = "given", _("Given")


@dataclass(frozen=True)
class ReaderConsent:
    """The consent of one reader: its state, and the newest version that they agreed to."""

    state: ConsentState
    version: int | None = None
    at: datetime | None = None


def newest_text(study: Study) -> ConsentText | None:
    """Return the version that readers are asked to agree to now; None if the study has no text."""
    return ConsentText.objects.filter(study=study).order_by("-version").first()


def consents_of(study: Study, enrollments: Collection[int]) -> dict[int, ReaderConsent]:
    """Return the consent of each of these enrolments, by their keys; two queries."""
    text = newest_text(study)
    given: dict[int, Consent] = {}
    for consent in Consent.objects.filter(enrollment__in=enrollments).select_related("text").order_by("text__version"):
        given[consent.enrollment_id] = consent
    return {key: _consent(text, given.get(key)) for key in enrollments}


def consent_of(enrollment: Enrollment) -> ReaderConsent:
    """Return the consent of one reader."""
    return consents_of(enrollment.study, [enrollment.pk])[enrollment.pk]


def _consent(text: ConsentText | None, given: Consent | None) -> ReaderConsent:
    state = consent_state(newest=text.version if text else None, agreed=given.text.version if given else None)
    return ReaderConsent(state, given.text.version, given.at) if given else ReaderConsent(state)


def consent_state(*, newest: int | None, agreed: int | None) -> ConsentState:
    """Return the state from the newest version of the text and the newest that the reader agreed to; None: none."""
    if newest is None:
        return ConsentState.NOT_ASKED
    if agreed is None:
        return ConsentState.MISSING
    return ConsentState.GIVEN if agreed == newest else ConsentState.OUTDATED


def lacks_consent(enrollment: Enrollment) -> bool:
    """Whether the study needs a consent that the reader has not given; then no session opens."""
    is_given = consent_of(enrollment).state in (ConsentState.GIVEN, ConsentState.NOT_ASKED)
    return not is_given and ReaderRules.of(enrollment.study).consent_required


def unread_messages(reader: User) -> QuerySet[MessageDelivery]:
    """Return the messages that the reader has not read, the oldest first."""
    rows = MessageDelivery.objects.filter(enrollment__reader=reader, read_at=None)
    return rows.select_related("message__study", "message__sent_by").order_by("pk")
