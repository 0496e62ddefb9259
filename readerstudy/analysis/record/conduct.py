"""How a study was carried out, as plain values: material, draw, sessions, exclusions, and provenance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from readerstudy.vocabulary import MADE_ELSEWHERE, SYNTHETIC


@dataclass(frozen=True)
class SplitCounts:
    """Patients and images of one split of the cohort. `positive_patients` have at least one positive image."""

    split: str
    patients: int
    images: int
    positive_patients: int
    positive_images: int


@dataclass(frozen=True)
class ImportCounts:
    """Numbers of one import: new images, images known before, and files excluded because of problems.

    `other_sides` counts the images that were left out because only the affected side of patients with the finding was
    wanted; None if both sides were.
    """

    at: datetime
    new: int
    known: int
    problems: int
    other_sides: int | None = None


@dataclass(frozen=True)
class CopyGroups:
    """Images that are near-copies of others or parts of one recording, their groups, and the groups in two splits."""

    images: int = 0
    groups: int = 0
    divided_groups: int = 0


@dataclass(frozen=True)
class CohortFacts:
    """The material of a study.

    `pathologies` counts images by pathology. `adversarial_images` counts, by resolution, the images that have an
    adversarial version made by the study's generators.
    """

    name: str
    splits: tuple[SplitCounts, ...]
    imports: tuple[ImportCounts, ...]
    pathologies: Mapping[str, int]
    pathology_sources: tuple[str, ...]
    modalities: tuple[str, ...]
    source_bits: tuple[int, ...]
    fractions: tuple[float, ...]
    adversarial_images: Mapping[str, int]
    copies: CopyGroups = CopyGroups()

    @property
    def patients(self) -> int:
        return sum(split.patients for split in self.splits)

    @property
    def images(self) -> int:
        return sum(split.images for split in self.splits)


@dataclass(frozen=True)
class SessionFacts:
    """One session as planned: the number of images per reader, and its rules."""

    number: int
    title: str
    asks_for_verdict: bool
    planned: int
    washout_days: int
    rest_hours: int
    display_check: str
    practice: bool
    questions: tuple[str, ...]
    # What the verdicts were called, if not by the software's words: verdict and label.
    verdict_labels: tuple[tuple[str, str], ...] = ()
    order: str = ""  # of its images, a value of `ReadingOrder`


@dataclass(frozen=True)
class DrawnImages:
    """Images and patients that one session of one arm drew from one split."""

    arm: str
    session: int
    split: str
    images: int
    patients: int


class SessionState(StrEnum):
    """How far a reader came in a session."""

    FINISHED = "finished"
    HELD = "held"
    NOT_FINISHED = "not_finished"
    NOT_BEGUN = "not_begun"


@dataclass(frozen=True)
class GradeCounts:
    """Readings by the grade of their times (`reading.timing_grade`); `none` are from before times were graded."""

    a: int = 0
    b: int = 0
    c: int = 0
    none: int = 0


@dataclass(frozen=True)
class ReaderSession:
    """One reader in one session: images allocated, presented and read, and interruptions.

    `paused`, `idle` and `after_gap` count readings. `times_resumed` counts returns to the session after a gap.
    """

    reader: str
    arm: str
    session: int
    allocated: int
    presented: int
    read: int
    grades: GradeCounts = field(default_factory=GradeCounts)
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
    def state(self) -> SessionState:
        if self.finished_at is not None:
            return SessionState.FINISHED
        if self.is_held:
            return SessionState.HELD
        return SessionState.NOT_BEGUN if self.opened_at is None else SessionState.NOT_FINISHED


@dataclass(frozen=True)
class StudyEvent:
    """An action on the study as a whole: date, person (empty: at the server's terminal), and reason.

    `confirmed_by`: the second person, if it took two.
    """

    at: datetime
    by: str = ""
    reason: str = ""
    confirmed_by: str = ""


@dataclass(frozen=True)
class ExcludedImage:
    """One image that the analysis leaves out in a session of an arm: when, by whom and why."""

    arm: str
    session: int
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class UnplannedUnblinding:
    """Somebody learnt part of the truth before the unsealing, and what that was taken to mean.

    `readers` and `sessions` are those it concerns; empty: all. `consequence` is empty if it was not assessed.
    """

    number: int
    happened_at: datetime
    persons: str
    learnt: str
    how: str
    readers: tuple[str, ...] = ()
    sessions: tuple[int, ...] = ()
    readings: int | None = None
    consequence: str = ""
    assessment: str = ""


class StartingWeights(StrEnum):
    """The weights that the training of a network began with."""

    FILE = "file"  # of VGG11, given to the training
    RANDOM = "random"
    RUN = "run"  # a GAN: its generator at random, its discriminator from the classifier


@dataclass(frozen=True)
class NetworkRun:
    """A trained network as registered, or an import of adversarial images.

    Fields after `kind` are empty if the name is no longer registered. `start` is None if the run's job is not known.
    """

    name: str
    kind: str
    preset: str = ""
    seed: int | None = None
    code_version: str = ""
    split_hash: str = ""
    # Of images that another program made: what the person who imported them said about it.
    made_by: str = ""
    description: str = ""
    start: StartingWeights | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_imported(self) -> bool:
        """Return whether the images were made elsewhere, by no network of this installation."""
        return self.kind in MADE_ELSEWHERE

    @property
    def is_synthetic(self) -> bool:
        """Return whether the images were made from no image of the cohort."""
        return self.kind == SYNTHETIC


@dataclass(frozen=True)
class AttackRun:
    """An attack without a generator run, as registered; `classifier` is the run whose gradient it used."""

    name: str
    method: str
    settings: Mapping[str, Any]
    classifier: str = ""
    seed: int | None = None
    code_version: str = ""


@dataclass(frozen=True)
class AuditResult:
    """The result of one audit of the blinding; `images` is the number of images tested."""

    at: datetime
    passed: bool
    images: int | None


@dataclass(frozen=True)
class StudyHashes:
    """SHA-256 of the study's plan (canonical JSON), of its draw, and of its readings (see `queries.conduct`)."""

    plan: str
    draw: str
    readings: str


@dataclass(frozen=True)
class SoftwareVersions:
    """Versions that made the report: this software, SHA-256 over its source files, and the packages it uses."""

    version: str
    source_hash: str
    packages: Mapping[str, str]


@dataclass(frozen=True)
class SessionTotals:
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
class StudyConduct:
    """Everything known about how the study was carried out.

    `resolutions` and `patients_drawn` are by arm. `is_declared` is whether an analysis plan was locked with the study.
    `generators` and `attacks` made the adversarial images: runs of networks, and attacks without one.
    """

    cohort: CohortFacts
    resolutions: Mapping[str, str]
    sessions: tuple[SessionFacts, ...]
    drawn: tuple[DrawnImages, ...]
    patients_drawn: Mapping[str, int]
    reader_sessions: tuple[ReaderSession, ...]
    created: StudyEvent
    closed: StudyEvent | None
    unsealed: StudyEvent | None
    is_declared: bool
    hashes: StudyHashes
    generators: tuple[NetworkRun, ...]
    classifier: NetworkRun | None
    software: SoftwareVersions
    audits: tuple[AuditResult, ...] = ()
    excluded: tuple[ExcludedImage, ...] = ()
    attacks: tuple[AttackRun, ...] = ()
    unblindings: tuple[UnplannedUnblinding, ...] = ()

    @property
    def is_synthetic(self) -> bool:
        """Return whether all adversarial images of the study were made from no image of the cohort."""
        return bool(self.generators) and not self.attacks and all(run.is_synthetic for run in self.generators)

    def totals(self, arm: str, session: int) -> SessionTotals:
        """Return the sums over the readers of an arm; all zero if nobody is enrolled."""
        return _sum_sessions(self._by_arm.get((arm, session), ()))

    def reader_session(self, reader: str, session: int) -> ReaderSession | None:
        """Return one reader's session, or None if the reader has no list for it."""
        return self._by_reader.get((reader, session))

    def draws(self, arm: str, session: int) -> tuple[DrawnImages, ...]:
        """Return the images drawn for a session of an arm, by split."""
        return tuple(draw for draw in self.drawn if (draw.arm, draw.session) == (arm, session))

    def images_drawn(self, arm: str, session: int) -> int:
        """Return the number of images allocated to each reader of the arm in the session."""
        return sum(draw.images for draw in self.draws(arm, session))

    @cached_property
    def _by_arm(self) -> Mapping[tuple[str, int], tuple[ReaderSession, ...]]:
        groups: dict[tuple[str, int], list[ReaderSession]] = {}
        for each in self.reader_sessions:
            groups.setdefault((each.arm, each.session), []).append(each)
        return {key: tuple(sessions) for key, sessions in groups.items()}

    @cached_property
    def _by_reader(self) -> Mapping[tuple[str, int], ReaderSession]:
        return {(each.reader, each.session): each for each in self.reader_sessions}


def _sum_sessions(sessions: Iterable[ReaderSession]) -> SessionTotals:
    each = tuple(sessions)
    return SessionTotals(
        readers=len(each),
        begun=sum(session.state is not SessionState.NOT_BEGUN for session in each),
        finished=sum(session.state is SessionState.FINISHED for session in each),
        allocated=sum(session.allocated for session in each),
        presented=sum(session.presented for session in each),
        read=sum(session.read for session in each),
    )
