"""Everybody with an account, and the studies that they take part in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from readerstudy.accounts.models import Role, User
from readerstudy.accounts.permissions import role_required, signed_in_user
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrollment, StudyMember

PEOPLE_PER_PAGE: Final = 100
LONGEST_SEARCH: Final = 100
_ORDER = Case(
    *(When(role=role, then=Value(place)) for place, role in enumerate((Role.COORDINATOR, Role.RESEARCHER))),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True)
class Part:
    """A study of which somebody is a reader or a member; `code` of the reader, empty for members."""

    study: str
    url: str
    code: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `parts`: in the studies of the one who looks."""

    account: User
    parts: tuple[Part, ...]


@require_GET
@role_required(Role.COORDINATOR, Role.RESEARCHER)
def directory(request: HttpRequest) -> HttpResponse:
    """Show everybody with an account, found by name, address or user name."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    page = _found(search).get_page(request.GET.get("page"))
    parts = parts_of(list(page), signed_in_user(request))
    context = {
        "page": page,
        "people": [Person(account, tuple(parts[account.pk])) for account in page],
        "search": search,
        "query": urlencode({"q": search}) if search else "",
    }
    return render(request, "desk/directory.html", context)


def _found(search: str) -> "Paginator[User]":
    accounts = User.objects.order_by(_ORDER, "last_name", "first_name", "username")
    for word in search.split():
        fields = ("first_name", "last_name", "email", "username")
        matches = [Q(**{f"{name}__icontains": word}) for name in fields]
        accounts = accounts.filter(matches[0] | matches[1] | matches[2] | matches[3])
    return Paginator(accounts, PEOPLE_PER_PAGE)


def parts_of(accounts: Sequence[User], viewer: User) -> Mapping[int, list[Part]]:
    """Return the studies of these people that the viewer takes part in, by their keys; two queries."""
    own, parts = studies_of(viewer), defaultdict[int, list[Part]](list)
    members = StudyMember.objects.filter(removed_at=None, person__in=accounts, study__in=own)
    for person, study in members.order_by("study__code").values_list("person", "study__code"):
        parts[person].append(Part(study, reverse("desk:team", args=[study])))
    enrollments = Enrollment.objects.filter(reader__in=accounts, study__in=own).order_by("study__code")
    for pk, person, study, code in enrollments.values_list("pk", "reader", "study__code", "code"):
        parts[person].append(Part(study, reverse("desk:reader", args=[study, pk]), code))
    return parts
