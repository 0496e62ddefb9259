"""What django-allauth asks this application: limits of attempts, events in the audit trail, and words.

`ACCOUNT_ADAPTER` and `MFA_ADAPTER` of the settings name these classes.
"""

import base64
from hashlib import sha256
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from readerstudy.accounts.attempts import begin_attempt, end_attempt
from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.audit.origin import SIGN_IN, client_address
from readerstudy.errors import NotAllowed
from readerstudy.identity import fresh
from readerstudy.identity.second_factor import has_factor, needs_factor

UNKNOWN_ADDRESS: Final = "::"
# Shown after a change of the second factor; allauth names templates.
MESSAGES: Final = {
    "mfa/messages/totp_activated.txt": gettext_lazy("Your authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("Your authenticator app is removed."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("New recovery codes are made. The old ones are void."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey is stored."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey is removed."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Signing in: passwords are limited in their number, and every step is recorded."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy("The user name or the password is wrong."),
        "incorrect_password": gettext_lazy("The password is wrong."),
        "too_many_login_attempts": gettext_lazy("Too many wrong codes. Try again in a quarter of an hour."),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt; above a limit, answer with the time to wait instead of checking the password."""
        wait = begin_attempt(**self._attempt(request, credentials))
        if wait:
            raise ImmediateHttpResponse(too_many(request, wait))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return whom the password belongs to, and record a wrong one."""
        user = super().authenticate(request, **credentials)
        end_attempt(**self._attempt(request, credentials), succeeded=user is not None)
        return user

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Return whether the password is right. An older hash of it is renewed, which must not end the session."""
        is_right = bool(super().reauthenticate(user, password))
        if is_right:
            update_session_auth_hash(self.request, User.objects.get(pk=user.pk))
        return is_right

    def _attempt(self, request: HttpRequest, credentials: dict[str, Any]) -> dict[str, Any]:
        return {"username": credentials.get("username", ""), "address": client_address(request), "at": now()}

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, after all factors, and record how. Events of the new session name this event."""
        # A session of somebody else is emptied by signing in.
        records = get_authentication_records(request, user)
        super().login(request, user)
        language = get_language() or ""
        if language != user.language:
            User.objects.filter(pk=user.pk).update(language=language)
        request.session.pop(SIGN_IN, None)  # of an earlier sign-in of the same user
        request.session[SIGN_IN] = _record_sign_in(user, records)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        raise NotAllowed(_("Your account is deactivated."))

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **values: Any
    ) -> None:
        """Show our words for a change, and nothing for the rest: the page shows who is signed in."""
        text = values.get("message") or MESSAGES.get(message_template or "")
        if text:
            super().add_message(request, level, message=str(text))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or UNKNOWN_ADDRESS

    def is_reauthentication_required(self, *, app: str, **values: Any) -> bool:
        """Return whether to ask again before the second factor is changed: not while there is nothing to ask for."""
        return fresh.can_confirm(self.request) and not fresh.is_fresh(self.request, seconds=fresh.OWN_ACCOUNT)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: accounts are made by invitation or by single sign-on."""
        return False


def _record_sign_in(user: User, records: list[dict[str, Any]]) -> int:
    """Record the sign-in by its first step, and the second factor; return the number of the event."""
    at, first = now(), records[0] if records else {"method": "password"}
    match first["method"]:
        case "link":
            event = record("sign_in.by_link", actor=user, subject=user, at=at, link=first["link"])
        case "socialaccount":
            event = record("sign_in.by_sso", actor=user, subject=user, at=at, provider=first["provider"])
        case "mfa":
            event = record("sign_in.by_passkey", actor=user, subject=user, at=at)
        case _:
            event = record("sign_in.by_password", actor=user, subject=user, at=at)
    for step in records[1:]:
        if step["method"] == "mfa":
            record("second_factor.used", actor=user, subject=user, at=at, factor=step["type"])
    return event.pk


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """Return the page that says for how many minutes no password is checked."""
    response = render(request, "accounts/too_many.html", {"minutes": wait // 60 + 1}, status=429)
    response.headers["Retry-After"] = str(wait)
    return response


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: the key of an authenticator app is stored encrypted, and a required factor stays."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("The code or passkey is wrong."),
        "cannot_delete_authenticator": gettext_lazy("Your role needs a second factor. Set up another one first."),
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY was changed: no code is right, and `reset_second_factor` lets the person set up a new one.
            return ""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        return not needs_factor(user) or has_factor(user, without=authenticator.pk)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """Return a name to begin with, for people to replace."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}

    def get_totp_issuer(self) -> str:
        return f"{_('Reader study')} ({self._get_site_name()})"


def _cipher() -> MultiFernet:
    keys = map(str, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    digests = (sha256(f"readerstudy.identity.second_factor:{key}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
