"""Settings of passwords, sign-in and second factors that no environment variable changes."""

from typing import Any

AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "readerstudy.accounts.passwords.MaximumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Passwords of earlier versions are hashed anew when their owners sign in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds in which the link of a mail works

# --- django-allauth -------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "readerstudy.identity.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}  # people may share a mail address
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}
# Passwords are limited by `accounts.attempts`; these limit codes of a second factor.
ACCOUNT_RATE_LIMITS = {"login": None, "reauthenticate": None, "login_failed": "10/900s/key"}
ACCOUNT_FORMS = {"reauthenticate": "readerstudy.identity.forms.PasswordAgainForm"}
MFA_FORMS = {
    "authenticate": "readerstudy.identity.forms.CodeForm",
    "reauthenticate": "readerstudy.identity.forms.CodeAgainForm",
    "activate_totp": "readerstudy.identity.forms.FirstCodeForm",
}
MFA_ADAPTER = "readerstudy.identity.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}  # a hospital may have one address for everybody
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that the clock of a telephone may differ
SOCIALACCOUNT_ADAPTER = "readerstudy.identity.single_sign_on.SingleSignOn"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# A form may lead to this server only (form-action), so that the button is a link.
SOCIALACCOUNT_LOGIN_ON_GET = True
