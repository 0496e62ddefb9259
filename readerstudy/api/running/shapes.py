"""Requests and responses of running a study."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from readerstudy.accounts.links import DAYS, LONGEST_DAYS
from readerstudy.api.serializers import Shape
from readerstudy.desk.monitor import SessionState
from readerstudy.invitations.actions import Outcome
from readerstudy.invitations.invitees import MAXIMUM_ADDRESS, MAXIMUM_NAME
from readerstudy.invitations.models import MailKind, MailState
from readerstudy.invitations.queries import PersonState
from readerstudy.participation.queries import ConsentState
from readerstudy.studies.actions.moves import LONGEST_REASON
from readerstudy.studies.models import WithdrawalCause
from readerstudy.vocabulary import Pathology, Split


def reason_field(**options: Any) -> serializers.CharField:
    """Return the field of a reason; an empty one is refused by the action, where one is needed."""
    return serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True, default="", **options)


def language_field() -> serializers.ChoiceField:
    """Return the field of the language of mails."""
    return serializers.ChoiceField(choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)


# --- drafts and moves -------------------------------------------------------------------------------------------------
class NewStudy(Shape):
    """A study to create as a draft."""

    code = serializers.CharField(max_length=64)
    title = serializers.CharField(max_length=120, help_text="as readers see it")
    cohort = serializers.CharField(help_text="name")
    protocol = serializers.CharField(
        trim_whitespace=False, max_length=300_000, help_text="text of a protocol file (YAML)"
    )


class ProtocolText(Shape):
    """The protocol of a study as a file."""

    protocol = serializers.CharField(help_text="YAML, as docs/reference/protocol-file.md describes it")
    design_sha256 = serializers.CharField(help_text="of title, cohort and protocol; name it as `base` of a change")


class ProtocolRequest(Shape):
    """A protocol that replaces that of a draft."""

    protocol = serializers.CharField(trim_whitespace=False, max_length=300_000)
    base = serializers.CharField(
        required=False, help_text="`design_sha256` of the draft that was edited; another one is not overwritten"
    )


class ChecklistLine(Shape):
    """One sentence of the checklist, and where its subject is mended."""

    place = serializers.CharField(help_text="the field, such as `sessions-3-real`; may be empty")
    label: Any = serializers.CharField(help_text="the field in words; may be empty")
    sentence = serializers.CharField()


class SessionTimeLine(Shape):
    """The expected length of a session."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    minutes = serializers.IntegerField()


class ChecklistAnswer(Shape):
    """What keeps the draft from being locked, advice, and expected times."""

    can_be_locked = serializers.BooleanField()
    design_sha256 = serializers.CharField(help_text="of the draft that was checked; name it as `base` to lock it")
    obstacles = ChecklistLine(many=True)
    advice = ChecklistLine(many=True, help_text="keeps nothing from being locked")
    times = SessionTimeLine(many=True)
    time_sentence = serializers.CharField()
    files = serializers.IntegerField(help_text="image files that locking rewrites; many of them are rewritten by a job")


class MoveLine(Shape):
    """One move that the person may make now."""

    name = serializers.CharField()
    title = serializers.CharField()
    consequence = serializers.CharField()
    asks_reason = serializers.BooleanField()


class MoveRequest(Shape):
    """What a move asks."""

    reason = reason_field(help_text="for the moves that ask one; stored with the study")
    base = serializers.CharField(required=False, default="", help_text="to lock: `design_sha256` of the checklist")


class JobStarted(Shape):
    """The job that carries it out."""

    job = serializers.IntegerField(help_text="follow it at `jobs/{id}/`")


# --- readers ----------------------------------------------------------------------------------------------------------
class ReaderActRequest(Shape):
    """What an act on a reader asks."""

    reason = reason_field(help_text="stored with the reader")
    session = serializers.IntegerField(
        min_value=1, max_value=9999, required=False, default=0, help_text="number, for `early` and `continue`"
    )
    cause = serializers.ChoiceField(
        choices=WithdrawalCause.choices, default=WithdrawalCause.STUDY_TEAM, help_text="for `withdraw`"
    )


class MonitoredSession(Shape):
    """One reader in one session, without verdicts."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[state.value for state in SessionState])
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)
    opens_at = serializers.DateTimeField(allow_null=True, help_text="while the washout lasts")
    pace_s = serializers.FloatField(allow_null=True, help_text="median seconds of the last 20 images")
    is_too_quick = serializers.BooleanField()
    display_failed = serializers.BooleanField()
    waits = serializers.IntegerField(help_text="of the last images, those delayed by the reader's connection")
    breaks = serializers.IntegerField(help_text="returns after a longer gap")


class MonitoredReader(Shape):
    """One reader, as the monitor shows them."""

    code = serializers.CharField()
    name = serializers.CharField()
    sessions = MonitoredSession(many=True)
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    last_seen = serializers.DateTimeField(allow_null=True)
    consent = serializers.ChoiceField(choices=ConsentState.choices)
    lacks_consent = serializers.BooleanField(help_text="and therefore opens no session")
    paused_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.CharField(help_text="code of the replacement, may be empty")


class MonitorAnswer(Shape):
    """The figures of the monitor at a moment."""

    at = serializers.DateTimeField()
    reports = serializers.IntegerField(help_text="of problems with images")
    readers = MonitoredReader(many=True)


class ReportLine(Shape):
    """A reader's report of a problem, by the reader's own session and position; the image stays hidden."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    reader = serializers.CharField()
    session = serializers.IntegerField()
    position = serializers.IntegerField()
    text = serializers.CharField()
    same_image = serializers.IntegerField(help_text="reports of this image in this session, by any reader")
    exclusion_reason = serializers.CharField(help_text="empty: the image is analysed")


