"""Sign-in links: signed tokens that sign in one user for a limited time."""

from django.core import signing
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.errors import NotAllowed

SALT = "sign-in link"
DAYS = 14


def token_for(user: User) -> str:
    """Return a token for a link. It is valid for DAYS days, or until the password changes."""
    return signing.dumps([user.pk, user.password[-16:]], salt=SALT)


def user_from_token(token: str) -> User:
    """Return the user of a token. Raises NotAllowed if it is forged, too old, or older than the password."""
    try:
        pk, password_end = signing.loads(token, salt=SALT, max_age=DAYS * 24 * 3600)
    except signing.BadSignature as error:
        raise NotAllowed(_("This sign-in link has expired. Ask your study coordinator for a new one.")) from error
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.password[-16:] != password_end:
        raise NotAllowed(_("This sign-in link has expired. Ask your study coordinator for a new one."))
    return user
