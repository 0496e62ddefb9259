"""What each reader's verdicts say beyond right and wrong: signal detection, agreement with the others, pace."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import p_words, session_limit_sentence, sessions_of, signed
from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_SEEN, SAID_UNSURE, Ints, kinds_of
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.signal_detection import (
    DetectionShift,
    SignalDetection,
    criterion_shift,
    d_prime_shift,
    detection,
)
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

_NOTICEABLE = 0.05  # the p-value below which a sentence says that something changed


def signal_detection(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """d′ and criterion c of every reader in the two sessions, with how often "not real" was said of each kind."""
    found = detections(record, plan)
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
            *([_exploratory(plan)] if any(_shifts(found, plan)) else []),
            *_shifts(found, plan),
            *([undefined] if None in found.values() else []),
            _unsure_as_a_call(Unsure(plan.unsure)),
            session_limit_sentence(plan),
        ),
        empty=_(
            "There are no verdicts in session %(before)s or %(after)s yet, so nothing can be told about seeing and "
            "criterion."
        )
        % sessions_of(plan),
    )


def detections(record: StudyRecord, plan: AnalysisPlan) -> dict[tuple[str, int], SignalDetection | None]:
    """By reader and session; a hit is an adversarial image called not real. None where a kind was not read."""
    return {
        (reader, session): _detection(record.tallies.of(reader, session), Unsure(plan.unsure))
        for reader in record.tallies.readers
        for session in record.tallies.asked_of(reader)
        if session in (plan.before, plan.after)
    }


def _detection(counts: Ints, rule: Unsure) -> SignalDetection | None:
    """`counts` is (6 kinds, 4 verdicts)."""
    calls: list[float] = []
    for subset in (Subset.ADVERSARIAL, Subset.REAL):
        verdicts = counts[list(kinds_of(subset))].sum(axis=0)
        unsure, given = int(verdicts[SAID_UNSURE]), int(verdicts[:SAID_SEEN].sum())
        called = float(verdicts[SAID_NOT_REAL]) + (unsure / 2 if rule is Unsure.HALF else 0)
        calls += [called, given - unsure if rule is Unsure.EXCLUDED else given]
    hits, fakes, alarms, reals = calls
    return detection(hits, int(fakes), alarms, int(reals))


def _detected(one: SignalDetection | None) -> tuple[Cell, ...]:
    if one is None:
        return None, None, None, None
    return (
        Estimate(one.d_prime, one.d_prime_low, one.d_prime_high),
        Estimate(one.criterion, one.criterion_low, one.criterion_high),
        one.point.hit,
        one.point.false_alarm,
    )


def _shifts(found: dict[tuple[str, int], SignalDetection | None], plan: AnalysisPlan) -> Iterator[str]:
    """For every reader of both sessions, what changed; z-tests of the two estimates."""
    for reader in dict.fromkeys(reader for reader, _session in found):
        before, after = found.get((reader, plan.before)), found.get((reader, plan.after))
        if before is None or after is None:
            continue
        seeing, calling = d_prime_shift(before, after), criterion_shift(before, after)
        better = _("sees more than before"), _("sees less than before"), _("shows no clear change in seeing")
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


def _exploratory(plan: AnalysisPlan) -> str:
    planned = {endpoint for family in plan.families for endpoint in family.endpoints}
    if {"d_prime", "criterion"} <= planned:
        return _("The changes of d′ and c were planned; corrected, they stand among the planned tests.")
    return _("Exploratory, each reader alone and not corrected for the others:")


def _which(shift: DetectionShift, words: tuple[str, str, str]) -> str:
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
