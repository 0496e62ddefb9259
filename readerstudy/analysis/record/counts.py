"""Counts, sums and sub-groups of the readings of one study: the input of every table and figure.

`readerstudy.analysis.queries.counts` computes them in the database. Single readings are needed only for the two
compared sessions (`ComparedReadings`), so a study of ten million readings is reported from tables of a few thousand
numbers.

A *kind* of image combines authenticity and pathology (KINDS). Arrays over verdicts follow VERDICTS: VERDICT_REAL,
VERDICT_NOT_REAL, VERDICT_UNSURE, VERDICT_SEEN (shown in a session that asks for no verdict).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL, VERDICTS, Subset
from readerstudy.statistics.proportions import Proportion, wilson
from readerstudy.statistics.subgroups import SubgroupSums, subgroup_counts
from readerstudy.statistics.unsure import Unsure

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Sums = NDArray[np.float32]  # of halves and wholes: exact below eight million

# Indices of kinds: real⁺ 0, real⁻ 1, adversarial⁺ 2, adversarial⁻ 3, pair⁺ 4, pair⁻ 5.
KINDS = tuple(product((REAL, ADVERSARIAL, PAIR), (POSITIVE, NEGATIVE)))
VERDICT_REAL, VERDICT_NOT_REAL, VERDICT_UNSURE, VERDICT_SEEN = range(len(VERDICTS))
SUBSETS = tuple(Subset)
ALL_READINGS = len(SUBSETS)  # index of all readings of a session, after the subsets
CURVE_BLOCKS = 10  # blocks of the figure of accuracy in reading order


def subset_kinds(subset: Subset | None) -> tuple[int, ...]:
    """Return the indices in KINDS of the images in a subset; None means all images."""
    if subset is None:
        return tuple(range(len(KINDS)))
    return tuple(
        index
        for index, (authenticity, pathology) in enumerate(KINDS)
        if authenticity == subset.authenticity and subset.pathology in (None, pathology)
    )


def block_numbers(groups: int) -> tuple[int, ...]:
    """Return the numbers of blocks that a report needs: standard ones, the plan's, and those of the figure."""
    return tuple(sorted({*subgroup_counts(groups), CURVE_BLOCKS}))


@dataclass(frozen=True)
class SubgroupBlocks:
    """Sub-groups of every reader, session and subset, for one number of groups.

    `readings` and `hits` have shape (readers, sessions, 7) and count all readings; index 6 is ALL_READINGS. `sums` has
    shape (readers, sessions, 7, groups): credits of contiguous blocks of ⌊readings / groups⌋ in reading order, 0 if
    there are fewer readings than groups. If the blocks are those of the whole session, `sizes` of the same shape counts
    the readings of each subset in them.
    """

    readings: Ints
    hits: Floats
    sums: Sums
    sizes: Ints | None = None

    @property
    def groups(self) -> int:
        return int(self.sums.shape[-1])

    def subgroup_sums(self, reader: int, session: int, subset: int) -> SubgroupSums:
        """Return the sums at these indices, as the sub-group tests take them."""
        index = (reader, session, subset)
        readings, of_blocks = int(self.readings[index]), ALL_READINGS if self.sizes is not None else subset
        has_blocks = self.readings[reader, session, of_blocks] >= self.groups
        sums = tuple(self.sums[index].tolist()) if has_blocks else ()
        sizes = tuple(self.sizes[index].tolist()) if has_blocks and self.sizes is not None else ()
        return SubgroupSums(readings, float(self.hits[index]), sums, sizes)


@dataclass(frozen=True)
class SessionTimes:
    """Reading times, each (readers, sessions); NaN if a reader has no readings in a session.

    Times are under the plan's idle rule, except `measured_minutes`. `first_shown` and `last_answered` are in seconds
    since 1970.
    """

    measured_minutes: Floats
    idle_readings: Ints
    active_minutes: Floats
    median_seconds: Floats
    lower_quartile: Floats
    upper_quartile: Floats
    first_shown: Floats
    last_answered: Floats


@dataclass(frozen=True)
class CaseVerdicts:
    """Verdicts on each image by arm and session, one element per image; `counts` is (cases, 4 verdicts)."""

    arm: NDArray[np.str_]
    session: Ints
    case: Ints
    kind: Ints
    counts: Ints

    def select(self, mask: NDArray[np.bool_]) -> "CaseVerdicts":
        """Return the elements where the mask is True."""
        return CaseVerdicts(self.arm[mask], self.session[mask], self.case[mask], self.kind[mask], self.counts[mask])


@dataclass(frozen=True)
class ComparedReadings:
    """Readings with a verdict from the compared sessions, one element per reading, in no particular order.

    `reader` is the index in `AggregatedReadings.readers`, `kind` that in KINDS, `verdict` that in VERDICTS.
    """

    reader: NDArray[np.int32]
    session: NDArray[np.int16]
    position: NDArray[np.int32]
    case: NDArray[np.int64]
    kind: NDArray[np.int8]
    verdict: NDArray[np.int8]
    elapsed_ms: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.reader.size)

    def select(self, mask: NDArray[np.bool_]) -> "ComparedReadings":
        """Return the elements where the mask is True; all of them are not copied."""
        return (
            self if mask.all() else ComparedReadings(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))
        )

    def of_sessions(self, first: int, second: int) -> "ComparedReadings":
        """Return the readings of two sessions."""
        return self.select(np.isin(self.session, (first, second)))

    @property
    def is_adversarial(self) -> NDArray[np.bool_]:
        return np.isin(self.kind, subset_kinds(Subset.ADVERSARIAL))

    @property
    def is_correct(self) -> NDArray[np.bool_]:
        """Whether the verdict names the truth; False for "unsure"."""
        return np.equal(self.verdict, np.where(self.is_adversarial, VERDICT_NOT_REAL, VERDICT_REAL), dtype=bool)


