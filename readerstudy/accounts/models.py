"""Users, each with one role, their sign-in links and their API tokens."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from readerstudy.errors import StudyError


class Role(models.TextChoices):
    READER = "reader", _("Reader")
    COORDINATOR = "coordinator", _("Coordinator")
    RESEARCHER = "researcher", _("Researcher")


class People(UserManager["User"]):
    """Creates users. A superuser is a researcher, because a reader must not enter the administration."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        # Accounts and the audit trail name each other.
        from readerstudy.accounts.actions import record_new_account

        person = super().create_superuser(username, email, password, **{"role": Role.RESEARCHER, **fields})
        record_new_account(person=person, actor=None, at=now())
        return person


class User(AbstractUser):
    """A person who signs in. The role decides which pages are open to them."""

    objects: ClassVar[People] = People()

    # Of the pages at the last sign-in, for mails. Empty: not known.
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, blank=True, editable=False)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.READER)
    # The reader's own keys of the reading room, by form of images: {"picture": {"invert": ["k"]}}.
    reading_keys = models.JSONField(_("keys of the reading room"), default=dict, blank=True, editable=False)
    # Since then a pseudonym stands for the person (`privacy.actions`).
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            # The administration shows the progress of all readers.
            models.CheckConstraint(
                condition=~models.Q(role=Role.READER, is_staff=True), name="user_reader_is_not_staff"
            ),
        ]

    @classmethod
    def named(cls, username: str) -> "User":
        """Return the user of this name. Raises StudyError if there is none."""
        user = cls.objects.filter(username=username).first()
        if user is None:
            raise StudyError(f"There is no user with the name {username!r}.")
        return user

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the account. A new password is recorded; it and a deactivation revoke all API tokens.

        Here and not in an action, because Django's own pages and commands set passwords too.
        """
        # Accounts and the audit trail name each other.
        from readerstudy.audit.actions import record
        from readerstudy.audit.origin import current_person

        is_new_password = getattr(self, "_password", None) is not None and not self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new_password or not self.is_active:
                self.api_tokens.filter(revoked_at=None).update(revoked_at=now())
            if is_new_password:
                record("password.changed", actor=current_person(), subject=self, at=now())

    @property
    def is_reader(self) -> bool:
        return self.role == Role.READER

    @property
    def is_coordinator(self) -> bool:
        return self.role == Role.COORDINATOR

    @property
    def is_researcher(self) -> bool:
        return self.role == Role.RESEARCHER


class LinkState(models.TextChoices):
    """What became of a sign-in link."""

    NEW = "new", _("Not opened")
    OPENED = "opened", _("Opened")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class SignInLink(models.Model):
    """A link that signs in one user once. The database holds a hash of its token, never the token."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="sign_in_links")
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    expires_at = models.DateTimeField(_("expires"))
    # Mail scanners open links too. Only the button on the page uses a link.
    opened_at = models.DateTimeField(_("first opened"), null=True)
    used_at = models.DateTimeField(_("used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("sign-in link")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(used_at=None, revoked_at=None), name="sign_in_link_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(used_at=None) | models.Q(revoked_at=None), name="sign_in_link_used_or_revoked"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="sign_in_link_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d %H:%M}"

    def state(self, *, at: datetime) -> LinkState:
        """Return what became of the link by the moment `at`."""
        if self.used_at:
            return LinkState.USED
        if self.revoked_at:
            return LinkState.REVOKED
        if self.expires_at <= at:
            return LinkState.EXPIRED
        return LinkState.OPENED if self.opened_at else LinkState.NEW

    def is_usable(self, *, at: datetime) -> bool:
        """Return whether the link signs its user in at the moment `at`, if the account is active."""
        return self.state(at=at) in (LinkState.NEW, LinkState.OPENED)


class Scope(models.TextChoices):
    """What programs may do with a token, never more than the account may."""

    READ = "read", _("Read: everything that the account sees")
    STUDIES = "studies", _("Studies: change them and their readers")
    JOBS = "jobs", _("Jobs: start, cancel and repeat them")
    READING = "reading", _("Reading: give verdicts as a reader")


class ApiToken(models.Model):
    """A token by which programs sign in as one user. The database holds a hash of it, never the token."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=64)
    prefix = models.CharField(_("begins with"), max_length=8)
    token_hash = models.CharField(_("hash of the token"), max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices), verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    # The owner was written to that it expires soon.
    warned_at = models.DateTimeField(_("warned"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="api_token_expires_later"),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0, scopes__contained_by=Scope.values), name="api_token_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_usable(self, *, at: datetime) -> bool:
        """Return whether the token signs its user in at the moment `at`, if the account is active."""
        return self.revoked_at is None and at < self.expires_at
