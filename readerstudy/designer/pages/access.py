"""Who may open the designer's pages, and which study an address names."""

from django.http import HttpRequest

from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Study

for_investigators = role_required(Role.COORDINATOR, Role.RESEARCHER)


def find_study(request: HttpRequest, code: str) -> Study:
    """Return the study of an address. Raises NotFound unless the person takes part in it."""
    return study_for(signed_in_user(request), code)
