"""Drafts: a study is designed, edited and rehearsed before anything is drawn."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput, StudyError
from readerstudy.names import MAXIMUM_LENGTH, require_name
from readerstudy.protocol.document import Protocol
from readerstudy.studies.actions.members import add_member
from readerstudy.studies.lifecycle import EDITABLE, StudyStatus
from readerstudy.studies.models import Study, WrongStatus

# The codes of rehearsals and audits append to the code of their study.
LONGEST_COPY = MAXIMUM_LENGTH
LONGEST_CODE = MAXIMUM_LENGTH - len("-rehearsal-audit-9999")
LONGEST_TITLE, LONGEST_TITLE_OF_COPY = 120, 160
# Codes stand in addresses of the desk, where these mean something else.
RESERVED_CODES = ("new",)


class ChangedMeanwhile(StudyError):
    """Somebody else changed the draft since it was loaded."""


@transaction.atomic
def draft_study(
    *,
    code: str,
    title: str,
    cohort: Cohort,
    protocol: Protocol,
    actor: User | None,
    at: datetime,
    is_rehearsal: bool = False,
) -> Study:
    """Create a draft: a study without seed and lists, whose protocol can be edited until it is locked.

    The actor becomes its first member, with the role of the account.

    Raises BadInput, with the location, for a code, a title or a protocol that breaks a rule.
    """
    require_name(code, label=_("code"), maximum=LONGEST_COPY if is_rehearsal else LONGEST_CODE)
    if code in RESERVED_CODES:
        raise BadInput("code: " + _("%(code)s is an address of the desk; choose another.") % {"code": repr(code)})
    _require_title(title, longest=LONGEST_TITLE_OF_COPY if is_rehearsal else LONGEST_TITLE)
    protocol.check()
    if Study.objects.filter(code=code).exists():
        raise BadInput(_("There is a study with the code %(code)s already; choose another.") % {"code": repr(code)})
    study = Study.objects.create(
        code=code,
        title=title,
        template=protocol.template,
        cohort=cohort,
        protocol_data=protocol.as_data(),
        is_rehearsal=is_rehearsal,
        created_at=at,
    )
    if actor is not None and not actor.is_reader:
        add_member(study=study, person=actor, role=Role(actor.role), actor=actor, at=at)
    record("study.created", actor=actor, subject=study, at=at, scale=protocol.scale, protocol_sha256=protocol.hash)
    return study


@transaction.atomic
def edit_draft(
    *,
    study: Study,
    actor: User | None,
    at: datetime,
    protocol: Protocol | None = None,
    title: str | None = None,
    cohort: Cohort | None = None,
    base: str | None = None,
) -> None:
    """Change a draft. A rehearsed study returns to draft if its protocol or its cohort changes.

    `base` is the `Study.design_sha256` that was edited. Raises ChangedMeanwhile if the draft has another one by now,
    WrongStatus once the study is locked, BadInput for a protocol or a title that breaks a rule.
    """
    draft = _editable(study)
    changes: dict[str, Any] = {}
    if title is not None and title != draft.title:
        _require_title(title, longest=LONGEST_TITLE)
        changes["title"] = title
    if cohort is not None and cohort != draft.cohort:
        changes["cohort"] = cohort
    if protocol is not None and protocol.as_data() != draft.protocol_data:
        protocol.check()
        changes |= {"protocol_data": protocol.as_data(), "template": protocol.template}
    if not changes:
        return  # also for a request that is sent a second time
    if base is not None and base != draft.design_sha256:
        raise ChangedMeanwhile(_("The draft %(code)s was changed by somebody else meanwhile.") % {"code": draft.code})
    if draft.status == StudyStatus.REHEARSED and changes.keys() != {"title"}:
        draft.return_to_draft()
    Study.objects.filter(pk=draft.pk).update(**changes)
    study.refresh_from_db()
    details = {"protocol_sha256": protocol.hash} if protocol and "protocol_data" in changes else {}
    record("study.edited", actor=actor, subject=study, at=at, changed=sorted(changes), **details)


@transaction.atomic
def mark_rehearsed(*, study: Study, rehearsal: Study, actor: User | None, at: datetime) -> None:
    """Note that a rehearsal of the draft ended well.

    Raises StudyError if the study is not a draft, or if the rehearsal is unfinished or followed another protocol.
    """
    draft = _editable(study)
    if not (rehearsal.is_rehearsal and rehearsal.shows_verdicts):
        raise StudyError(_("%(code)s is not a finished rehearsal.") % {"code": rehearsal.code})
    if (rehearsal.protocol_data, rehearsal.cohort_id) != (draft.protocol_data, draft.cohort_id):
        raise StudyError(_("The protocol was changed after the rehearsal %(code)s.") % {"code": rehearsal.code})
    draft.mark_rehearsed(at=at)
    study.refresh_from_db()
    record("study.rehearsed", actor=actor, subject=study, at=at, rehearsal=rehearsal.code)


@transaction.atomic
def delete_draft(*, study: Study, actor: User | None, at: datetime) -> None:
    """Delete a study that was never locked, with its enrolments.

    Raises WrongStatus if it is locked, StudyError if it was locked before or audited: such records are kept.
    """
    draft = _editable(study)
    if draft.draws.exists():
        raise StudyError(
            _("The study %(code)s was locked before; its earlier draws stay on record, so it cannot be deleted.")
            % {"code": draft.code}
        )
    record("study.deleted", actor=actor, subject=draft, at=at, code=draft.code, title=draft.title)
    try:
        draft.enrollments.all().delete()
        draft.members.all().delete()
        draft.delete()
    except ProtectedError as error:
        text = _("Other records refer to the study %(code)s, such as a blinding audit, so it cannot be deleted.")
        raise StudyError(text % {"code": draft.code}) from error


def _editable(study: Study) -> Study:
    """Return the study, locked in the database for this transaction. Raises WrongStatus unless it can be edited."""
    draft = Study.objects.select_for_update().get(pk=study.pk)
    if draft.status not in EDITABLE:
        values = {"code": draft.code, "state": draft.state}
        raise WrongStatus(_("The study %(code)s is %(state)s; only a draft can be changed.") % values)
    return draft


def _require_title(title: str, *, longest: int) -> None:
    if not 0 < len(title.strip()) <= longest or "\0" in title:
        raise BadInput("title: " + _("must be a text of at most %(most)s characters.") % {"most": longest})
