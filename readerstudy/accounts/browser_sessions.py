"""Sessions of browsers and their people, each read by a prepared statement: every request reads both.

Nothing is kept from one request to the next: a session that was ended, a new password and a deactivation count at once.
"""

from typing import Any, Final

from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.prepared import Given, PreparedQuery

BACKEND: Final = "readerstudy.accounts.browser_sessions.Accounts"
_EARLIER: Final = "django.contrib.auth.backends.ModelBackend"  # in sessions of versions before this module

_SESSION: Final = PreparedQuery(lambda: Session.objects.filter(session_key=Given("key"), expire_date__gt=Given("at")))
_PERSON: Final = PreparedQuery(lambda: User.objects.filter(pk=Given("person")))


class Accounts(ModelBackend):
    """Django's accounts with passwords."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session, None if the account is not active or does not exist."""
        person = _PERSON.first(person=user_id)
        return person if person and self.user_can_authenticate(person) else None


# Django signs what a session holds with the name of this class.
class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing if it has ended or never was."""
        session = _SESSION.first(key=self.session_key, at=now())
        if session is None:
            self._session_key = None
            return {}
        values: dict[str, Any] = self.decode(session.session_data)
        if values.get(BACKEND_SESSION_KEY) == _EARLIER:
            values[BACKEND_SESSION_KEY] = BACKEND
        return values
