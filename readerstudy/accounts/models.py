"""People: one user, one role."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    READER = "reader", _("Reader")
    COORDINATOR = "coordinator", _("Coordinator")
    RESEARCHER = "researcher", _("Researcher")


class User(AbstractUser):
    """A person who signs in. The role decides which part of the house is open to them."""

    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.READER)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            # The admin shows progress and people; a reader in there could see what is not theirs.
            models.CheckConstraint(
                condition=~models.Q(role=Role.READER, is_staff=True), name="user_reader_is_not_staff"
            ),
        ]

    @property
    def is_reader(self) -> bool:
        return self.role == Role.READER

    @property
    def is_coordinator(self) -> bool:
        return self.role == Role.COORDINATOR

    @property
    def is_researcher(self) -> bool:
        return self.role == Role.RESEARCHER
