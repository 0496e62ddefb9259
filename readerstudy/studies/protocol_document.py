"""The protocol of a study as one frozen value: its sessions with their images and rules, and its analysis plan. Pure.

A draft stores it as data (`as_data`) and can be edited; the draw makes the plan of a locked study from it.
`protocol_templates` has the protocols to start from, `protocol_file` the file that people exchange.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.serialise import ADDED_LATER
from readerstudy.studies.analysis_plan import AnalysisPlan, check_analysis
from readerstudy.studies.plan_values import NameUpTo, NumberBetween, OneOf, WholeNumber
from readerstudy.studies.protocol import SessionKind, SessionTemplate, Verdict
from readerstudy.studies.rules import SessionRules, check_rules
from readerstudy.studies.texts import MOST_LANGUAGES, LanguageCode, OwnText, TextsUpTo, check_languages, chosen
from readerstudy.vocabulary import Split

MOST_SESSIONS: Final = 20
MOST_IMAGES: Final = 10_000  # of each kind in a session
MOST_ATTACKS: Final = 20
DEFAULT_RULES: Final = SessionRules()
DEFAULT_ANALYSIS: Final = AnalysisPlan()
SPLITS: Final = tuple(split.value for split in Split)


class ReadingOrder(StrEnum):
    """The order in which a session shows its images."""

    SAME = "same"  # as drawn, for all readers
    PER_READER = "per_reader"  # another random order for each reader
    BLOCKS = "blocks"  # for all readers, in blocks with the session's share of adversarial images


@dataclass(frozen=True)
class ProtocolSession:
    """One session of a protocol. Its number is its place among the sessions, from 1."""

    kind: SessionKind
    title: Annotated[OwnText, TextsUpTo(80)]
    real: Annotated[int, WholeNumber(0, MOST_IMAGES)] = 0
    adversarial: Annotated[int, WholeNumber(0, MOST_IMAGES)] = 0
    splits: tuple[Annotated[str, OneOf(SPLITS)], ...] = (Split.TRAIN.value,)
    # None: as in the splits that the session draws from.
    positive_share: Annotated[float | None, NumberBetween(0, 1)] = None
    # Empty: those of the study.
    attacks: tuple[Annotated[str, NameUpTo(64)], ...] = ()
    # None: that of the study.
    resolution: Annotated[str | None, NameUpTo(16)] = None
    order: ReadingOrder = ReadingOrder.SAME
    block_size: Annotated[int, WholeNumber(0, 1000)] = 0
    washout_days: Annotated[int, WholeNumber(0, 3650)] = 0
    # None: the words of the cohort's modality for this kind of session.
    instructions: Annotated[OwnText | None, TextsUpTo(4000)] = None
    rules: SessionRules = DEFAULT_RULES

    @property
    def shows_pairs(self) -> bool:
        """Whether each image is shown with its adversarial version."""
        return self.kind == SessionKind.EDUCATION

    @property
    def asks_verdict(self) -> bool:
        """Whether readers say of each image whether it is real."""
        return self.kind == SessionKind.BLINDED and Verdict.REAL in self.rules.verdicts

    @property
    def needs_adversarial(self) -> bool:
        """Whether the session shows adversarial images, alone or in pairs."""
        return self.adversarial > 0 or self.shows_pairs

    @property
    def total(self) -> int:
        return self.real + self.adversarial

    def template(self, number: int) -> SessionTemplate:
        """Return what the draw needs of the session."""
        return SessionTemplate(
            number,
            self.kind,
            chosen(self.title, "", fallback=""),
            real=self.real,
            adversarial=self.adversarial,
            splits=self.splits,
            shows_pairs=self.shows_pairs,
            positive_share=self.positive_share,
            block_size=self.block_size if self.order == ReadingOrder.BLOCKS else 0,
        )


@dataclass(frozen=True)
class Protocol:
    """What a study does, before anything is drawn. `template` and `scale` say what it was made from."""

    sessions: tuple[ProtocolSession, ...] = ()
    template: Annotated[str, NameUpTo(32)] = "own"
    scale: Annotated[float, NumberBetween(0, 1.000001)] = 1.0
    # None: the largest that the cohort stores.
    resolution: Annotated[str | None, NameUpTo(16)] = None
    # Empty: the only attack that there is for each direction.
    attacks: tuple[Annotated[str, NameUpTo(64)], ...] = ()
    analysis: AnalysisPlan = DEFAULT_ANALYSIS
    # Of the texts in several languages. The first is shown to readers whose language a text lacks.
    languages: tuple[Annotated[str, LanguageCode()], ...] = field(default=(), metadata=ADDED_LATER)

    def as_data(self) -> dict[str, Any]:
        """Return the protocol as JSON; the inverse of `from_data`."""
        return serialise.to_dict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Protocol":
        """Return a stored protocol; what was not stored has its default, unknown names are ignored."""
        known = {field.name for field in fields(cls)}
        return serialise.from_dict(cls, {name: value for name, value in data.items() if name in known})

    @property
    def hash(self) -> str:
        """The SHA-256 of the protocol, by which two are compared."""
        return data_hash(self.as_data())

    @property
    def templates(self) -> tuple[SessionTemplate, ...]:
        """What the draw needs of each session."""
        return tuple(session.template(number) for number, session in enumerate(self.sessions, start=1))

    @property
    def asking(self) -> tuple[int, ...]:
        """The numbers of the sessions that ask for verdicts."""
        return tuple(n for n, session in enumerate(self.sessions, start=1) if session.asks_verdict)

    @property
    def first_language(self) -> str:
        """The language that is shown if a text lacks that of the reader."""
        return self.languages[0] if self.languages else "en"

    def check(self) -> None:
        """Raise BadInput, with the location, unless the protocol describes a study that can be drawn and analysed."""
        if not 1 <= len(self.sessions) <= MOST_SESSIONS:
            raise BadInput(f"protocol sessions: must be 1 to {MOST_SESSIONS} sessions.")
        _check_attacks(self.attacks, "protocol attacks")
        if len(self.languages) > MOST_LANGUAGES or len(set(self.languages)) < len(self.languages):
            raise BadInput(f"protocol languages: must name at most {MOST_LANGUAGES} languages, each once.")
        check_languages(self.sessions, self.languages, "protocol sessions")
        for number, session in enumerate(self.sessions, start=1):
            _check_session(session, f"protocol sessions {number}")
        check_analysis(self.analysis, self.asking, location="protocol analysis")


def data_hash(data: Mapping[str, Any]) -> str:
    """Return SHA-256, in hexadecimal, of data as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _check_session(session: ProtocolSession, location: str) -> None:
    is_blinded = session.kind == SessionKind.BLINDED
    if session.adversarial and not is_blinded:
        raise BadInput(f"{location} adversarial: only blinded sessions show adversarial images alone.")
    if not session.total:
        raise BadInput(f"{location} real: a session has at least two images.")
    for name in ("real", "adversarial"):
        if getattr(session, name) == 1:
            raise BadInput(f"{location} {name}: must be 0 or at least 2, so that both pathologies occur.")
    if not session.splits or len(set(session.splits)) < len(session.splits):
        raise BadInput(f"{location} splits: must name at least one split, each once.")
    _check_attacks(session.attacks, f"{location} attacks")
    _check_order(session, location)
    check_rules(session.rules, session.kind, f"{location} rules")


def _check_order(session: ProtocolSession, location: str) -> None:
    if session.order != ReadingOrder.BLOCKS:
        if session.block_size:
            raise BadInput(f"{location} block_size: only the order 'blocks' has blocks.")
        return
    if not (session.real and session.adversarial):
        raise BadInput(f"{location} order: blocks need real and adversarial images.")
    if not 2 <= session.block_size <= session.total:
        raise BadInput(f"{location} block_size: must be from 2 to the {session.total} images of the session.")


def _check_attacks(attacks: tuple[str, ...], location: str) -> None:
    if len(attacks) > MOST_ATTACKS or len(set(attacks)) < len(attacks):
        raise BadInput(f"{location}: must name at most {MOST_ATTACKS} attacks, each once.")
