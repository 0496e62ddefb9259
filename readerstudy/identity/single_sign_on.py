"""Accounts by single sign-on: which account somebody gets, and which role."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import gettext as _

from readerstudy.accounts.actions import record_new_account
from readerstudy.accounts.models import Role, User
from readerstudy.audit.actions import record
from readerstudy.configuration.single_sign_on import comparable
from readerstudy.errors import NotAllowed
from readerstudy.identity.refused import no_refusal


def role_of(values: Collection[str] | str | None) -> Role:
    """Return the role for the values of the claim: the one with most rights that they give, a reader without any.

    A reader who is in no study sees nothing. Nobody becomes a researcher unless a value says so.
    """
    given = [comparable(value) for value in ([values] if isinstance(values, str) else values or [])]
    roles = {settings.SSO_ROLES[value] for value in given if value in settings.SSO_ROLES}
    return next((role for role in (Role.RESEARCHER, Role.COORDINATOR) if role.value in roles), Role.READER)


def account_with(address: str) -> User | None:
    """Return the account with this verified mail address, None if there is none.

    Raises NotAllowed if there are several, or if it is deactivated.
    """
    found = list(User.objects.filter(email__iexact=address)[:2]) if address else []
    if len(found) > 1:
        raise NotAllowed(_("Several accounts have the mail address %(address)s.") % {"address": address})
    if found and not found[0].is_active:
        raise NotAllowed(_("Your account is deactivated."))
    return found[0] if found else None


def complete_new_account(user: User, values: Collection[str] | str | None, *, provider: str, at: datetime) -> None:
    """Give a stored account its role, and record it."""
    user.role = role_of(values)
    user.is_staff = not user.is_reader
    user.save(update_fields=["role", "is_staff"])
    record_new_account(person=user, actor=None, at=at)
    record("account.linked", actor=None, subject=user, at=at, provider=provider)


def refuse(request: HttpRequest, provider: str, *, sentence: str = "") -> HttpResponse:
    """Record that an answer of a provider was not accepted, and return a page that says so, or says `sentence`."""
    record("sign_in.sso_refused", actor=None, subject="", at=now(), provider=provider)
    sentence = sentence or _("Signing in at the other server did not work. Try again, or use another way to sign in.")
    return no_refusal(render(request, "error.html", {"sentence": sentence}, status=403))


class SingleSignOn(DefaultSocialAccountAdapter):
    """OpenID Connect and SAML. Links by a verified address only; the rest gets an account of its own."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Link the sign-in to the account with the same verified address, if it was not linked before."""
        try:
            self._link(request, sociallogin)
        except NotAllowed as error:
            answer = refuse(request, sociallogin.account.provider, sentence=str(error))
            raise ImmediateHttpResponse(answer) from error

    def _link(self, request: HttpRequest, sociallogin: Any) -> None:
        claims = _claims(sociallogin)
        verified = [each.email for each in sociallogin.email_addresses if each.verified]
        sociallogin.email_addresses = []  # `User.email` is the only address
        if sociallogin.is_existing:
            sociallogin.account.extra_data = {}  # what the provider says is not kept
            sociallogin.account.save(update_fields=["extra_data"])
            if not sociallogin.user.is_active:
                raise NotAllowed(_("Your account is deactivated."))
            return
        sociallogin.claims = claims
        user = account_with(verified[0]) if verified else None
        if user is None:
            sociallogin.user.email = verified[0] if verified else ""
            return
        sociallogin.account.extra_data = {}
        sociallogin.connect(request, user)
        record("account.linked", actor=None, subject=user, at=now(), provider=sociallogin.account.provider)

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Store a new account, with the role that a claim gives."""
        sociallogin.account.extra_data = {}
        user: User = super().save_user(request, sociallogin, form)
        values = sociallogin.claims.get(settings.SSO_ROLE_CLAIM)
        complete_new_account(user, values, provider=sociallogin.account.provider, at=now())
        return user

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return True: who can sign in at the provider gets an account, without any study."""
        return True

    def on_authentication_error(self, request: HttpRequest, provider: Any, *args: Any, **values: Any) -> None:
        """Show a sentence, and record it; what the provider answered may hold secrets."""
        raise ImmediateHttpResponse(refuse(request, provider.sub_id))


def _claims(sociallogin: Any) -> Mapping[str, Any]:
    """Return what the provider says of the person. Raises NotAllowed if its two answers are about two persons."""
    data = sociallogin.account.extra_data
    token, info = data.get("id_token") or {}, data.get("userinfo") or {}
    if token and info and token.get("sub") != info.get("sub"):
        raise NotAllowed(_("The other server named two persons. Nobody was signed in."))
    return {**data, **token, **info}