# --- people and mails -------------------------------------------------------------------------------------------------
class MailLine(Shape):
    """One mail, without its link."""

    number = serializers.IntegerField(source="pk")
    user = serializers.CharField(source="person.username")
    address = serializers.CharField()
    kind = serializers.ChoiceField(choices=MailKind.choices)
    state = serializers.ChoiceField(choices=MailState.choices)
    error = serializers.CharField(help_text="of the last attempt, may be empty")
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="of the next attempt")
    was_interrupted = serializers.BooleanField(help_text="the mail may arrive twice")
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    subject = serializers.CharField()


class LetterLine(MailLine):
    """One mail that was just written."""

    text = serializers.CharField(
        help_text="only of a mail to be sent by hand: it holds the sign-in link, which is stored nowhere"
    )


class InvitedLine(Shape):
    """One reader with their newest link and mail."""

    code = serializers.CharField(source="enrollment.code")
    user = serializers.CharField(source="enrollment.reader.username")
    name = serializers.CharField(source="enrollment.reader.get_full_name")
    address = serializers.CharField(source="enrollment.reader.email")
    link = serializers.ChoiceField(source="state", choices=PersonState.choices)
    consent = serializers.ChoiceField(source="consent.state", choices=ConsentState.choices)
    last_sign_in = serializers.DateTimeField(source="enrollment.reader.last_login", allow_null=True)
    mail = MailLine(allow_null=True)


class InviteRequest(Shape):
    """A list of people to invite."""

    people = serializers.CharField(
        max_length=200_000, trim_whitespace=False, help_text="one person on each line, such as `Ruth Ott <ruth@…>`"
    )
    language = language_field()
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, default=DAYS, help_text="of the links")
    overridden = serializers.ListField(
        child=serializers.EmailField(),
        default=list,
        max_length=500,
        help_text="addresses of people who may see images again that other studies show them",
    )
    override_reason = reason_field(help_text="needed with `overridden`")
    only_check = serializers.BooleanField(default=False, help_text="say what would happen; change nothing")


class PlannedLine(Shape):
    """What happens to one person of a list."""

    line = serializers.IntegerField(source="invitee.line")
    address = serializers.CharField(source="invitee.address")
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    reason = serializers.CharField()
    may_override = serializers.BooleanField()


class ProblemLine(Shape):
    """One line that cannot be used."""

    line = serializers.IntegerField()
    text = serializers.CharField()
    message = serializers.CharField()


class InviteAnswer(Shape):
    """What happened, or would happen, to each line of a list."""

    people = PlannedLine(many=True)
    problems = ProblemLine(many=True)
    letters = LetterLine(many=True)


class LinkRequest(Shape):
    """A new link for a reader, which replaces the earlier one."""

    kind = serializers.ChoiceField(
        choices=[MailKind.INVITATION.value, MailKind.REMINDER.value], default=MailKind.INVITATION.value
    )
    by_hand = serializers.BooleanField(default=False, help_text="return the text instead of sending it")


class ReplacementRequest(Shape):
    """Who takes the place of a withdrawn reader."""

    first_name = serializers.CharField(max_length=MAXIMUM_NAME, required=False, allow_blank=True, default="")
    last_name = serializers.CharField(max_length=MAXIMUM_NAME)
    address = serializers.EmailField(max_length=MAXIMUM_ADDRESS)
    language = language_field()
    override_reason = reason_field(help_text="why the person may see images again that another study shows them")


# --- cohorts ----------------------------------------------------------------------------------------------------------
class PathologyCounts(Shape):
    """Images of one pathology, by split."""

    pathology = serializers.ChoiceField(choices=[word.value for word in Pathology])
    splits = serializers.DictField(child=serializers.IntegerField(), help_text=", ".join(Split))
    total = serializers.IntegerField()


class AttackCount(Shape):
    """Adversarial images of one attack."""

    attack = serializers.CharField()
    images = serializers.IntegerField()


class CohortAnswer(Shape):
    """One cohort: counts only."""

    name = serializers.CharField()
    modality = serializers.CharField()
    resolutions = serializers.ListField(child=serializers.CharField())
    is_drawn = serializers.BooleanField(help_text="a computer drew the images; the reading page says so")
    created_at = serializers.DateTimeField()
    patients = serializers.IntegerField()
    images = serializers.IntegerField()
    splits = serializers.DictField(child=serializers.IntegerField(), help_text="images by split")
    pathologies = PathologyCounts(many=True)
    attacks = AttackCount(many=True)
    studies = serializers.ListField(child=serializers.CharField(), help_text="codes of those that you take part in")
