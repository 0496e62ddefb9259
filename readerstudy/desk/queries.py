"""What the desk shows: studies with their progress, what needs somebody today, and reported images."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.accounts.models import SignInLink, User
from readerstudy.invitations.models import Mail, MailState
from readerstudy.reading.models import CheckedDisplay, HoldCause, ImageProblem, ReadingSession
from readerstudy.studies.access import studies_of
from readerstudy.studies.lifecycle import UNDER_WAY, StudyStatus
from readerstudy.studies.models import (
    AnalysisExclusion,
    Enrollment,
    ReadingList,
    Study,
    Unblinding,
    UnblindingAssessment,
    UnsealingRequest,
)

DAYS_TO_BEGIN = 3  # afterwards a reader who has not begun is named
DAYS_BEFORE_EXPIRY = 3
LONGEST_WAIT = timedelta(minutes=10)  # of a mail; afterwards no worker may be sending mails


@dataclass(frozen=True)
class StudyLine:
    """One study with the sums over its readers."""

    study: Study
    readers: int
    answered: int
    total: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class Attention:
    """Something that needs a coordinator today."""

    text: str
    url: str


@dataclass(frozen=True)
class ReportedImage:
    """A reader's report of an image, named by the reader's own session and position. The image itself stays hidden."""

    number: int
    at: datetime
    reader: str
    session: int
    position: int
    text: str
    same_image: int  # reports of the same image in the same session, by any reader
    exclusion_reason: str  # empty: the image is analysed


def study_lines(person: User) -> list[StudyLine]:
    """Return the person's studies, the newest first, with the sums over the readers who take part; two queries."""
    rows: Any = (
        ReadingList.objects.filter(enrollment__study__in=studies_of(person), enrollment__withdrawn_at=None)
        .order_by()
        .values("enrollment__study")
        .annotate(
            readers=Count("enrollment", distinct=True),
            answered=Sum("session__answered"),
            total=Sum("session_plan__total"),
            first_at=Min("session__opened_at"),
            last_at=Max("session__finished_at"),
        )
    )
    sums: dict[int, dict[str, Any]] = {row["enrollment__study"]: row for row in rows}
    studies = studies_of(person).select_related("cohort").order_by("-created_at", "-pk")
    return [_study_line(study, sums.get(study.pk, {})) for study in studies]


def _study_line(study: Study, sums: dict[str, Any]) -> StudyLine:
    return StudyLine(
        study=study,
        readers=sums.get("readers") or 0,
        answered=sums.get("answered") or 0,
        total=sums.get("total") or 0,
        first_at=sums.get("first_at"),
        last_at=sums.get("last_at"),
    )


def attention(person: User, *, at: datetime) -> list[Attention]:
    """Return what needs the person today, over all their studies; the number of queries does not grow."""
    own = studies_of(person)
    return [
        *_held_sessions(own),
        *_reported(own),
        *_failed_checks(own),
        *_not_begun(own, at=at),
        *_expiring_links(own, at=at),
        *_unsent_mails(own, at=at),
        *_requests_to_unseal(own, person, at=at),
        *_unassessed(own),
    ]


def _study_url(code: str) -> str:
    return reverse("desk:study", args=[code])


def _held_sessions(own: QuerySet[Study]) -> Iterator[Attention]:
    held = ReadingSession.objects.filter(
        held_at__isnull=False,
        finished_at=None,
        reading_list__enrollment__study__status=StudyStatus.OPEN,
        reading_list__enrollment__study__in=own,
        reading_list__enrollment__withdrawn_at=None,
    ).values_list(
        "reading_list__enrollment__study__code",
        "reading_list__enrollment__code",
        "reading_list__session_plan__number",
        "held_for",
    )
    for study, reader, number, cause in held.order_by("held_at"):
        if cause == HoldCause.FILE:
            text = _(
                "Session %(number)s of reader %(reader)s was stopped: the file of its image is not the one that was "
                "drawn. Restore the file from a backup, then resume the session."
            )
        else:
            text = _("Session %(number)s of reader %(reader)s is on hold and waits for you to resume it.")
        yield Attention(f"{study}: {text % {'number': number, 'reader': reader}}", _study_url(study))


def _reported(own: QuerySet[Study]) -> Iterator[Attention]:
    undecided = (
        _problems().filter(excluded=False).exclude(presentation__reading_list__enrollment__study__is_rehearsal=True)
    )
    path = "presentation__reading_list__enrollment__study__code"
    sealed = undecided.filter(
        presentation__reading_list__enrollment__study__unsealed_at=None,
        presentation__reading_list__enrollment__study__in=own,
    )
    for study, count in sealed.order_by().values_list(path).annotate(Count("pk")).order_by(path):
        text = ngettext(
            "%(count)d report of a problem with an image.", "%(count)d reports of problems with images.", count
        )
        yield Attention(f"{study}: {text % {'count': count}}", reverse("desk:reported-images", args=[study]))


def _failed_checks(own: QuerySet[Study]) -> Iterator[Attention]:
    newest = CheckedDisplay.objects.filter(reading_list=OuterRef("pk")).order_by("-pk").values("passed")[:1]
    lists = (
        ReadingList.objects.filter(
            enrollment__study__status=StudyStatus.OPEN,
            enrollment__study__in=own,
            enrollment__withdrawn_at=None,
            session__finished_at=None,
        )
        .annotate(passed=Subquery(newest))
        .filter(passed=False)
    )
    rows = lists.values_list("enrollment__study__code", "enrollment__code", "session_plan__number")
    for study, reader, number in rows.order_by("enrollment__study__code", "pk"):
        text = _("The display of reader %(reader)s did not pass the check before session %(number)s.")
        yield Attention(f"{study}: {text % {'number': number, 'reader': reader}}", _study_url(study))


