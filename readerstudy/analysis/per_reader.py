"""What each reader's verdicts say beyond right and wrong: signal detection, agreement with the others, pace."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.across import AFTER, BEFORE
from readerstudy.analysis.records import ADVERSARIAL, REAL, UNSURE, Readings, StudyRecord, Subset
from readerstudy.analysis.stats.agreement import Agreement, Coefficient, agreement
from readerstudy.analysis.stats.signal_detection import (
    Detection,
    Shift,
    criterion_shift,
    d_prime_shift,
    detection,
)
from readerstudy.analysis.stats.times import reading_times
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Cell, Column, Estimate, Kind, Table
from readerstudy.analysis.wording import p_words, session_limit_sentence, signed

_MS_PER_SECOND = 1000
_NOTICEABLE = 0.05  # the p-value below which a sentence says that something changed
_COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")


def signal_detection(record: StudyRecord, rule: Unsure) -> Table:
    """d′ and criterion c of every reader in sessions 3 and 5, with how often "not real" was said of each kind."""
    found = {
        (reader, session): _detection(record.readings.asked.where(reader=reader, session=session), rule)
        for reader in record.readings.asked.readers
        for session in (BEFORE, AFTER)
        if len(record.readings.asked.where(reader=reader, session=session))
    }
    called = _("Called not real")
    undefined = _(
        "Where a reader has no verdicts about real or none about adversarial images, d′ and c are undefined (—)."
    )
    return Table(
        key="detection",
        title=_("Signal detection. Seeing better or saying “not real” more often"),
        caption=_(
            # xgettext: no-python-format
            "d′ says how well a reader tells adversarial from real images (0: not at all, 1: about 69 % right at an "
            "even criterion). Criterion c says how readily they call an image not real: below 0 readily, above 0 "
            "reluctantly. Both with 95 % intervals for this reader and images like these, after the log-linear "
            "correction, which keeps a reader without errors finite."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("d_prime", "d′", Kind.ESTIMATE),
            Column("criterion", "c", Kind.ESTIMATE),
            Column("called_adversarial", _("adversarial"), Kind.SHARE, called),
            Column("called_real", _("real"), Kind.SHARE, called),
        ),
        rows=tuple((reader, str(session), *_detected(one)) for (reader, session), one in found.items()),
        notes=(
            *_shifts(found),
            *([undefined] if None in found.values() else []),
            _unsure_as_a_call(rule),
            session_limit_sentence(),
        ),
        empty=_("There are no verdicts in session 3 or 5 yet, so nothing can be told about seeing and criterion."),
    )


def _detection(readings: Readings, rule: Unsure) -> Detection | None:
    """One reader in one session; a hit is an adversarial image called not real."""
    worth = {"not_real": 1.0, "real": 0.0, UNSURE: 0.5 if rule is Unsure.HALF else 0.0}
    if rule is Unsure.EXCLUDED:
        readings = readings.chosen(readings.verdict != UNSURE)
    of_kind = {
        kind: [worth[verdict] for verdict in readings.where(subset=kind).verdict.tolist()]
        for kind in (Subset.ADVERSARIAL, Subset.REAL)
    }
    fakes, reals = of_kind[Subset.ADVERSARIAL], of_kind[Subset.REAL]
    return detection(sum(fakes), len(fakes), sum(reals), len(reals))


def _detected(one: Detection | None) -> tuple[Cell, ...]:
    if one is None:
        return None, None, None, None
    return (
        Estimate(one.d_prime, one.d_prime_low, one.d_prime_high),
        Estimate(one.criterion, one.criterion_low, one.criterion_high),
        one.point.hit,
        one.point.false_alarm,
    )


def _shifts(found: dict[tuple[str, int], Detection | None]) -> Iterator[str]:
    """For every reader of both sessions, what changed; z-tests of the two estimates."""
    for reader in dict.fromkeys(reader for reader, _session in found):
        before, after = found.get((reader, BEFORE)), found.get((reader, AFTER))
        if before is None or after is None:
            continue
        seeing, calling = d_prime_shift(before, after), criterion_shift(before, after)
        better = _("sees more in session 5"), _("sees less in session 5"), _("shows no clear change in seeing")
        readier = (
            _("calls images not real less readily"),
            _("calls images not real more readily"),
            _("shows no clear change in criterion"),
        )
        sentence = _("%(reader)s %(seeing)s (d′ %(d)s, p %(d_p)s) and %(calling)s (c %(c)s, p %(c_p)s).")
        yield sentence % {
            "reader": reader,
            "seeing": _which(seeing, better),
            "d": signed(seeing.difference),
            "d_p": p_words(seeing.p),
            "calling": _which(calling, readier),
            "c": signed(calling.difference),
            "c_p": p_words(calling.p),
        }


def _which(shift: Shift, words: tuple[str, str, str]) -> str:
    """Up, down, or nothing that stands out."""
    up, down, neither = words
    if shift.p >= _NOTICEABLE:
        return neither
    return up if shift.difference > 0 else down


def _unsure_as_a_call(rule: Unsure) -> str:
    return {
        Unsure.WRONG: _("“Unsure” is no call of “not real”, neither of an adversarial nor of a real image."),
        Unsure.EXCLUDED: _("Readings with the verdict “unsure” are left out."),
        Unsure.HALF: _("“Unsure” counts as half a call of “not real”, so the intervals are approximate."),
    }[rule]


def agreement_of_readers(record: StudyRecord) -> Table:
    """Per session and truth how far the readers of an arm agree, by five coefficients."""
    several = len(record.arms) > 1
    rows: list[tuple[Cell, ...]] = []
    sentences: list[str] = []
    is_alone, is_constant = False, False
    for arm, session, kind, readings in _sets_judged(record):
        found = _agreement(readings)
        head = (str(session), _kinds()[kind], arm, len(readings.readers), int(np.unique(readings.case).size))
        if found is None:
            is_alone = True
            rows.append((*head, *(None for _name in _COEFFICIENTS)))
            continue
        rows.append((*head, *(_cell(getattr(found, name)) for name in _COEFFICIENTS)))
        sentences.append(_agreement_in_words(found, session, _kinds()[kind], arm if several else ""))
        is_constant |= found.fleiss_kappa.value is None
    alone = _("Where no image was read by two readers there is no agreement to tell (—).")
    constant = _("Where every verdict is the same, agreement beyond chance is undefined, so κ and α are not given (—).")
    return Table(
        key="agreement",
        title=_("Agreement. How often readers say the same"),
        caption=_(
            # xgettext: no-python-format
            "Pairs that agree: the share of pairs of readers who give an image the same verdict. Fleiss’ κ, "
            "Krippendorff’s α (nominal, and ordinal with unsure between real and not real) and Gwet’s AC1 take off "
            "the agreement that chance brings: 1 is perfect, 0 is chance. Intervals of 95 % are over the images. "
            "Readers may agree and be wrong: agreement is not accuracy."
        ),
        columns=_agreement_columns(),
        rows=tuple(rows),
        notes=(
            *sentences,
            *([alone] if is_alone else []),
            *([constant] if is_constant else []),
            _(
                "Where nearly all verdicts are the same, κ and α come out low "
                "although readers hardly differ; AC1 does not."
            ),
        ),
        empty=_("There are no verdicts yet, so there is no agreement to tell."),
    )


def _agreement_columns() -> tuple[Column, ...]:
    alpha = _("Krippendorff’s α")
    return (
        Column("session", _("Session")),
        Column("images_are", _("Images are")),
        Column("arm", _("Arm")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("images", _("Images"), Kind.COUNT),
        Column("percent", _("Pairs that agree"), Kind.ESTIMATE),
        Column("fleiss_kappa", _("Fleiss’ κ"), Kind.ESTIMATE),
        Column("alpha_nominal", _("nominal"), Kind.ESTIMATE, alpha),
        Column("alpha_ordinal", _("ordinal"), Kind.ESTIMATE, alpha),
        Column("ac1", _("Gwet’s AC1"), Kind.ESTIMATE),
    )


def _kinds() -> dict[str, str]:
    return {REAL: _("real"), ADVERSARIAL: _("adversarial")}


def _sets_judged(record: StudyRecord) -> Iterator[tuple[str, int, str, Readings]]:
    """Arm, session, truth and the readings with a verdict, where there are any."""
    asked = record.readings.asked
    for arm in record.arms:
        readers = [reader for reader, own in record.readers.items() if own == arm]
        in_arm = asked.chosen(np.isin(asked.reader, readers))
        for session in in_arm.sessions:
            for kind in (Subset.REAL, Subset.ADVERSARIAL):
                readings = in_arm.where(session=session, subset=kind)
                if len(readings):
                    yield arm, session, kind.value, readings


def _agreement(readings: Readings) -> Agreement | None:
    """None where no image was read twice."""
    _cases, times = np.unique(readings.case, return_counts=True)
    return agreement(readings.verdict, readings.case) if times.max() > 1 else None


def _cell(one: Coefficient) -> Estimate | float | None:
    """Without an interval where nothing varies: one of no width would claim certainty."""
    if one.value is None or not one.se or one.low is None or one.high is None:
        return one.value
    return Estimate(one.value, one.low, one.high)


def _agreement_in_words(found: Agreement, session: int, kind: str, arm: str) -> str:
    """Only numbers that the line of the table has too."""
    percent, kappa = found.percent.value, found.fleiss_kappa.value
    place = {"session": session, "kind": kind, "percent": f"{100 * (percent or 0.0):.0f}"}
    if kappa is None:
        sentence = _("Session %(session)s, %(kind)s: all readers give every image the same verdict.") % place
    else:
        words = _(
            "Session %(session)s, %(kind)s: two readers give an image the same verdict in %(percent)s of 100 cases; "
            "beyond chance this is κ %(kappa)s."
        )
        sentence = words % {**place, "kappa": f"{kappa:z.2f}".replace("-", "−")}
    return f"{arm}. {sentence}" if arm else sentence


def seconds_per_image(record: StudyRecord) -> Table:
    """Median and quartiles of the seconds per image, one line per reader, the sessions side by side."""
    sessions = record.readings.sessions
    columns = [Column("reader", _("Reader"))]
    for session in sessions:
        group = _("Session %(session)s") % {"session": session}
        columns += [
            Column(f"session{session}_median", _("median"), Kind.DECIMAL, group),
            Column(f"session{session}_lower_quartile", _("lower quartile"), Kind.DECIMAL, group),
            Column(f"session{session}_upper_quartile", _("upper quartile"), Kind.DECIMAL, group),
        ]
    rows: list[tuple[Cell, ...]] = []
    sentences: list[str] = []
    for reader in record.readings.readers:
        own = record.readings.where(reader=reader)
        quartiles = {session: _quartiles(own.where(session=session)) for session in sessions}
        rows.append((reader, *(cell for session in sessions for cell in quartiles[session])))
        sentences += _pace_in_words(reader, quartiles)
    return Table(
        key="seconds",
        title=_("Seconds per image, session by session"),
        caption=_(
            "The median, and the quartiles, between which the middle half lies: the same seconds as in Table 4, set "
            "side by side. Sessions differ in what they ask, so compare those that ask for the same."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*sentences, *([session_limit_sentence()] if sentences else [])),
        empty=_("Nothing has been read yet: readers begin with session 1."),
    )


def _quartiles(readings: Readings) -> tuple[float | None, float | None, float | None]:
    if not len(readings):
        return None, None, None
    times = reading_times(readings.elapsed_ms / _MS_PER_SECOND)
    return times.median_seconds, times.lower_quartile, times.upper_quartile


def _pace_in_words(reader: str, quartiles: Mapping[int, tuple[float | None, ...]]) -> Sequence[str]:
    """Session 5 against session 3, where both were read."""
    before, after = (quartiles.get(session, (None,))[0] for session in (BEFORE, AFTER))
    if not before or after is None:
        return []
    sentence = _(
        "%(reader)s takes %(after)s s an image in session 5 after %(before)s s in session 3: %(ratio)s times as long."
    )
    return [
        sentence
        % {"reader": reader, "after": f"{after:.1f}", "before": f"{before:.1f}", "ratio": f"{after / before:.2f}"}
    ]
