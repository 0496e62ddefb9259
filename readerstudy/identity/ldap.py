"""Passwords of a directory (LDAP), by django-auth-ldap, the extra [ldap]. Used if `LDAP_URL` is set."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.identity.single_sign_on import complete_new_account

try:
    from django_auth_ldap.backend import LDAPBackend
except ImportError:  # without the extra; the settings refuse LDAP_URL then
    LDAPBackend = object


# django-auth-ldap has no annotations.
class DirectoryBackend(LDAPBackend):  # type: ignore[misc]
    """Checks a password at the directory. An account that was there before must have the directory's mail address."""

    @transaction.atomic
    def authenticate_ldap_user(self, ldap_user: Any, password: str) -> Any:
        """Return the account of a right password; a new one gets its role from the directory.

        A directory does not tell capital letters apart, and django-auth-ldap finds accounts without doing so.
        """
        found = list(User.objects.filter(username__iexact=ldap_user._username)[:2])
        before = found[0] if found else None
        if len(found) > 1 or (before is not None and before.has_usable_password()):
            return None  # not clear whose account it is, or it has a password here
        user = super().authenticate_ldap_user(ldap_user, password)
        if user is None:
            return None
        if before is None:
            values = ldap_user.attrs.get(settings.SSO_ROLE_CLAIM, [])
            complete_new_account(user, values, provider="ldap", at=now())
        elif (ldap_user.attrs.get("mail") or [""])[0].lower() != before.email.lower() or not before.email:
            return None
        return user
