"""What a report is worked out from: counts, sums and sub-groups, and the readings themselves only for MRMC.

The database adds up (`readerstudy.analysis.queries.counts`), or arrays do (`tally`); both give the same `Tallies`, and
nothing after them knows which. So a study of ten million readings is reported from tables of a few thousand numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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

# A kind is authenticity and pathology in one: real⁺ 0, real⁻ 1, adversarial⁺ 2, adversarial⁻ 3, pair⁺ 4, pair⁻ 5.
KINDS = tuple(product((REAL, ADVERSARIAL, PAIR), (POSITIVE, NEGATIVE)))
SAID_REAL, SAID_NOT_REAL, SAID_UNSURE, SAID_SEEN = range(len(VERDICTS))
SUBSETS = tuple(Subset)
WHOLE = len(SUBSETS)  # the place, behind the sub-sets, of all readings of a session
CURVE = 10  # blocks of the figure that follows a session


def kinds_of(subset: Subset | None) -> tuple[int, ...]:
    """The kinds that make up a sub-set; None is the whole session."""
    if subset is None:
        return tuple(range(len(KINDS)))
    return tuple(
        number
        for number, (authenticity, pathology) in enumerate(KINDS)
        if authenticity == subset.authenticity and subset.pathology in (None, pathology)
    )


def group_numbers(groups: int) -> tuple[int, ...]:
    """The numbers of sub-groups that a report needs: the fixed four and the plan's."""
    return tuple(sorted({*subgroup_counts(groups), CURVE}))


@dataclass(frozen=True)
class Blocks:
    """Sub-groups of every reader, session and sub-set (and the whole, in the last place), for one number of groups.

    `readings` and `hits` are (readers, sessions, 7) over all readings; `sums` is (readers, sessions, 7, groups),
    credits of contiguous blocks of ⌊readings / groups⌋ in reading order, 0 where there are fewer readings.
    """

    readings: Ints
    hits: Floats
    sums: Floats

    @property
    def groups(self) -> int:
        return int(self.sums.shape[-1])

    def cut(self, reader: int, session: int, subset: int) -> SubgroupSums:
        """One of them, by places."""
        readings = int(self.readings[reader, session, subset])
        sums = tuple(self.sums[reader, session, subset].tolist()) if readings >= self.groups else ()
        return SubgroupSums(readings, float(self.hits[reader, session, subset]), sums)


@dataclass(frozen=True)
class Times:
    """Reading times, each (readers, sessions); NaN where a reader has no reading in a session.

    Seconds and minutes are under the plan's idle rule; `clocked_minutes` are as measured. `first_shown` and
    `last_answered` are in seconds since 1970.
    """

    clocked_minutes: Floats
    idle_readings: Ints
    active_minutes: Floats
    median_seconds: Floats
    lower_quartile: Floats
    upper_quartile: Floats
    first_shown: Floats
    last_answered: Floats


@dataclass(frozen=True)
class Cases:
    """One element for each image with a verdict, by arm and session; `counts` is (cases, 4 verdicts)."""

    arm: NDArray[np.str_]
    session: Ints
    case: Ints
    kind: Ints
    counts: Ints

    def chosen(self, mask: NDArray[np.bool_]) -> "Cases":
        return Cases(self.arm[mask], self.session[mask], self.case[mask], self.kind[mask], self.counts[mask])


@dataclass(frozen=True)
class Matrix:
    """The verdicts of the two compared sessions, one element per reading, in no order; for MRMC.

    `reader` is the place in `Tallies.readers`, `kind` that in KINDS, `verdict` that in VERDICTS.
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

    def chosen(self, mask: NDArray[np.bool_]) -> "Matrix":
        return Matrix(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))

    @property
    def is_adversarial(self) -> NDArray[np.bool_]:
        return np.isin(self.kind, kinds_of(Subset.ADVERSARIAL))


@dataclass(frozen=True)
class Tallies:
    """All readings of one study, added up.

    `counts` is (readers, sessions, 6 kinds, 4 verdicts). `blocks` holds the sub-groups by their number, under
    `rule`; their `sums` are (readers, sessions, 6 sub-sets and the whole, groups).
    """

    readers: tuple[str, ...]
    sessions: tuple[int, ...]
    counts: Ints
    times: Times
    cases: Cases
    rule: Unsure
    blocks: Mapping[int, Blocks]
    matrix: Matrix

    def __len__(self) -> int:
        return int(self.counts.sum())

    @property
    def asked(self) -> tuple[int, ...]:
        """The sessions in which somebody gave a verdict about authenticity."""
        given = self.counts[..., :SAID_SEEN].sum(axis=(0, 2, 3))
        return tuple(session for session, count in zip(self.sessions, given, strict=True) if count)

    @property
    def sittings(self) -> tuple[tuple[str, int], ...]:
        """Every reader and session with a reading, in order."""
        given = self.counts.sum(axis=(2, 3))
        return tuple((self.readers[r], self.sessions[s]) for r, s in np.argwhere(given).tolist())

    def asked_of(self, reader: str) -> tuple[int, ...]:
        """The sessions in which this reader gave a verdict about authenticity."""
        given = self.counts[self._reader_places[reader], ..., :SAID_SEEN].sum(axis=(1, 2))
        return tuple(session for session, count in zip(self.sessions, given, strict=True) if count)

    def place(self, reader: str, session: int) -> tuple[int, int]:
        """Where they stand in the arrays; KeyError or ValueError for one without readings."""
        return self._reader_places[reader], self.sessions.index(session)

    def done(self, reader: str, session: int) -> int:
        return int(self.of(reader, session).sum())

    def of(self, reader: str, session: int) -> Ints:
        """(6 kinds, 4 verdicts) of one reader in one session; noughts where there is nothing."""
        if reader not in self._reader_places or session not in self.sessions:
            return np.zeros((len(KINDS), len(VERDICTS)), dtype=np.int64)
        found: Ints = self.counts[self._reader_places[reader], self.sessions.index(session)]
        return found

    def share(self, reader: str, session: int, subset: Subset, rule: Unsure) -> Proportion:
        """Right verdicts of one reader in one session and sub-set, by the declared rule for unsure."""
        hits, trials = right(self.of(reader, session)[list(kinds_of(subset))].sum(axis=0), subset, rule)
        return wilson(hits, trials)

    def readers_asked(self, session: int | None = None) -> tuple[str, ...]:
        """Readers with a verdict about authenticity, in this session or in any."""
        counts = self.counts if session is None else self.counts[:, [self.sessions.index(session)]]
        given = counts[..., :SAID_SEEN].sum(axis=(1, 2, 3))
        return tuple(reader for reader, count in zip(self.readers, given, strict=True) if count)

    @cached_property
    def _reader_places(self) -> Mapping[str, int]:
        return {reader: place for place, reader in enumerate(self.readers)}


def right(verdicts: Ints, subset: Subset, rule: Unsure) -> tuple[float, int]:
    """Hits and trials from the counts of the four verdicts about images of one authenticity."""
    named = verdicts[SAID_NOT_REAL if subset.authenticity == ADVERSARIAL else SAID_REAL]
    unsure = int(verdicts[SAID_UNSURE])
    all_given = int(verdicts[:SAID_SEEN].sum())
    if rule is Unsure.EXCLUDED:
        return float(named), all_given - unsure
    return float(named) + (rule.credit * unsure), all_given
