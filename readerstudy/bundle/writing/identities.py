"""A last look at a bundle before it is packed: it must name nobody who has an account here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.errors import StudyError
from readerstudy.studies.models import Enrollment, Study, StudyMember

_TEXTS: Final = (".csv", ".html", ".json", ".jsonl", ".md", ".yaml")
# User names that are words of the protocol.
_ROLES: Final = frozenset(Role.values)
_SHORTEST: Final = 3  # letters of a name that is looked for


class NamesSomebody(StudyError):
    """A file of the bundle has the name of a person."""


def require_no_names(folder: Path, study: Study) -> None:
    """Raise NamesSomebody, with file and line, if a file names a person of the study or has their address."""
    names = sorted(set(_names(study)), key=len, reverse=True)
    if not names:
        return
    pattern = re.compile(r"(?<![\w.@-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w@-])")
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _TEXTS:
            continue
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if pattern.search(line):
                    raise NamesSomebody(_message(path.relative_to(folder), number))


def _message(path: Path, line: int) -> str:
    text = _(
        "The bundle would name a person: line %(line)d of %(file)s has the name, the user name or the address of an "
        "account of the study. Bundles name nobody, so nothing was exported."
    )
    return text % {"line": line, "file": path.as_posix()}


def _names(study: Study) -> Iterator[str]:
    """Yield full names, user names and addresses of everybody who has or had a part in the study."""
    members = StudyMember.objects.filter(study=study).values("person")
    readers = Enrollment.objects.filter(study=study).values("reader")
    for person in User.objects.filter(pk__in=members) | User.objects.filter(pk__in=readers):
        if person.username not in _ROLES:
            yield from _long(person.username)
        yield from _long(person.email)
        if person.first_name and person.last_name:
            yield from _long(person.get_full_name())


def _long(name: str) -> Iterator[str]:
    if len(name) >= _SHORTEST:
        yield name
