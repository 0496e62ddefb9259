"""Users, each with one role."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


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

    @property
    def is_reader(self) -> bool:
        return self.role == Role.READER

    @property
    def is_coordinator(self) -> bool:
        return self.role == Role.COORDINATOR

    @property
    def is_researcher(self) -> bool:
        return self.role == Role.RESEARCHER
