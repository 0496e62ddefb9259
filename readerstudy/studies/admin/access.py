"""Pages of the administration that show rows of studies: only of those that the person takes part in."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from readerstudy.accounts.admin import InvestigatorAdmin
from readerstudy.accounts.models import Role
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.studies.access import studies_of


class OfStudies(InvestigatorAdmin):
    """A page of rows that belong to studies. `study_path` leads from a row to its study; empty: it is one itself."""

    study_path = "study"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        own = studies_of(signed_in_user(request)).values("pk")
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(**{f"{self.study_path}__in" if self.study_path else "pk__in": own})


class Evidence(OfStudies):
    """A raw table of a study's record, for its researchers. Coordinators have the desk."""

    roles: Sequence[Role] = (Role.RESEARCHER,)


def own(path: str) -> tuple[str, type[RelatedOnlyFieldListFilter]]:
    """Return a filter that offers only what occurs in the rows of the page."""
    return path, RelatedOnlyFieldListFilter
