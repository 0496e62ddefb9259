"""Table "detection": d′ and criterion of each reader (signal detection)."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import VERDICT_NOT_REAL, VERDICT_SEEN, VERDICT_UNSURE, Ints, subset_kinds
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import compared_sessions, p_text, paired_sentence, session_limit_sentence, signed
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.signal_detection import (
    DetectionShift,
    SignalDetection,
    criterion_shift,
    d_prime_shift,
    detection,
)
from readerstudy.statistics.unsure import Unsure

_ALPHA = 0.05  # of the sentences about single readers

Detections = Mapping[tuple[str, int], SignalDetection | None]  # by reader and session


def signal_detection_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return d′ and criterion c of every reader in the two sessions, with the shares called not real."""
    detections = detections_by_reader(record, plan)
    is_paired = record.show_same_images(plan.before, plan.after)
    shifts = () if is_paired else tuple(_shift_sentences(detections, plan))
    called = _("Called not real")
    undefined = _("d′ and c are undefined (—) if a reader has no verdicts on real or none on adversarial images.")
    empty = _("There are no verdicts in session %(before)s or %(after)s yet, so d′ and criterion cannot be estimated.")
    return Table(
        key="detection",
        title=_("Signal detection: discrimination and criterion"),
        caption=_(
            # xgettext: no-python-format
            "d′ measures how well a reader separates adversarial from real images (0: not at all; 1: about 69 % "
            "correct with a neutral criterion). Criterion c measures the tendency to call an image not real: below 0 "
            "often, above 0 rarely. Both have 95 % intervals for this reader and similar images, after the log-linear "
            "correction, which keeps d′ finite for a reader without errors."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("d_prime", "d′", Kind.ESTIMATE),
            Column("criterion", "c", Kind.ESTIMATE),
            Column("called_adversarial", _("adversarial"), Kind.SHARE, called),
            Column("called_real", _("real"), Kind.SHARE, called),
        ),
        rows=tuple((reader, str(session), *_cells(each)) for (reader, session), each in detections.items()),
        notes=(
            *([_status_of_shifts(plan)] if shifts else []),
            *shifts,
            *([undefined] if None in detections.values() else []),
            *([paired_sentence(plan)] if is_paired else []),
            _unsure_rule(Unsure(plan.unsure)),
            session_limit_sentence(record, plan),
        ),
        empty=empty % compared_sessions(plan),
    )


def detections_by_reader(record: StudyRecord, plan: AnalysisPlan) -> Detections:
    """Return signal detection by reader and session; None if a kind of image was not read.

    A hit is an adversarial image called not real.
    """
    return {
        (reader, session): _detection(record.readings.verdicts_of(reader, session), Unsure(plan.unsure))
        for reader in record.readings.readers
        for session in record.readings.sessions_judged_by(reader)
        if session in (plan.before, plan.after)
    }


def _detection(verdicts: Ints, rule: Unsure) -> SignalDetection | None:
    """Return signal detection from counts (6 kinds, 4 verdicts)."""
    hits, signals = _calls(verdicts, Subset.ADVERSARIAL, rule)
    false_alarms, noises = _calls(verdicts, Subset.REAL, rule)
    return detection(hits, signals, false_alarms, noises)


def _calls(verdicts: Ints, subset: Subset, rule: Unsure) -> tuple[float, int]:
    """Return the number of images of a subset called not real, and the number of images."""
    counts = verdicts[list(subset_kinds(subset))].sum(axis=0)
    unsure, total = int(counts[VERDICT_UNSURE]), int(counts[:VERDICT_SEEN].sum())
    called = float(counts[VERDICT_NOT_REAL]) + (unsure / 2 if rule is Unsure.HALF else 0)
    return called, total - unsure if rule is Unsure.EXCLUDED else total


def _cells(each: SignalDetection | None) -> tuple[Cell, ...]:
    if each is None:
        return None, None, None, None
    return (
        Estimate(each.d_prime, each.d_prime_low, each.d_prime_high),
        Estimate(each.criterion, each.criterion_low, each.criterion_high),
        each.point.hit,
        each.point.false_alarm,
    )


def _shift_sentences(detections: Detections, plan: AnalysisPlan) -> Iterator[str]:
    """Yield for each reader of both sessions what changed, by z-tests of d′ and c."""
    sentence = _("%(reader)s: %(seeing)s (d′ %(d)s, p %(d_p)s); %(calling)s (c %(c)s, p %(c_p)s).")
    for reader in dict.fromkeys(reader for reader, _session in detections):
        before, after = detections.get((reader, plan.before)), detections.get((reader, plan.after))
        if before is None or after is None:
            continue
        d_prime, criterion = d_prime_shift(before, after), criterion_shift(before, after)
        yield sentence % {
            "reader": reader,
            "seeing": _direction(
                d_prime, _("better discrimination"), _("worse discrimination"), _("no clear change of discrimination")
            ),
            "d": signed(d_prime.difference),
            "d_p": p_text(d_prime.p),
            "calling": _direction(
                criterion,
                _("calls images not real less often"),
                _("calls images not real more often"),
                _("no clear change of criterion"),
            ),
            "c": signed(criterion.difference),
            "c_p": p_text(criterion.p),
        }


def _direction(shift: DetectionShift, increase: str, decrease: str, unclear: str) -> str:
    """Return the words for an increase, a decrease or no clear change."""
    if shift.p >= _ALPHA:
        return unclear
    return increase if shift.difference > 0 else decrease


def _status_of_shifts(plan: AnalysisPlan) -> str:
    planned = {endpoint for family in plan.families for endpoint in family.endpoints}
    if {"d_prime", "criterion"} <= planned:
        return _("The changes of d′ and c were planned; their adjusted p-values are in the table of planned tests.")
    return _("Exploratory, each reader separately and not adjusted for multiple tests:")


def _unsure_rule(rule: Unsure) -> str:
    return {
        Unsure.WRONG: _("“Unsure” does not count as “not real”, neither for adversarial nor for real images."),
        Unsure.EXCLUDED: _("Readings with the verdict “unsure” are excluded."),
        Unsure.HALF: _("“Unsure” counts as half a call of “not real”, so the intervals are approximate."),
    }[rule]
