"""What is stored of a person, what an erasure would change, and what keeps it from being done."""

from dataclasses import dataclass
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.utils.translation import gettext as _

from readerstudy.accounts.models import ApiToken, SignInLink, User
from readerstudy.audit.models import Event
from readerstudy.invitations.models import Mail
from readerstudy.reading.models import Reading
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.lifecycle import FINISHED
from readerstudy.studies.models import Enrollment, StudyMember, UnsealingRequest

# Documents of a study and answers to its questions: they stay, also where they name somebody.
DOCUMENTS: Final = (
    ("studies_study", "title"),
    ("studies_study", "protocol_data"),
    ("studies_sessionplan", "instructions"),
    ("studies_sessionplan", "texts"),
    ("participation_consenttext", "texts"),
    ("participation_readerrules", "closing_texts"),
    ("reading_reading", "answers"),
    ("reading_closinganswers", "answers"),
)


@dataclass(frozen=True)
class Part:
    """A study in which the person has a code."""

    study: str
    code: str
    readings: int


@dataclass(frozen=True)
class Holdings:
    """What is stored of a person, in numbers; `texts`, `texts_by_last_name` and `documents` name them."""

    parts: tuple[Part, ...]
    events: int
    addresses: int
    mails: int
    sessions: int
    tokens: int
    links: int
    factors: int
    texts: int
    texts_by_last_name: int
    documents: int


def find_obstacles(person: User, actor: User | None) -> list[str]:
    """Return why the person cannot be erased now; empty if they can. `actor`: None at the server's terminal."""
    found = []
    if person.erased_at:
        return [_("This account is erased already.")]
    if person == actor:
        found.append(_("Nobody erases their own account; ask another superuser."))
    if person.is_superuser and not _other_superusers(person):
        found.append(_("This is the last superuser; make another one first."))
    reads = Enrollment.objects.filter(reader=person, withdrawn_at=None).exclude(study__status__in=FINISHED)
    for study, code in reads.order_by("study__code").values_list("study__code", "code"):
        sentence = _("The person is reader %(reader)s of %(study)s, which is not closed; withdraw them first.")
        found.append(sentence % {"reader": code, "study": study})
    for member in StudyMember.objects.filter(person=person, removed_at=None).select_related("study"):
        if member.study.members.filter(removed_at=None).count() == 1:
            sentence = _("The person is the last member of %(study)s; add another one first.")
            found.append(sentence % {"study": member.study.code})
    for request in UnsealingRequest.objects.filter(by=person, ended_at=None).select_related("study"):
        sentence = _("The person has requested the unsealing of %(study)s; end the request first.")
        found.append(sentence % {"study": request.study.code})
    return found


def _other_superusers(person: User) -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk).exists()


@sealed_work()
def holdings_of(person: User) -> Holdings:
    """Return what is stored of the person, and in how many texts somebody named them."""
    enrollments = Enrollment.objects.filter(reader=person).order_by("study__code").select_related("study")
    with connection.cursor() as cursor:
        cursor.execute("SELECT relation, col FROM privacy_texts()")
        texts = cursor.fetchall()
    label = f"{User._meta.label_lower}:{person.pk}"
    own, about = Event.objects.filter(actor=person), Event.objects.filter(subject=label).exclude(actor=person)
    return Holdings(
        parts=tuple(Part(each.study.code, each.code, _readings(each)) for each in enrollments),
        events=own.count() + about.count(),
        addresses=own.exclude(address=None).count() + about.filter(actor=None).exclude(address=None).count(),
        mails=Mail.objects.filter(person=person).count(),
        sessions=UserSession.objects.filter(user=person).count(),
        tokens=ApiToken.objects.filter(user=person).count(),
        links=SignInLink.objects.filter(user=person).count(),
        factors=Authenticator.objects.filter(user=person).count(),
        texts=_named(person, texts, with_last_name=False),
        texts_by_last_name=_named(person, texts, with_last_name=True),
        documents=_named(person, DOCUMENTS, with_last_name=True),
    )


def _readings(enrollment: Enrollment) -> int:
    return Reading.objects.filter(presentation__reading_list__enrollment=enrollment).count()


def _named(person: User, places: tuple[tuple[str, str], ...] | list[tuple[str, str]], *, with_last_name: bool) -> int:
    """Return in how many values of these columns the person is named; mails to the person do not count."""
    found = 0
    with connection.cursor() as cursor:
        for table, column in places:
            mine = f"AND person_id <> {person.pk:d}" if table == Mail._meta.db_table else ""
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ~ privacy_pattern(%s, %s) {mine}',
                [person.pk, with_last_name],
            )
            found += cursor.fetchone()[0]
    return found
