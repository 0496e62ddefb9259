"""A signed value in a reader's page with which it can ask for a new sign-in link after its sign-in is lost.

It signs nobody in: the link goes to the account's mail address, as for somebody who presses "Ask for a new link".
"""

from datetime import timedelta
from typing import Final

from django.core import signing

from readerstudy.accounts.models import User

SALT: Final = "accounts.renewal"
VALID_FOR: Final = timedelta(days=30)  # a page may stay open for long


def renewal_of(person: User) -> str:
    """Return the value for a person who is signed in."""
    return signing.dumps(person.pk, salt=SALT)


def person_of_renewal(value: str) -> int | None:
    """Return the id of the account that a value was made for; None if it is damaged or too old."""
    try:
        return int(signing.loads(value, salt=SALT, max_age=VALID_FOR))
    except signing.BadSignature:
        return None
