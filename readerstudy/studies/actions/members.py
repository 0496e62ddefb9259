"""Giving and ending the rights of coordinators and researchers in a study."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.studies.models import Study, StudyMember


@transaction.atomic
def add_member(*, study: Study, person: User, role: Role, actor: User | None, at: datetime) -> StudyMember:
    """Let a person take part in a study as its coordinator or researcher; a role that the person had before ends.

    Raises BadInput for readers, for a role above that of the account, and if nothing would change; NotAllowed for
    people who change their own role.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if person.is_reader or not person.is_active:
        raise BadInput(_("%(person)s is not an active coordinator or researcher.") % {"person": person})
    if role == Role.READER or (role == Role.RESEARCHER and not person.is_researcher):
        raise BadInput(_("%(person)s has a coordinator's account and cannot be a researcher.") % {"person": person})
    present = study.members.filter(person=person, removed_at=None).first()
    if present is not None:
        if present.role == role:
            raise BadInput(_("%(person)s has this role in the study already.") % {"person": person})
        if actor == person:
            raise NotAllowed(_("Nobody changes their own role in a study."))
        _end(present, actor=actor, at=at)
    member = StudyMember.objects.create(study=study, person=person, role=role, added_at=at, added_by=actor)
    record("member.added", actor=actor, subject=study, at=at, person=person.pk, role=role.value)
    return member


@transaction.atomic
def remove_member(*, study: Study, person: User, actor: User | None, at: datetime) -> None:
    """End a person's rights in a study. Raises BadInput if there are none, or if they are the last ones."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    present = study.members.filter(person=person, removed_at=None).first()
    if present is None:
        raise BadInput(_("%(person)s has no part in the study.") % {"person": person})
    if study.members.filter(removed_at=None).count() == 1:
        raise BadInput(_("%(person)s is the last member; add another one first.") % {"person": person})
    _end(present, actor=actor, at=at)


def copy_members(*, source: Study, target: Study, at: datetime) -> None:
    """Give the members of one study the same roles in another, such as its rehearsal."""
    present = set(target.members.filter(removed_at=None).values_list("person_id", flat=True))
    for member in source.members.filter(removed_at=None).exclude(person__in=present).select_related("person"):
        add_member(study=target, person=member.person, role=Role(member.role), actor=None, at=at)


def _end(member: StudyMember, *, actor: User | None, at: datetime) -> None:
    ended = StudyMember.objects.filter(pk=member.pk, removed_at=None).update(removed_at=at, removed_by=actor)
    assert ended, "the study is locked in the database"
    record("member.removed", actor=actor, subject=member.study, at=at, person=member.person_id, role=member.role)
