"""Who may pass which door, for pages and for the API."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from readerstudy.accounts.models import Role, User
from readerstudy.errors import NotAllowed

if TYPE_CHECKING:
    # DRF's views load the default permission class, which is below: at run time this would be a circle.
    from rest_framework.views import APIView

View = Callable[..., HttpResponse]


def role_required(*roles: Role) -> Callable[[View], View]:
    """Let signed-in people of these roles in; others get a sentence, strangers the sign-in page."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, User) or request.user.role not in roles:
                wanted = " / ".join(str(role.label) for role in roles)
                raise NotAllowed(gettext("This page is for the role %(role)s.") % {"role": wanted})
            return view(request, *args, **kwargs)

        return guarded

    return decorate


class IsReader(BasePermission):
    """The reader's wire is for readers."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.is_reader


class IsInvestigator(BasePermission):
    """Everything else is for coordinators and researchers: a reader reaches nothing but the wire."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and not request.user.is_reader


class IsResearcher(BasePermission):
    """What holds the truth, or comes from it, is for researchers."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, User) and request.user.is_researcher
