"""The article's Tables 2, 3 and 4."""

from collections.abc import Iterator, Sequence

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL, Subset, reader_sort_key
from readerstudy.analysis.record.counts import VERDICT_UNSURE, AggregatedReadings
from readerstudy.analysis.record.study import SessionImages, StudyRecord
from readerstudy.analysis.wording import same_images_sentences, subset_groups, unsure_sentence
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.statistics.unsure import Unsure

_SECONDS_PER_MINUTE = 60
_PATHOLOGIES: tuple[str | None, ...] = (None, POSITIVE, NEGATIVE)


def table_2(record: StudyRecord) -> Table:
    """Return the images of each session as planned and drawn, with the sum of each arm in its last row."""
    columns = [
        Column("session", _("Session")),
        Column("title", _("Title")),
        Column("arm", _("Arm")),
        Column("planned", _("Planned"), Kind.COUNT),
        Column("drawn", _("Drawn"), Kind.COUNT),
    ]
    titles = {None: _("all"), POSITIVE: _("of positives"), NEGATIVE: _("of negatives")}
    groups = {REAL: _("Real"), ADVERSARIAL: _("Adversarial"), PAIR: _("Triptychs")}
    for authenticity, group in groups.items():
        for pathology, title in titles.items():
            key = authenticity if pathology is None else f"{authenticity}_{pathology}"
            columns.append(Column(key, title, Kind.COUNT, group))
    rows: list[tuple[Cell, ...]] = []
    for arm in record.arms:
        image_sets = record.sets_of_arm(arm)
        rows += [(str(each.number), each.title, arm, *_image_counts([each])) for each in image_sets]
        # Images that a second session shows again are counted once.
        rows.append((_("All"), "", arm, *_image_counts([each for each in image_sets if not each.images_of])))
    return Table(
        key="table2",
        title=_("Table 2. Image sets"),
        caption=_image_caption(record),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*same_images_sentences(record), *_synthetic_sentences(record)),
        empty=_("No session has been drawn yet. Create the study first."),
    )


def _image_caption(record: StudyRecord) -> str:
    words = record.modality.words.report
    if record.conduct and record.conduct.is_synthetic:
        return str(words.positive_means)
    return f"{words.positive_means} {words.counted_by_source}"


def _synthetic_sentences(record: StudyRecord) -> Iterator[str]:
    if record.conduct and any(run.is_synthetic for run in record.conduct.generators):
        yield _("Synthetic images have no source image: they count by the pathology that they show.")


def _image_counts(image_sets: Sequence[SessionImages]) -> Iterator[int]:
    yield sum(image_set.planned for image_set in image_sets)
    yield sum(sum(image_set.drawn.values()) for image_set in image_sets)
    for authenticity in (REAL, ADVERSARIAL, PAIR):
        for pathology in _PATHOLOGIES:
            yield sum(image_set.count(authenticity, pathology) for image_set in image_sets)


def table_2_readings(record: StudyRecord) -> Table:
    """Return the readings planned, done and missing per reader and session, and the "unsure" verdicts."""
    rows: list[tuple[Cell, ...]] = []
    for reader in sorted(record.readers, key=reader_sort_key):
        arm = record.readers[reader]
        for image_set in record.sets_of_arm(arm):
            verdicts = record.readings.verdicts_of(reader, image_set.number)
            done = int(verdicts.sum())
            # Without a verdict there is no number of them, not even 0.
            unsure = int(verdicts[:, VERDICT_UNSURE].sum()) if image_set.asks_for_verdict and done else None
            left = image_set.planned - done
            rows.append((reader, str(image_set.number), arm, image_set.planned, done, left, unsure))
    return Table(
        key="table2b",
        title=_("Table 2, continued. Readings done"),
        caption=_(
            "Readings per reader and session compared with the plan, and the number of verdicts “unsure”. Sessions "
            "that only show images ask for no verdicts."
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
        empty=_("No readers are enrolled yet. Enrol readers in the administration."),
    )


def table_3(record: StudyRecord, rule: Unsure) -> Table:
    """Return the share of correct verdicts per reader and session, for each of the article's subsets."""
    columns = [Column("reader", _("Reader")), Column("session", _("Session"))]
    for group, subset, title in subset_groups():
        columns.append(Column(subset.value, title, Kind.SHARE, group))
    readings = record.readings
    rows: list[tuple[Cell, ...]] = []
    for reader in readings.readers:
        for session in readings.sessions_judged_by(reader):
            shares = (readings.share_correct(reader, session, subset, rule) for subset in Subset)
            rows.append((reader, str(session), *shares))
    return Table(
        key="table3",
        title=_("Table 3. Correct verdicts"),
        caption=_(
            # xgettext: no-python-format
            "The share of real images called real, and of adversarial images called not real, with Wilson’s 95 % "
            "interval and the counts. 0.50 is not chance: a reader who calls every image real has 1.00 on real and "
            "0.00 on adversarial images, so read both halves together."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(unsure_sentence(rule),),
        empty=_("There are no verdicts yet. Readers give the first ones in session 2."),
    )


def table_4(record: StudyRecord) -> Table:
    """Return minutes per reader and session, and seconds per image."""
    rows = tuple(_time_row(record.readings, reader, session) for reader, session in record.readings.reader_sessions)
    minutes, seconds = _("Minutes"), _("Seconds per image")
    return Table(
        key="table4",
        title=_("Table 4. Reading times"),
        caption=_(
            "Minutes reading are the sum of the times from the display of each image to its verdict, measured by the "
            "browser. Minutes by the clock are from the first image shown to the last verdict received, including "
            "breaks. Seconds per image: the median and the quartiles."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("readings", _("Images"), Kind.COUNT),
            Column("minutes", _("reading"), Kind.DECIMAL, minutes),
            Column("minutes_by_the_clock", _("by the clock"), Kind.DECIMAL, minutes),
            Column("seconds_median", _("median"), Kind.DECIMAL, seconds),
            Column("seconds_lower_quartile", _("lower quartile"), Kind.DECIMAL, seconds),
            Column("seconds_upper_quartile", _("upper quartile"), Kind.DECIMAL, seconds),
        ),
        rows=rows,
        empty=_("There are no readings yet. Readers start with session 1."),
    )


def _time_row(readings: AggregatedReadings, reader: str, session: int) -> tuple[Cell, ...]:
    times, index = readings.times, readings.index(reader, session)
    # Both are seconds since 1970, of which a float keeps the microseconds and a little noise.
    clock_minutes = np.round(times.last_answered[index] - times.first_shown[index], 6) / _SECONDS_PER_MINUTE
    return (
        reader,
        str(session),
        readings.number_read(reader, session),
        float(times.measured_minutes[index]),
        None if np.isnan(clock_minutes) else float(clock_minutes),
        float(times.median_seconds[index]),
        float(times.lower_quartile[index]),
        float(times.upper_quartile[index]),
    )