@dataclass(frozen=True)
class CorrectVerdicts:
    """Correct verdicts among verdicts, by a rule for "unsure"; hits may end in one half."""

    hits: float
    trials: int


@dataclass(frozen=True)
class AggregatedReadings:
    """All readings of one study, aggregated.

    `verdicts` has shape (readers, sessions, 6 kinds, 4 verdicts). `blocks` holds sub-groups by their number, under
    `rule`; `session_blocks` those of whole sessions, if the plan takes its SD of them. `compared` has the readings of
    the plan's two sessions, `declared` those of all sessions in its comparisons, None if it declares no further one.
    """

    readers: tuple[str, ...]
    sessions: tuple[int, ...]
    verdicts: Ints
    times: SessionTimes
    cases: CaseVerdicts
    rule: Unsure
    blocks: Mapping[int, SubgroupBlocks]
    compared: ComparedReadings
    session_blocks: Mapping[int, SubgroupBlocks] = field(default_factory=dict)
    declared: ComparedReadings | None = None

    def of_pair(self, before: int, after: int) -> ComparedReadings:
        """Return the readings of two sessions that the plan compares."""
        return self.compared if self.declared is None else self.declared.of_sessions(before, after)

    def __len__(self) -> int:
        return int(self.verdicts.sum())

    @property
    def judged_sessions(self) -> tuple[int, ...]:
        """Sessions with at least one verdict about authenticity."""
        counts = self.verdicts[..., :VERDICT_SEEN].sum(axis=(0, 2, 3))
        return tuple(session for session, count in zip(self.sessions, counts, strict=True) if count)

    @property
    def reader_sessions(self) -> tuple[tuple[str, int], ...]:
        """Every reader and session with a reading, in order."""
        counts = self.verdicts.sum(axis=(2, 3))
        return tuple((self.readers[r], self.sessions[s]) for r, s in np.argwhere(counts).tolist())

    def sessions_judged_by(self, reader: str) -> tuple[int, ...]:
        """Return the sessions in which the reader gave a verdict about authenticity."""
        counts = self.verdicts[self._reader_index[reader], ..., :VERDICT_SEEN].sum(axis=(1, 2))
        return tuple(session for session, count in zip(self.sessions, counts, strict=True) if count)

    def index(self, reader: str, session: int) -> tuple[int, int]:
        """Return the indices in the arrays. Raises KeyError or ValueError for those without readings."""
        return self._reader_index[reader], self.sessions.index(session)

    def number_read(self, reader: str, session: int) -> int:
        """Return the number of readings of one reader in one session."""
        return int(self.verdicts_of(reader, session).sum())

    def verdicts_of(self, reader: str, session: int) -> Ints:
        """Return the counts (6 kinds, 4 verdicts) of one reader in one session; zeros without readings."""
        if reader not in self._reader_index or session not in self.sessions:
            return np.zeros((len(KINDS), len(VERDICTS)), dtype=np.int64)
        counts: Ints = self.verdicts[self.index(reader, session)]
        return counts

    def share_correct(self, reader: str, session: int, subset: Subset, rule: Unsure) -> Proportion:
        """Return the share of correct verdicts of one reader in one session and subset, with Wilson's interval."""
        verdicts = self.verdicts_of(reader, session)[list(subset_kinds(subset))].sum(axis=0)
        correct = count_correct(verdicts, subset, rule)
        return wilson(correct.hits, correct.trials)

    def readers_with_verdicts(self, session: int | None = None) -> tuple[str, ...]:
        """Return the readers with a verdict about authenticity in this session, or in any session."""
        verdicts = self.verdicts if session is None else self.verdicts[:, [self.sessions.index(session)]]
        counts = verdicts[..., :VERDICT_SEEN].sum(axis=(1, 2, 3))
        return tuple(reader for reader, count in zip(self.readers, counts, strict=True) if count)

    @cached_property
    def _reader_index(self) -> Mapping[str, int]:
        return {reader: index for index, reader in enumerate(self.readers)}


def count_correct(verdicts: Ints, subset: Subset, rule: Unsure) -> CorrectVerdicts:
    """Count correct verdicts from the counts (4 verdicts,) of images of one authenticity."""
    correct = int(verdicts[VERDICT_NOT_REAL if subset.authenticity == ADVERSARIAL else VERDICT_REAL])
    unsure = int(verdicts[VERDICT_UNSURE])
    total = int(verdicts[:VERDICT_SEEN].sum())
    if rule is Unsure.EXCLUDED:
        return CorrectVerdicts(float(correct), total - unsure)
    return CorrectVerdicts(correct + rule.credit * unsure, total)
