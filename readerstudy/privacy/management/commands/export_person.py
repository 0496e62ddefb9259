"""Write everything that is stored of one person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.privacy.copy import make_copy


class Command(StudyCommand):
    help = "Write everything that is stored of one person as a zip file: JSON, CSV and a page to read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="user name of the person")
        parser.add_argument("file", type=Path, help="the zip file; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        path, person = options["file"], User.named(options["username"])
        if path.exists() or not path.parent.is_dir():
            raise BadInput(f"{path} exists already, or its folder does not.")
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(make_copy(person=person, actor=None, at=now()))
        self.show({"person": person.username, "file": str(path)}, f"Written to {path}.", as_json=options["json"])
