"""Filters of lists. An unknown one and a value that is not understood are refused by name, never ignored."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from readerstudy.api.requests import sentences_of
from readerstudy.errors import BadInput

if TYPE_CHECKING:
    from rest_framework.views import APIView

OF_PAGES: Final = ("cursor", "page_size", "format")


# django-filter has no annotations.
class Filters(filters.FilterSet):  # type: ignore[misc]
    """Base of every set of filters."""


# As above.
class StrictFilters(filters.DjangoFilterBackend):  # type: ignore[misc]
    """Applies the view's `filterset_class`, and refuses what it does not understand."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        """Return the selected rows. Raises BadInput."""
        selected = self.get_filterset(request, queryset, view)
        known = selected.base_filters if selected is not None else ()
        refuse_unknown(request, known)
        if selected is None:
            return queryset
        chosen(selected)
        rows: QuerySet[Any] = selected.qs
        return rows


def chosen(selected: Filters) -> dict[str, Any]:
    """Return the values of the filters by name, None or "" for those that are not used. Raises BadInput."""
    if not selected.is_valid():
        raise BadInput(" ".join(sentences_of(selected.errors)))
    values: dict[str, Any] = selected.form.cleaned_data
    return values


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raise BadInput if the address has a parameter that is neither one of these nor for pages, or one twice."""
    allowed = {*known, *OF_PAGES}
    for name in request.query_params:
        if name not in allowed:
            listed = ", ".join(sorted(allowed - set(OF_PAGES))) or "–"
            raise BadInput(
                _("%(name)s: there is no such filter; there are: %(known)s.")
                % {
                    "name": name[:40],
                    "known": listed,
                }
            )
        values = request.query_params.getlist(name)
        if len(values) > 1 or not values[0]:
            raise BadInput(_("%(name)s: give one value.") % {"name": name[:40]})


# As above.
class WholeNumber(filters.Filter):  # type: ignore[misc]
    """A filter by a whole number."""

    field_class = forms.IntegerField

    def __init__(self, field_name: str | None = None, *, largest: int = 9999, **options: Any) -> None:
        super().__init__(field_name, min_value=0, max_value=largest, **options)


# As above.
class YesNo(filters.TypedChoiceFilter):  # type: ignore[misc]
    """A filter that takes `true` or `false`. The package's own ignores every other value."""

    def __init__(self, field_name: str | None = None, **options: Any) -> None:
        words = [("true", "true"), ("false", "false")]
        values: dict[str, Any] = {"choices": words, "coerce": lambda word: word == "true", "empty_value": None}
        super().__init__(field_name=field_name, **values, **options)
        description = {"description": options["help_text"]} if "help_text" in options else {}
        extend_schema_field({"type": "boolean", **description})(self)


def of_choices(choices: Iterable[Any], path: str | None = None, **options: Any) -> filters.ChoiceFilter:
    """Return a filter that takes one of these values or pairs."""
    pairs = [each if isinstance(each, tuple) else (each, each) for each in choices]
    return filters.ChoiceFilter(choices=pairs, field_name=path, **options)
