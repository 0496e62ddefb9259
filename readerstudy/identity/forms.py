"""Forms of django-allauth with our words: labels instead of texts inside the fields."""

from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext as _

from readerstudy.accounts.password_fields import with_password_fields


def _without_placeholders(form: forms.Form) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


# Generic in the stubs only.
class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password, after a link that was sent by mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_password_fields(self)


class SignInForm(LoginForm):
    """User name and password. The field for the name is called `username`, by which browsers fill it in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _without_placeholders(self)
        with_password_fields(self)

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else str(super().add_prefix(field_name))


class PasswordAgainForm(ReauthenticateForm):
    """The password, again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _without_placeholders(self)
        with_password_fields(self)


class _Code(forms.Form):
    """A code of six or eight digits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _without_placeholders(self)
        self.fields["code"].label = _("Digits of the code")


class CodeForm(_Code, AuthenticateForm):
    """The code at sign-in."""


class CodeAgainForm(_Code, ReauthenticateByCodeForm):
    """The code before an act."""


class FirstCodeForm(_Code, ActivateTOTPForm):
    """The first code of a new app."""
