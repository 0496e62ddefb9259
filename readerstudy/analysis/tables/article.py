"""The article's Tables 2, 3 and 4 from one study's record."""

from collections.abc import Iterable, Sequence

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import subset_groups, unsure_sentence
from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL, Subset, by_number
from readerstudy.analysis.record.counts import SAID_UNSURE, Tallies
from readerstudy.analysis.record.study import SessionSet, StudyRecord
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.statistics.unsure import Unsure

_SECONDS_PER_MINUTE = 60
_PARTS: tuple[str | None, ...] = (None, POSITIVE, NEGATIVE)


def table_2(record: StudyRecord) -> Table:
    """The images of each session as planned and as drawn; the last line of each arm adds them up."""
    columns = [
        Column("session", _("Session")),
        Column("title", _("Title")),
        Column("arm", _("Arm")),
        Column("planned", _("Planned"), Kind.COUNT),
        Column("drawn", _("Drawn"), Kind.COUNT),
    ]
    parts = ((None, _("all")), (POSITIVE, _("of positives")), (NEGATIVE, _("of negatives")))
    groups = ((REAL, _("Real")), (ADVERSARIAL, _("Adversarial")), (PAIR, _("Triptychs")))
    for authenticity, group in groups:
        for part, title in parts:
            columns.append(Column(_key(authenticity, part), title, Kind.COUNT, group))
    rows: list[tuple[Cell, ...]] = []
    for arm in record.arms:
        sets = sorted((one for one in record.sets if one.arm == arm), key=lambda one: one.number)
        rows += [(str(one.number), one.title, arm, *_counts([one])) for one in sets]
        rows.append((_("All"), "", arm, *_counts(sets)))
    return Table(
        key="table2",
        title=_("Table 2. The image sets"),
        caption=_(
            "What each session shows: planned, and drawn from the stored seed. Positive means malignant, negative "
            "benign or normal; an adversarial image counts by the patient it was made from, whatever it looks "
            "like now."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        empty=_("No session has been drawn yet: make the study first."),
    )


def table_2_readings(record: StudyRecord) -> Table:
    """Plan against done: per reader and session the readings planned, done and left, and the unsure ones."""
    rows: list[tuple[Cell, ...]] = []
    for reader in sorted(record.readers, key=by_number):
        arm = record.readers[reader]
        for one in sorted(record.sets, key=lambda one: one.number):
            if one.arm == arm:
                rows.append((reader, str(one.number), arm, *_progress(record.tallies, reader, one)))
    return Table(
        key="table2b",
        title=_("Table 2, continued. Readings done"),
        caption=_(
            "Readings per reader and session against the plan, and how many of the verdicts were “unsure”. "
            "Sessions that ask nothing have no verdicts: their images are only seen."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("arm", _("Arm")),
            Column("planned", _("Planned"), Kind.COUNT),
            Column("done", _("Done"), Kind.COUNT),
            Column("left", _("Left"), Kind.COUNT),
            Column("unsure", _("Unsure"), Kind.COUNT),
        ),
        rows=tuple(rows),
        empty=_("No reader is enrolled yet: enrol readers in the administration."),
    )


def table_3(record: StudyRecord, rule: Unsure) -> Table:
    """Per reader and session the share of right verdicts, for each of the article's sub-sets."""
    columns = [Column("reader", _("Reader")), Column("session", _("Session"))]
    for group, subset, title in subset_groups():
        columns.append(Column(subset.value, title, Kind.SHARE, group))
    tallies = record.tallies
    rows: list[tuple[Cell, ...]] = []
    for reader in tallies.readers:
        for session in tallies.asked_of(reader):
            shares = (tallies.share(reader, session, subset, rule) for subset in Subset)
            rows.append((reader, str(session), *shares))
    return Table(
        key="table3",
        title=_("Table 3. Right verdicts"),
        caption=_(
            # xgettext: no-python-format
            "The share of real images called real and of adversarial images called not real, with Wilson’s "
            "95 % interval and the counts. 0.50 is not chance: a reader who calls everything real has 1.00 "
            "on the real and 0.00 on the adversarial images, so read the two halves together."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(unsure_sentence(rule),),
        empty=_("There are no verdicts yet: readers give the first ones in session 2."),
    )


def table_4(record: StudyRecord) -> Table:
    """Minutes per reader and session, and seconds per image."""
    rows: list[tuple[Cell, ...]] = []
    tallies = record.tallies
    for reader, session in tallies.sittings:
        rows.append((reader, str(session), tallies.done(reader, session), *_times(tallies, reader, session)))
    return Table(
        key="table4",
        title=_("Table 4. Reading times"),
        caption=_(
            "Minutes reading add up the time from each image drawn to its verdict, as the browser measured "
            "it. Minutes by the clock run from the first image shown to the last verdict received, breaks "
            "included. Seconds per image: the median, and the quartiles, between which the middle half lies."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("readings", _("Images"), Kind.COUNT),
            Column("minutes", _("reading"), Kind.DECIMAL, _("Minutes")),
            Column("minutes_by_the_clock", _("by the clock"), Kind.DECIMAL, _("Minutes")),
            Column("seconds_median", _("median"), Kind.DECIMAL, _("Seconds per image")),
            Column("seconds_lower_quartile", _("lower quartile"), Kind.DECIMAL, _("Seconds per image")),
            Column("seconds_upper_quartile", _("upper quartile"), Kind.DECIMAL, _("Seconds per image")),
        ),
        rows=tuple(rows),
        empty=_("Nothing has been read yet: readers begin with session 1."),
    )


def _key(authenticity: str, part: str | None) -> str:
    return authenticity if part is None else f"{authenticity}_{part}"


def _counts(sets: Sequence[SessionSet]) -> Iterable[int]:
    yield sum(one.planned for one in sets)
    yield sum(sum(one.drawn.values()) for one in sets)
    for authenticity in (REAL, ADVERSARIAL, PAIR):
        for part in _PARTS:
            yield sum(one.count(authenticity, part) for one in sets)


def _progress(tallies: Tallies, reader: str, one: SessionSet) -> tuple[int, int, int, int | None]:
    done = tallies.of(reader, one.number)
    unsure = int(done[:, SAID_UNSURE].sum()) if one.asks else None
    return one.planned, int(done.sum()), one.planned - int(done.sum()), unsure


def _times(tallies: Tallies, reader: str, session: int) -> tuple[float, float | None, float, float, float]:
    times, at = tallies.times, tallies.place(reader, session)
    clock = (times.last_answered[at] - times.first_shown[at]) / _SECONDS_PER_MINUTE
    by_the_clock = None if np.isnan(clock) else float(clock)
    quartiles = (times.median_seconds, times.lower_quartile, times.upper_quartile)
    median, lower, upper = (float(one[at]) for one in quartiles)
    return float(times.clocked_minutes[at]), by_the_clock, median, lower, upper
