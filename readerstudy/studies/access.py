"""Which studies a coordinator or researcher takes part in. Everybody else gets the answer that there is no such study.

Superusers, who run the server, take part in every study with the role of their account.
"""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.errors import NotAllowed, NotFound
from readerstudy.studies.models import Study, StudyMember


def studies_of(person: User) -> QuerySet[Study]:
    """Return the studies that the person takes part in; none for readers."""
    if person.is_reader or not person.is_active:
        return Study.objects.none()
    if person.is_superuser:
        return Study.objects.all()
    own = StudyMember.objects.filter(study=OuterRef("pk"), person=person, removed_at=None)
    return Study.objects.filter(Exists(own))


def study_for(person: User, code: str) -> Study:
    """Return the study with its cohort. Raises NotFound, without a difference, for unknown studies and for others'."""
    study = studies_of(person).filter(code=code).select_related("cohort").first()
    if study is None:
        raise NotFound(_("There is no study %(code)s.") % {"code": code})
    return study


def members_of(study: Study) -> QuerySet[StudyMember]:
    """Return the present members of the study with their accounts, in the order in which they were added."""
    return study.members.filter(removed_at=None).select_related("person").order_by("pk")


def role_in(study: Study, person: User) -> Role | None:
    """Return the person's role in the study, None without any. It is never above the role of the account."""
    if person.is_reader or not person.is_active:
        return None
    if person.is_superuser:
        return Role(person.role)
    member = StudyMember.objects.filter(study=study, person=person, removed_at=None).first()
    if member is None:
        return None
    return Role.RESEARCHER if member.role == Role.RESEARCHER and person.is_researcher else Role.COORDINATOR


def is_researcher_of(study: Study, person: User) -> bool:
    """Return whether the person is a researcher of the study."""
    return role_in(study, person) == Role.RESEARCHER


def require_researcher_of(study: Study, person: User) -> None:
    """Raise NotAllowed unless the person is a researcher of the study."""
    if not is_researcher_of(study, person):
        raise NotAllowed(_("Only researchers of the study %(code)s may do this.") % {"code": study.code})
