"""Erase what is older than its period."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.privacy.retention import apply_retention, find_due


class Command(StudyCommand):
    help = (
        "Erase personal data of operation that are older than their period (the settings RETAIN_…): expired sessions, "
        "IP addresses of events, texts of mails, unused links, accounts without a study, old messages to webhooks. "
        "Without --yes it prints what would be erased. The schedule of `work --beat` does it every night."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="erase it")

    def handle(self, *args: Any, **options: Any) -> None:
        at, is_done = now(), options["yes"]
        due = apply_retention(at=at) if is_done else find_due(at=at)
        lines = [
            f"expired sessions: {due.sessions}",
            f"messages to webhooks: {due.webhook_messages}",
            f"IP addresses of events: {due.addresses}",
            f"texts of mails: {due.mails}",
            f"unused sign-in links: {due.links}",
            f"accounts without a study: {', '.join(due.accounts) or 'none'}",
            "Erased." if is_done else "Nothing was erased; add --yes.",
        ]
        self.show({**asdict(due), "erased": is_done}, "\n".join(lines), as_json=options["json"])
