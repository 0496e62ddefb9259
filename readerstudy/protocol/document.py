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

from django.utils.translation import gettext

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.protocol.analysis_plan import PER_READER, AnalysisPlan, check_analysis
from readerstudy.protocol.repeats import last_first_showing
from readerstudy.protocol.rules import SessionRules, check_rules
from readerstudy.protocol.sessions import SessionKind, SessionTemplate, Verdict
from readerstudy.protocol.texts import MOST_LANGUAGES, LanguageCode, OwnText, TextsUpTo, check_languages, chosen
from readerstudy.protocol.values import NameUpTo, NumberBetween, OneOf, WholeNumber
from readerstudy.serialise import ADDED_LATER
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
    # Share of images that are shown a second time, to measure the agreement of readers with themselves. None: no image.
    repeat_share: Annotated[float | None, NumberBetween(0, 1.000001)] = field(default=None, metadata=ADDED_LATER)
    # The earlier session whose images are shown again; 0: those of this session.
    repeat_of: Annotated[int, WholeNumber(0, MOST_SESSIONS)] = field(default=0, metadata=ADDED_LATER)
    # Least number of positions between both showings in the same session.
    repeat_distance: Annotated[int, WholeNumber(2, MOST_IMAGES)] = field(default=10, metadata=ADDED_LATER)
    # The earlier session whose images it shows under another condition, all of them; 0: images of its own.
    images_of: Annotated[int, WholeNumber(0, MOST_SESSIONS)] = field(default=0, metadata=ADDED_LATER)

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

    def repeats_of(self, images: int) -> int:
        """Return how many of the images of a session this session shows again."""
        return round(self.repeat_share * images) if self.repeat_share is not None else 0

    def template(self, number: int, *, repeats: int = 0) -> SessionTemplate:
        """Return what the draw needs of the session. `repeats`: images that are shown a second time."""
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
            repeats=repeats,
            repeat_of=self.repeat_of if repeats else 0,
            repeat_distance=self.repeat_distance if repeats else 0,
            images_of=self.images_of,
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
    # Whether readers see their own result, beside the others without names, after the unsealing.
    shows_own_result: bool = field(default=False, metadata=ADDED_LATER)
    # How many persons it takes to unseal the study: with 2, one requests it and another one confirms.
    persons_to_unseal: Annotated[int, WholeNumber(1, 2)] = field(default=2, metadata=ADDED_LATER)
    # Two sessions that half of the readers read in the other order. Empty: all read the sessions by number.
    crossover: tuple[Annotated[int, WholeNumber(1, MOST_SESSIONS)], ...] = field(default=(), metadata=ADDED_LATER)

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
        return tuple(
            session.template(number, repeats=self.repeats(number))
            for number, session in enumerate(self.sessions, start=1)
        )

    def reading_order(self, *, swapped: bool) -> tuple[int, ...]:
        """Return the numbers of the sessions in the order in which a reader reads them."""
        numbers = range(1, len(self.sessions) + 1)
        if not (swapped and self.crossover):
            return tuple(numbers)
        first, second = self.crossover
        return tuple({first: second, second: first}.get(number, number) for number in numbers)

    def source(self, number: int) -> ProtocolSession:
        """Return the session that draws the images of a session: itself, unless it shows those of another."""
        return self.sessions[(self.sessions[number - 1].images_of or number) - 1]

    def show_same_images(self, first: int, second: int) -> bool:
        """Return whether two sessions show the same images."""
        numbers = (self.sessions[number - 1].images_of or number for number in (first, second))
        return first != second and len(set(numbers)) == 1

    def repeats(self, number: int) -> int:
        """Return how many images this session shows a second time."""
        session = self.sessions[number - 1]
        return session.repeats_of(self.source(session.repeat_of or number).total)

    def showings(self, number: int) -> int:
        """Return how many positions a session has, images that are shown a second time included."""
        return self.source(number).total + self.repeats(number)

    @property
    def asking(self) -> tuple[int, ...]:
        """The numbers of the sessions that ask for verdicts on images that they do not only repeat."""
        numbers = range(1, len(self.sessions) + 1)
        return tuple(n for n in numbers if self.sessions[n - 1].asks_verdict and self.source(n).total)

    @property
    def with_practice(self) -> tuple[int, ...]:
        """The numbers of the sessions that begin with a practice image."""
        return tuple(number for number, session in enumerate(self.sessions, start=1) if session.rules.practice)

    @property
    def first_language(self) -> str:
        """The language that is shown if a text lacks that of the reader."""
        return self.languages[0] if self.languages else "en"

    def repeated_until(self, number: int) -> int:
        """Return how many images of the session that this session repeats are repeated by it and those before."""
        source = self.sessions[number - 1].repeat_of or number
        return sum(self.repeats(n) for n in range(1, number + 1) if (self.sessions[n - 1].repeat_of or n) == source)

    def check(self) -> None:
        """Raise BadInput, with the location, unless the protocol describes a study that can be drawn and analysed."""
        if not 1 <= len(self.sessions) <= MOST_SESSIONS:
            raise BadInput("protocol sessions: " + gettext("must be 1 to %(most)s sessions.") % {"most": MOST_SESSIONS})
        _check_attacks(self.attacks, "protocol attacks")
        if len(self.languages) > MOST_LANGUAGES or len(set(self.languages)) < len(self.languages):
            raise BadInput(
                "protocol languages: "
                + gettext("must name at most %(most)s languages, each once.") % {"most": MOST_LANGUAGES}
            )
        check_languages(self.sessions, self.languages, "protocol sessions")
        for number in range(1, len(self.sessions) + 1):
            _check_images_of(self, number, f"protocol sessions {number}")
            _check_session(self, number, f"protocol sessions {number}")
        _check_crossover(self)
        for number in range(1, len(self.sessions) + 1):
            _check_repeats(self, number, f"protocol sessions {number}")
        check_analysis(self.analysis, self.asking, location="protocol analysis")
        _check_paired(self, "protocol analysis families")


