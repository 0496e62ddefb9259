"""Make a sign-in link."""

from argparse import ArgumentParser
from typing import Any

from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import DAYS, make_link
from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand


class Command(StudyCommand):
    help = "Print a link that signs in the user NAME once. Earlier unused links of this user are revoked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="NAME")
        parser.add_argument("--days", type=int, default=DAYS, help="days until the link expires; default %(default)s")
        parser.add_argument("--url", default="http://localhost:8000", help="start of the address; default %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        token = make_link(user=User.named(options["user"]), actor=None, at=now(), days=options["days"])
        address = options["url"].rstrip("/") + reverse("accounts:sign_in_by_link", args=[token])
        self.show({"user": options["user"], "link": address}, address, as_json=options["json"])
