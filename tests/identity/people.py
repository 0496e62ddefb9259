"""What people do at the sign-in page and with their second factors."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

SIGN_IN, FACTOR = "/account/sign-in/", "/account/second-factor/"


def sign_in(client: Client, name: str, password: str = "", **values):
    password = password or f"{name}-secret-1"
    return client.post(SIGN_IN, {"username": name, "password": password, **values})


def is_signed_in(client: Client) -> bool:
    return client.get("/account/password/").status_code == 200


def give_app(person) -> str:
    """Set an authenticator app up for the person; return its key."""
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def give_codes(person) -> list[str]:
    return RecoveryCodes.activate(person).get_unused_codes()


def code_of(secret: str) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def factors_of(person) -> list[str]:
    return sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))
