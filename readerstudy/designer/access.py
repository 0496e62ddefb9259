"""Who may open the designer's pages, and which study an address names."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required
from readerstudy.studies.models import Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)


def find_study(request: HttpRequest, code: str) -> Study:
    """Return the study of an address. Raises Http404 if there is none."""
    study = Study.objects.filter(code=code).select_related("cohort").first()
    if study is None:
        raise Http404(_("There is no study %(code)s.") % {"code": code})
    return study