def data_hash(data: Mapping[str, Any]) -> str:
    """Return SHA-256, in hexadecimal, of data as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


# What a session draws by. One that shows the images of another session has none of it; its splits are not looked at.
_OF_THE_DRAW: Final = ("real", "adversarial", "positive_share", "attacks", "resolution")


def _check_images_of(protocol: Protocol, number: int, location: str) -> None:
    session = protocol.sessions[number - 1]
    if not session.images_of:
        return
    if session.images_of >= number:
        raise BadInput(f"{location} images_of: " + gettext("must be the number of an earlier session, or 0."))
    source = protocol.source(number)
    if source.images_of or not source.total or {source.kind, session.kind} != {SessionKind.BLINDED}:
        raise BadInput(
            f"{location} images_of: "
            + gettext("only a blinded session can show the images of another one, which draws its own.")
        )
    if session.repeat_of:
        raise BadInput(
            f"{location} repeat_of: " + gettext("a session with the images of another one repeats only its own (0).")
        )
    for name in _OF_THE_DRAW:
        if getattr(session, name) != getattr(ProtocolSession, name):
            raise BadInput(
                f"{location} {name}: "
                + gettext("is decided by session %(source)s, whose images it shows.") % {"source": session.images_of}
            )


def _check_paired(protocol: Protocol, location: str) -> None:
    """The tests of single readers compare different images; the same images twice are not independent."""
    analysis = protocol.analysis
    if len(protocol.asking) < 2 or not protocol.show_same_images(analysis.before, analysis.after):
        return
    declared = (endpoint for family in analysis.families for endpoint in family.endpoints)
    if wrong := next((endpoint for endpoint in declared if endpoint in PER_READER), None):
        values = {"endpoint": wrong, "before": analysis.before, "after": analysis.after}
        text = gettext(
            "%(endpoint)s is a test of different images, but the sessions %(before)s and %(after)s show the same."
        )
        raise BadInput(f"{location}: " + text % values)


def _check_session(protocol: Protocol, number: int, location: str) -> None:
    session = protocol.sessions[number - 1]
    is_blinded = session.kind == SessionKind.BLINDED
    if session.adversarial and not is_blinded:
        raise BadInput(f"{location} adversarial: " + gettext("only blinded sessions show adversarial images alone."))
    is_questionnaire = session.kind == SessionKind.QUESTIONNAIRE
    if session.total and is_questionnaire:
        raise BadInput(f"{location} real: " + gettext("a questionnaire has no images."))
    repeats_only = session.repeat_of and session.repeat_share is not None
    if not (session.total or session.images_of or is_questionnaire or repeats_only):
        raise BadInput(f"{location} real: " + gettext("a session has at least two images."))
    for name in ("real", "adversarial"):
        if getattr(session, name) == 1:
            raise BadInput(f"{location} {name}: " + gettext("must be 0 or at least 2, so that both pathologies occur."))
    if not session.splits or len(set(session.splits)) < len(session.splits):
        raise BadInput(f"{location} splits: " + gettext("must name at least one split, each once."))
    _check_attacks(session.attacks, f"{location} attacks")
    _check_order(session, protocol.source(number), location)
    check_rules(session.rules, session.kind, f"{location} rules")


def _check_crossover(protocol: Protocol) -> None:
    location, crossover = "protocol crossover", protocol.crossover
    if not crossover:
        return
    if len(crossover) != 2 or not crossover[0] < crossover[1] <= len(protocol.sessions):
        raise BadInput(f"{location}: " + gettext("must be the numbers of two sessions, the lower first."))
    order = protocol.reading_order(swapped=True)
    for number, session in enumerate(protocol.sessions, start=1):
        if session.repeat_of and order.index(session.repeat_of) > order.index(number):
            raise BadInput(
                f"{location}: "
                + gettext("session %(number)s shows images of session %(source)s again.")
                % {"number": number, "source": session.repeat_of}
            )


def _check_repeats(protocol: Protocol, number: int, location: str) -> None:
    session = protocol.sessions[number - 1]
    if session.repeat_share is None:
        if session.repeat_of or session.repeat_distance != ProtocolSession.repeat_distance:
            raise BadInput(f"{location} repeat_share: " + gettext("is missing; it says how many images are repeated."))
        return
    if session.kind != SessionKind.BLINDED or session.order == ReadingOrder.BLOCKS:
        raise BadInput(
            f"{location} repeat_share: "
            + gettext("only blinded sessions in the order same or per_reader repeat images.")
        )
    if session.repeat_of >= number:
        raise BadInput(
            f"{location} repeat_of: " + gettext("must be the number of an earlier session, or 0 for this one.")
        )
    source, images = protocol.sessions[(session.repeat_of or number) - 1], protocol.source(session.repeat_of or number)
    if source.kind != SessionKind.BLINDED or source.rules.verdict != session.rules.verdict:
        raise BadInput(f"{location} repeat_of: " + gettext("must be a blinded session that asks for the same verdict."))
    if not protocol.repeats(number):
        raise BadInput(
            f"{location} repeat_share: "
            + gettext("is less than one of the %(images)s images.") % {"images": images.total}
        )
    if protocol.repeated_until(number) > images.total:
        raise BadInput(
            f"{location} repeat_share: "
            + gettext("more than the %(images)s images of the session, each once.") % {"images": images.total}
        )
    most = last_first_showing(images.total, distance=session.repeat_distance) + 1
    if not session.repeat_of and protocol.repeats(number) > most:
        raise BadInput(
            f"{location} repeat_distance: "
            + gettext("at it only %(most)s of the %(images)s images can be repeated.")
            % {"most": max(0, most), "images": images.total}
        )


def _check_order(session: ProtocolSession, source: ProtocolSession, location: str) -> None:
    if session.order != ReadingOrder.BLOCKS:
        if session.block_size:
            raise BadInput(f"{location} block_size: " + gettext("only the order 'blocks' has blocks."))
        return
    if not (source.real and source.adversarial):
        raise BadInput(f"{location} order: " + gettext("blocks need real and adversarial images."))
    if not 2 <= session.block_size <= source.total:
        raise BadInput(
            f"{location} block_size: "
            + gettext("must be from 2 to the %(images)s images of the session.") % {"images": source.total}
        )


def _check_attacks(attacks: tuple[str, ...], location: str) -> None:
    if len(attacks) > MOST_ATTACKS or len(set(attacks)) < len(attacks):
        raise BadInput(
            f"{location}: " + gettext("must name at most %(most)s attacks, each once.") % {"most": MOST_ATTACKS}
        )
