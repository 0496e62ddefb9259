"""Signing in by link, signing out, one's own password and API tokens. Signing in by password: `identity`."""

from typing import Any

from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from readerstudy.accounts.links import LinkRefused, find_link, open_link, use_link
from readerstudy.accounts.models import ApiToken, Scope, User
from readerstudy.accounts.password_fields import with_password_fields
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.accounts.sign_in import sign_in_by, sign_out
from readerstudy.accounts.tokens import DAYS, LONGEST_DAYS, make_token, revoke_token, scopes_of
from readerstudy.errors import BadInput


class ChoosePassword(PasswordChangeView):
    """Choose a password; only somebody who has one is asked for it. Other browsers of the person are signed out."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def get_form_class(self) -> Any:
        return PasswordChangeForm if signed_in_user(self.request).has_usable_password() else SetPasswordForm

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        with_password_fields(form)
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        UserSession.objects.create_from_request(self.request)  # it has another key now
        messages.success(self.request, _("Your password is stored. You can sign in with it from now on."))
        return response


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out, by POST only: a link must not sign a user out. Also ends a sign-in that waits for the second factor."""
    sign_out(request, at=now())
    return redirect("accounts:sign_in")


# An address below this one must not reach another server. "no-referrer" would be stricter, but browsers then send
# "Origin: null" with the form, which the protection against forged requests refuses.
REFERRER_POLICY = "strict-origin"


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to sign in as the user of the link; by POST, sign in and use the link up."""
    try:
        if request.method == "POST":
            use_link(token, at=now())
            link = find_link(token)
            assert link is not None  # used above
            return sign_in_by(link, request, at=now())
        if request.method == "HEAD":  # a mail scanner's: it is not an opening
            return HttpResponse()
        response = render(request, "accounts/link.html", {"person": open_link(token, at=now()).user})
    except LinkRefused as error:
        response = render(request, "accounts/link.html", {"sentence": str(error), "token": token}, status=410)
    response.headers["Referrer-Policy"] = REFERRER_POLICY
    return response


# --- API tokens ---------------------------------------------------------------------------------------------
class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(label=gettext_lazy("What it is for"), max_length=64)
    days = forms.IntegerField(
        label=gettext_lazy("Days until it expires"), min_value=1, max_value=LONGEST_DAYS, initial=DAYS
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What programs may do with it"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own, field = scopes_of(user), self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope.value, scope.label) for scope in own]
        field.initial = [Scope.READ.value if Scope.READ in own else Scope.READING.value]


@require_http_methods(["GET", "POST"])
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Show one's own API tokens; by POST, make one and show it once."""
    user, made, status = signed_in_user(request), "", 200
    form = TokenForm(request.POST or None, user=user)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                _row, made = make_token(user=user, at=now(), **form.cleaned_data)
                form, status = TokenForm(user=user), 201
            except BadInput as error:
                form.add_error(None, str(error))
    own = ApiToken.objects.filter(user=user)
    context = {"made": made, "form": form, "tokens": own, "usable": [row for row in own if row.is_usable(at=now())]}
    return render(request, "accounts/tokens.html", context, status=status)


@require_POST
@login_required
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Revoke one's own token."""
    user = signed_in_user(request)
    token = get_object_or_404(ApiToken, pk=number, user=user)
    revoke_token(token=token, actor=user, at=now())
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
    return redirect("accounts:tokens")