def _not_begun(own: QuerySet[Study], *, at: datetime) -> Iterator[Attention]:
    begun = ReadingSession.objects.filter(reading_list__enrollment=OuterRef("pk"))
    waiting = Enrollment.objects.filter(
        ~Exists(begun),
        study__status=StudyStatus.OPEN,
        study__in=own,
        enrolled_at__lt=at - timedelta(days=DAYS_TO_BEGIN),
        paused_at=None,
        withdrawn_at=None,
    )
    rows = waiting.order_by().values_list("study__code").annotate(Count("pk")).order_by("study__code")
    for study, count in rows:
        text = ngettext(
            "%(count)d reader has not begun within %(days)d days.",
            "%(count)d readers have not begun within %(days)d days.",
            count,
        )
        yield Attention(f"{study}: {text % {'count': count, 'days': DAYS_TO_BEGIN}}", _study_url(study))


def _expiring_links(own: QuerySet[Study], *, at: datetime) -> Iterator[Attention]:
    soon = SignInLink.objects.filter(
        Exists(Enrollment.objects.filter(study__in=own, reader=OuterRef("user"))),
        used_at=None,
        revoked_at=None,
        expires_at__gt=at,
        expires_at__lt=at + timedelta(days=DAYS_BEFORE_EXPIRY),
    )
    count = soon.count()
    if count:
        text = ngettext(
            "%(count)d unused sign-in link expires within %(days)d days.",
            "%(count)d unused sign-in links expire within %(days)d days.",
            count,
        )
        yield Attention(text % {"count": count, "days": DAYS_BEFORE_EXPIRY}, reverse("admin:accounts_user_changelist"))


def _unsent_mails(own: QuerySet[Study], *, at: datetime) -> Iterator[Attention]:
    newest = Mail.objects.filter(enrollment=OuterRef("enrollment")).order_by("-pk").values("pk")[:1]
    waits = Q(state__in=(MailState.QUEUED, MailState.SENDING), created_at__lt=at - LONGEST_WAIT)
    unsent = Mail.objects.filter(
        Q(state=MailState.FAILED) | waits,
        pk=Subquery(newest),
        enrollment__study__in=own,
        enrollment__study__status__in=UNDER_WAY,
        enrollment__withdrawn_at=None,
    )
    path = "enrollment__study__code"
    for study, count in unsent.order_by().values_list(path).annotate(Count("pk")).order_by(path):
        text = ngettext("%(count)d mail has not been sent.", "%(count)d mails have not been sent.", count)
        yield Attention(f"{study}: {text % {'count': count}}", reverse("desk:mails", args=[study]))


def _requests_to_unseal(own: QuerySet[Study], person: User, *, at: datetime) -> Iterator[Attention]:
    waiting = UnsealingRequest.objects.filter(study__in=own, outcome="", expires_at__gte=at).exclude(by=person)
    for study in waiting.order_by("study__code").values_list("study__code", flat=True):
        text = _("Its unsealing is requested and waits for another person to confirm it.")
        yield Attention(f"{study}: {text}", _study_url(study))


def _unassessed(own: QuerySet[Study]) -> Iterator[Attention]:
    assessed = UnblindingAssessment.objects.filter(study=OuterRef("study"), number=OuterRef("number"))
    rows = Unblinding.objects.filter(~Exists(assessed), study__in=own, revision=1).order_by()
    path = "study__code"
    for study, count in rows.values_list(path).annotate(Count("pk")).order_by(path):
        text = ngettext(
            "%(count)d unplanned unblinding is not assessed yet.",
            "%(count)d unplanned unblindings are not assessed yet.",
            count,
        )
        yield Attention(f"{study}: {text % {'count': count}}", reverse("desk:unblindings", args=[study]))


def _problems() -> Any:
    """Return the reports, annotated with whether their image is excluded and the reason."""
    reading_list = "presentation__reading_list"
    exclusions = AnalysisExclusion.objects.filter(
        withdrawn_at=None,
        allocation__session_plan=OuterRef(f"{reading_list}__session_plan"),
        allocation__arm=OuterRef(f"{reading_list}__enrollment__arm"),
        allocation__stimulus=OuterRef("presentation__stimulus"),
    )
    return ImageProblem.objects.annotate(
        excluded=Exists(exclusions), exclusion_reason=Subquery(exclusions.values("reason")[:1])
    )


def reported_images(study: Study) -> list[ReportedImage]:
    """Return the reports of a study, the newest first; two queries."""
    reading_list = "presentation__reading_list"
    reports = _problems().filter(**{f"{reading_list}__enrollment__study": study})
    same = {
        (row["stimulus"], row["plan"]): row["reports"]
        for row in ImageProblem.objects.filter(**{f"{reading_list}__enrollment__study": study})
        .order_by()
        .values(stimulus=F("presentation__stimulus"), plan=F(f"{reading_list}__session_plan"))
        .annotate(reports=Count("pk"))
    }
    rows = reports.select_related(f"{reading_list}__enrollment", f"{reading_list}__session_plan").order_by("-pk")
    return [
        ReportedImage(
            number=row.pk,
            at=row.at,
            reader=row.presentation.reading_list.enrollment.code,
            session=row.presentation.reading_list.session_plan.number,
            position=row.presentation.position,
            text=row.text,
            same_image=same[row.presentation.stimulus_id, row.presentation.reading_list.session_plan_id],
            exclusion_reason=row.exclusion_reason or "",
        )
        for row in rows
    ]
