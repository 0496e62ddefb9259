"""Which account a directory opens. The directory itself, and django-auth-ldap, are played by a stub."""

from types import SimpleNamespace

import pytest

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.identity.ldap import DirectoryBackend
from tests import make


class Directory:
    """Finds or makes the account of a name, as django-auth-ldap does, if the password is right."""

    def authenticate_ldap_user(self, ldap_user, password):
        if password != "right":
            return None
        mail = (ldap_user.attrs.get("mail") or [""])[0]
        user, is_new = User.objects.get_or_create(username=ldap_user._username, defaults={"email": mail})
        if is_new:
            user.set_unusable_password()
            user.save()
        return user


class Backend(DirectoryBackend, Directory):
    pass


def enter(name: str, password: str = "right", **attributes) -> User | None:
    person = SimpleNamespace(_username=name, attrs=attributes)
    return Backend().authenticate_ldap_user(person, password)


@pytest.fixture(autouse=True)
def by_group(settings, db):
    settings.SSO_ROLE_CLAIM, settings.SSO_ROLES = "memberOf", {"cn=research": "researcher"}


@pytest.mark.parametrize(("groups", "role"), [([], Role.READER), (["cn=research"], Role.RESEARCHER)])
def test_a_new_account_has_the_role_of_its_group(groups, role):
    user = enter("anna", mail=["anna@example.org"], memberOf=groups)
    assert (user.role, user.is_staff, user.email) == (role, role != Role.READER, "anna@example.org")
    assert list(Event.objects.order_by("id").values_list("verb", flat=True)) == ["account.made", "account.linked"]
    assert enter("anna", "wrong") is None
    assert enter("anna", mail=["Anna@example.org"]) == user


@pytest.mark.parametrize("address", [[], ["other@example.org"]])
def test_an_invited_account_is_opened_by_its_address_only(address):
    carl = make.user("carl", Role.COORDINATOR, email="carl@example.org")
    carl.set_unusable_password()
    carl.save()
    assert enter("carl", mail=address) is None
    assert enter("carl", mail=["carl@example.org"]) == carl
    carl.refresh_from_db()
    assert carl.role == Role.COORDINATOR


def test_an_account_with_a_password_here_is_not_opened_by_the_directory():
    make.user("rosa", Role.RESEARCHER, email="rosa@example.org")
    assert enter("rosa", mail=["rosa@example.org"]) is None


def test_an_account_without_an_address_is_not_opened_by_an_empty_one():
    carl = make.user("carl", Role.COORDINATOR)
    carl.set_unusable_password()
    carl.save()
    assert enter("carl", mail=[""]) is None
