"""The instructions of a session as its readers see them."""

import re
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from readerstudy.cohort.models import Cohort
from readerstudy.designer.raw import Raw
from readerstudy.layout.markdown import markdown
from readerstudy.studies.protocol import SessionKind
from readerstudy.truth.actions import default_instructions


@dataclass(frozen=True)
class Preview:
    """Title and instructions of a session. `name` is that of the session's row in the form."""

    name: str
    number: int
    title: str
    instructions: SafeString
    is_default: bool


def preview_of(raw: Raw, name: str, cohort: Cohort) -> Preview | None:
    """Return the preview of the session "sessions-3" as it is typed; None if there is no such session."""
    match = re.fullmatch(r"sessions-([0-9]{1,3})", name)
    number = int(match[1]) if match else 0
    if not 1 <= number <= len(raw["sessions"]):
        return None
    session = raw["sessions"][number - 1]
    kind = session["kind"] if session["kind"] in SessionKind.values else SessionKind.BLINDED
    typed = session["instructions"].strip()
    text = typed or str(default_instructions(SessionKind(kind), cohort.modality.words.reading))
    title = gettext(session["title"]) if session["title"] else ""
    return Preview(name, number, title, markdown(gettext(text)), is_default=not typed)
