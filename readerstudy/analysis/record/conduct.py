"""How a study was carried out, in plain values: what was there, what was drawn, shown and read, when, and by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property


@dataclass(frozen=True)
class Part:
    """One split of the cohort; malignant counts images and the patients with such an image."""

    split: str
    patients: int
    images: int
    malignant_patients: int
    malignant_images: int


@dataclass(frozen=True)
class Import:
    """One import of pictures; `problems` were left out."""

    at: datetime
    new: int
    known: int
    problems: int


@dataclass(frozen=True)
class CohortFacts:
    """The material. `pathologies` counts images; `twins` the images with an adversarial twin by the study's runs."""

    name: str
    parts: tuple[Part, ...]
    imports: tuple[Import, ...]
    pathologies: Mapping[str, int]
    pathology_sources: tuple[str, ...]
    modalities: tuple[str, ...]
    source_bits: tuple[int, ...]
    fractions: tuple[float, ...]
    twins: Mapping[str, int]

    @property
    def patients(self) -> int:
        return sum(part.patients for part in self.parts)

    @property
    def images(self) -> int:
        return sum(part.images for part in self.parts)


@dataclass(frozen=True)
class SessionFacts:
    """One session as planned: how many images of which kind for each reader, and the rules around them."""

    number: int
    title: str
    asks: bool
    planned: int
    washout_days: int
    rest_hours: int
    display_check: str
    practice: bool
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """Images that one session of one arm took from one split."""

    arm: str
    session: int
    split: str
    images: int
    patients: int


class State(StrEnum):
    """How far a reader came in a session."""

    FINISHED = "finished"
    HELD = "held"
    NOT_FINISHED = "not_finished"
    NOT_BEGUN = "not_begun"


@dataclass(frozen=True)
class Grades:
    """Readings by the quality of their times (`reading.quality`); `none` are from before times were graded."""

    a: int = 0
    b: int = 0
    c: int = 0
    none: int = 0


@dataclass(frozen=True)
class Sitting:
    """One reader in one session: images allocated, handed out and read, and what disturbed.

    `paused`, `idle` and `after_gap` count readings; `times_resumed` are returns to the session after a gap.
    """

    reader: str
    arm: str
    session: int
    allocated: int
    presented: int
    read: int
    grades: Grades = field(default_factory=Grades)
    paused: int = 0
    idle: int = 0
    after_gap: int = 0
    opened_at: datetime | None = None
    finished_at: datetime | None = None
    is_held: bool = False
    times_held: int = 0
    times_resumed: int = 0
    checks_passed: int = 0
    checks_failed: int = 0

    @property
    def missing(self) -> int:
        return self.allocated - self.read

    @property
    def state(self) -> State:
        if self.finished_at is not None:
            return State.FINISHED
        if self.is_held:
            return State.HELD
        return State.NOT_BEGUN if self.opened_at is None else State.NOT_FINISHED


@dataclass(frozen=True)
class Step:
    """What was done to the study as a whole: when, by whom (empty: at the server's terminal), and why."""

    at: datetime
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """A trained network as the register has it; empty where the register does not know the name any more."""

    name: str
    kind: str
    preset: str = ""
    seed: int | None = None
    code_version: str = ""
    split_hash: str = ""


@dataclass(frozen=True)
class Audit:
    """One audit of the blinding; `images` is how many it looked at."""

    at: datetime
    passed: bool
    images: int | None


@dataclass(frozen=True)
class Hashes:
    """SHA-256 of the study's plan (canonical JSON), of its draw, and of its readings (`conduct_rows`)."""

    plan: str
    draw: str
    readings: str


@dataclass(frozen=True)
class Software:
    """What made the report: our version, SHA-256 over our source files, and what it stands on."""

    version: str
    source_hash: str
    packages: Mapping[str, str]


@dataclass(frozen=True)
class Totals:
    """Sums over the readers of one arm in one session."""

    readers: int
    begun: int
    finished: int
    allocated: int
    presented: int
    read: int

    @property
    def missing(self) -> int:
        return self.allocated - self.read


@dataclass(frozen=True)
class Conduct:
    """Everything that is known about how the study was carried out. `resolutions` gives each arm's."""

    cohort: CohortFacts
    resolutions: Mapping[str, str]
    sessions: tuple[SessionFacts, ...]
    drawn: tuple[Drawn, ...]
    patients_drawn: Mapping[str, int]
    sittings: tuple[Sitting, ...]
    created: Step
    closed: Step | None
    unsealed: Step | None
    is_declared: bool
    hashes: Hashes
    generators: tuple[Run, ...]
    classifier: Run | None
    software: Software
    audits: tuple[Audit, ...] = ()

    def totals(self, arm: str, session: int) -> Totals:
        """Noughts where nobody is enrolled."""
        return _added(self._by_place.get((arm, session), ()))

    def of(self, reader: str, session: int) -> Sitting | None:
        return self._by_reader.get((reader, session))

    def drawn_for(self, arm: str, session: int) -> int:
        """Images that each reader of the arm is to see in the session."""
        return sum(one.images for one in self.drawn if (one.arm, one.session) == (arm, session))

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, int], tuple[Sitting, ...]]:
        found: dict[tuple[str, int], list[Sitting]] = {}
        for one in self.sittings:
            found.setdefault((one.arm, one.session), []).append(one)
        return {place: tuple(sittings) for place, sittings in found.items()}

    @cached_property
    def _by_reader(self) -> Mapping[tuple[str, int], Sitting]:
        return {(one.reader, one.session): one for one in self.sittings}


def _added(sittings: Iterable[Sitting]) -> Totals:
    given = tuple(sittings)
    return Totals(
        readers=len(given),
        begun=sum(one.state is not State.NOT_BEGUN for one in given),
        finished=sum(one.state is State.FINISHED for one in given),
        allocated=sum(one.allocated for one in given),
        presented=sum(one.presented for one in given),
        read=sum(one.read for one in given),
    )
