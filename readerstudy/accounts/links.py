"""Sign-in links: a signed token that stands for one person for a while."""

from django.core import signing
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.errors import NotAllowed

SALT = "sign-in link"
DAYS = 14


def token_for(user: User) -> str:
    """A token for a link; it stops working when the password changes, or after DAYS days."""
    return signing.dumps([user.pk, user.password[-16:]], salt=SALT)


def user_of(token: str) -> User:
    """The person a token stands for; raises NotAllowed when it is forged, old or overtaken."""
    try:
        pk, mark = signing.loads(token, salt=SALT, max_age=DAYS * 24 * 3600)
    except signing.BadSignature as error:
        raise NotAllowed(_("This sign-in link has expired. Ask your study coordinator for a new one.")) from error
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.password[-16:] != mark:
        raise NotAllowed(_("This sign-in link has expired. Ask your study coordinator for a new one."))
    return user
