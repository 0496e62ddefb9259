"""Queries for the pages on the people of a study: invitations, states of links, mails."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import LinkState, SignInLink
from readerstudy.invitations.models import Mail, MailState
from readerstudy.participation.queries import ReaderConsent, consents_of
from readerstudy.studies.models import Enrollment, Study


class PersonState(TextChoices):
    """The state of a reader's newest link, together with the mail that contains it."""

    NOT_SENT = "not_sent", _("Not sent")
    BY_HAND = "by_hand", _("To be sent by hand")
    FAILED = "failed", _("Sending failed")
    SENT = "sent", _("Sent")
    OPENED = "opened", _("Opened")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


@dataclass(frozen=True)
class InvitedPerson:
    """One reader of a study, as the page on its people shows them."""

    enrollment: Enrollment
    state: PersonState
    link: SignInLink | None
    mail: Mail | None  # the newest about this study
    consent: ReaderConsent

    @property
    def is_unused(self) -> bool:
        """Whether there is a link that can be revoked."""
        return self.link is not None and not self.link.used_at and not self.link.revoked_at


def list_people(study: Study, *, at: datetime) -> list[InvitedPerson]:
    """Return the enrolled readers of a study by reader code, each with their newest link and mail."""
    newest_link = SignInLink.objects.filter(user=OuterRef("reader")).order_by("-pk").values("pk")[:1]
    newest_mail = Mail.objects.filter(enrollment=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = list(
        Enrollment.objects.filter(study=study)
        .select_related("reader", "invitation", "replaces")
        .annotate(link_pk=Subquery(newest_link), mail_pk=Subquery(newest_mail))
        .order_by("pk")
    )
    consents = consents_of(study, [row.pk for row in rows])
    links = SignInLink.objects.in_bulk([row.link_pk for row in rows if row.link_pk])
    mails = Mail.objects.select_related("person").in_bulk([row.mail_pk for row in rows if row.mail_pk])
    # A reader may be in several studies: the mail with the newest link need not be about this one.
    sent_with = {mail.link_id: mail for mail in Mail.objects.filter(link__in=links)}
    return [
        InvitedPerson(
            enrollment=row,
            state=_state(
                links.get(row.link_pk),
                sent_with.get(row.link_pk) if row.link_pk else mails.get(row.mail_pk),
                at=at,
            ),
            link=links.get(row.link_pk),
            mail=mails.get(row.mail_pk),
            consent=consents[row.pk],
        )
        for row in rows
    ]


def _state(link: SignInLink | None, mail: Mail | None, *, at: datetime) -> PersonState:
    if link is None:
        return PersonState.FAILED if mail and mail.state == MailState.FAILED else PersonState.NOT_SENT
    state = link.state(at=at)
    if state is not LinkState.NEW:
        return PersonState(state.value)
    match mail.state if mail else None:
        case MailState.SENT:
            return PersonState.SENT
        case MailState.FAILED:
            return PersonState.FAILED
        case MailState.QUEUED | MailState.SENDING:
            return PersonState.NOT_SENT
        case _:  # made in the administration, or a text to copy
            return PersonState.BY_HAND


def list_mails(study: Study) -> QuerySet[Mail]:
    """Return the mails to the readers of a study, the newest first."""
    return Mail.objects.filter(enrollment__study=study).select_related("person", "created_by").order_by("-pk")
