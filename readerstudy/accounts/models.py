"""Users, each with one role, and their sign-in links."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
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
        return super().create_superuser(username, email, password, **{"role": Role.RESEARCHER, **fields})


class User(AbstractUser):
    """A person who signs in. The role decides which pages are open to them."""

    objects: ClassVar[People] = People()

    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.READER)

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
