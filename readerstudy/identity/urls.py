"""Addresses below /account/ that django-allauth knows by these names."""

from allauth.account.views import reauthenticate
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from readerstudy.identity import account_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", account_views.account, name="account"),
    path("go-on/", account_views.go_on, name="go_on"),
    path("sessions/end-others/", account_views.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:number>/end/", account_views.end_session, name="end_session"),
    path("sign-in/", views.SignIn.as_view(), name="account_login"),
    path("cancelled/", views.cancelled, name="socialaccount_login_cancelled"),
    path("again/", reauthenticate, name="account_reauthenticate"),
    path("password/new/<uidb64>/<token>/", views.NewPassword.as_view(), name="new_password"),
    path("password/strength/", views.password_strength, name="password_strength"),
    path("passkey/sign-in/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("second-factor/", views.SecondFactors.as_view(), name="mfa_index"),
    path("second-factor/give/", factors.authenticate, name="mfa_authenticate"),
    path("second-factor/again/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("second-factor/app/", app.activate_totp, name="mfa_activate_totp"),
    path("second-factor/app/remove/", app.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("second-factor/passkeys/", views.to_second_factors, name="mfa_list_webauthn"),
    path("second-factor/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("second-factor/passkeys/again/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("second-factor/passkeys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]
# Below /account/oidc/ and /account/saml/.
urlpatterns += [path("", include("allauth.socialaccount.providers.openid_connect.urls"))]
if "saml" in settings.SOCIALACCOUNT_PROVIDERS:
    urlpatterns += [path("", include("readerstudy.identity.saml_urls"))]
