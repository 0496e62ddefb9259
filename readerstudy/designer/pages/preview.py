"""The instructions of a session as its readers see them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from readerstudy.cohort.models import Cohort
from readerstudy.designer.form.raw import Raw
from readerstudy.layout.markdown import markdown
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.document import ProtocolSession
from readerstudy.protocol.rules import Aid, AskedVerdict, SessionRules
from readerstudy.protocol.sessions import SessionKind
from readerstudy.protocol.texts import OwnText, Translated, reader_says
from readerstudy.truth.actions import default_instructions


@dataclass(frozen=True)
class Preview:
    """Title and instructions of a session. `name` is that of the session's row in the form."""

    name: str
    number: int
    title: str
    instructions: SafeString
    is_default: bool
    has_aid: bool
    words: ReadingWords


def preview_of(raw: Raw, name: str, cohort: Cohort) -> Preview | None:
    """Return the preview of the session "sessions-3" as it is typed; None if there is no such session."""
    match = re.fullmatch(r"sessions-([0-9]{1,3})", name)
    number = int(match[1]) if match else 0
    if not 1 <= number <= len(raw["sessions"]):
        return None
    session, say = raw["sessions"][number - 1], reader_says(raw["languages"][0] if raw["languages"] else "en")
    typed = _own_text(session["instructions"], raw["languages"])
    text = typed or str(default_instructions(_as_asked(session), cohort.modality.words.reading))
    title = _own_text(session["title"], raw["languages"])
    return Preview(
        name,
        number,
        say(title) if title else "",
        markdown(say(text)),
        is_default=not typed,
        has_aid=session["rules"]["aid"] == Aid.SCORE,
        words=cohort.modality.words.reading,
    )


def _own_text(raw: Mapping[str, str], languages: Sequence[str]) -> OwnText:
    others = {code: text for code, text in raw.items() if code and text.strip()}
    return Translated({languages[0]: raw[""], **others}) if others and raw[""].strip() else raw[""].strip()


def _as_asked(session: Raw) -> ProtocolSession:
    """Return a session with what the default instructions depend on, as far as it can be read."""
    kind, verdict = session["kind"], session["rules"]["verdict"]
    asked = AskedVerdict(verdict) if verdict in set(AskedVerdict) else AskedVerdict.AUTHENTICITY
    known = SessionKind(kind) if kind in SessionKind.values else SessionKind.BLINDED
    return ProtocolSession(known, "–", rules=SessionRules(verdict=asked))
