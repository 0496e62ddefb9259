"""What each reader's verdicts say beyond right and wrong: signal detection, agreement with the others, pace."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.records import ADVERSARIAL, REAL, StudyRecord, Subset
from readerstudy.analysis.stats.agreement import Agreement, Coefficient, agreement_of_counts
from readerstudy.analysis.stats.signal_detection import (
    Detection,
    Shift,
    criterion_shift,
    d_prime_shift,
    detection,
)
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Cell, Column, Estimate, Kind, Table
from readerstudy.analysis.tallies import (
    SAID_NOT_REAL,
    SAID_REAL,
    SAID_SEEN,
    SAID_UNSURE,
    Cases,
    Ints,
    Tallies,
    kinds_of,
)
from readerstudy.analysis.wording import p_words, session_limit_sentence, sessions_of, signed
from readerstudy.studies.analysis_plan import AnalysisPlan

_NOTICEABLE = 0.05  # the p-value below which a sentence says that something changed
_COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")


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


def detections(record: StudyRecord, plan: AnalysisPlan) -> dict[tuple[str, int], Detection | None]:
    """By reader and session; a hit is an adversarial image called not real. None where a kind was not read."""
    return {
        (reader, session): _detection(record.tallies.of(reader, session), Unsure(plan.unsure))
        for reader in record.tallies.readers
        for session in record.tallies.asked_of(reader)
        if session in (plan.before, plan.after)
    }


def _detection(counts: Ints, rule: Unsure) -> Detection | None:
    """`counts` is (6 kinds, 4 verdicts)."""
    calls: list[float] = []
    for subset in (Subset.ADVERSARIAL, Subset.REAL):
        verdicts = counts[list(kinds_of(subset))].sum(axis=0)
        unsure, given = int(verdicts[SAID_UNSURE]), int(verdicts[:SAID_SEEN].sum())
        called = float(verdicts[SAID_NOT_REAL]) + (unsure / 2 if rule is Unsure.HALF else 0)
        calls += [called, given - unsure if rule is Unsure.EXCLUDED else given]
    hits, fakes, alarms, reals = calls
    return detection(hits, int(fakes), alarms, int(reals))


def _detected(one: Detection | None) -> tuple[Cell, ...]:
    if one is None:
        return None, None, None, None
    return (
        Estimate(one.d_prime, one.d_prime_low, one.d_prime_high),
        Estimate(one.criterion, one.criterion_low, one.criterion_high),
        one.point.hit,
        one.point.false_alarm,
    )


def _shifts(found: dict[tuple[str, int], Detection | None], plan: AnalysisPlan) -> Iterator[str]:
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
    for arm, session, kind, cases in sets_judged(record):
        found = agreement_of_cases(cases)
        head = (str(session), _kinds()[kind], arm, _readers(record, arm, session, kind), len(cases.case))
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


def _readers(record: StudyRecord, arm: str, session: int, kind: str) -> int:
    """How many of the arm's readers gave a verdict about such an image."""
    given = (
        record.tallies.of(reader, session)[list(kinds_of(Subset(kind))), :SAID_SEEN].any()
        for reader, own in record.readers.items()
        if own == arm
    )
    return sum(map(bool, given))


def sets_judged(record: StudyRecord) -> Iterator[tuple[str, int, str, Cases]]:
    """Arm, session, truth and the images with a verdict, where there are any."""
    cases = record.tallies.cases
    for arm in record.arms:
        for session in sorted(set(cases.session[cases.arm == arm].tolist())):
            for kind in (Subset.REAL, Subset.ADVERSARIAL):
                mask = (cases.arm == arm) & (cases.session == session) & np.isin(cases.kind, kinds_of(kind))
                if mask.any():
                    yield arm, session, kind.value, cases.chosen(mask)


def agreement_of_cases(cases: Cases) -> Agreement | None:
    """None where no image was read twice."""
    counts = cases.counts[:, [SAID_REAL, SAID_UNSURE, SAID_NOT_REAL]]  # the ordinal order
    return agreement_of_counts(counts) if (counts.sum(axis=1) > 1).any() else None


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


def seconds_per_image(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Median and quartiles of the seconds per image, one line per reader, the sessions side by side."""
    tallies = record.tallies
    columns = [Column("reader", _("Reader"))]
    for session in tallies.sessions:
        group = _("Session %(session)s") % {"session": session}
        columns += [
            Column(f"session{session}_median", _("median"), Kind.DECIMAL, group),
            Column(f"session{session}_lower_quartile", _("lower quartile"), Kind.DECIMAL, group),
            Column(f"session{session}_upper_quartile", _("upper quartile"), Kind.DECIMAL, group),
        ]
    rows: list[tuple[Cell, ...]] = []
    sentences: list[str] = []
    for reader in tallies.readers:
        quartiles = {session: _quartiles(tallies, reader, session) for session in tallies.sessions}
        rows.append((reader, *(cell for session in tallies.sessions for cell in quartiles[session])))
        sentences += _pace_in_words(reader, quartiles, plan)
    return Table(
        key="seconds",
        title=_("Seconds per image, session by session"),
        caption=_(
            "The median, and the quartiles, between which the middle half lies: the same seconds as in Table 4, set "
            "side by side. Sessions differ in what they ask, so compare those that ask for the same."
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*sentences, *([session_limit_sentence(plan)] if sentences else [])),
        empty=_("Nothing has been read yet: readers begin with session 1."),
    )


def _quartiles(tallies: Tallies, reader: str, session: int) -> tuple[float | None, float | None, float | None]:
    times, at = tallies.times, tallies.place(reader, session)
    median, lower, upper = times.median_seconds[at], times.lower_quartile[at], times.upper_quartile[at]
    return (None, None, None) if np.isnan(median) else (float(median), float(lower), float(upper))


def _pace_in_words(reader: str, quartiles: Mapping[int, tuple[float | None, ...]], plan: AnalysisPlan) -> Sequence[str]:
    """The later session against the earlier, where both were read."""
    before, after = (quartiles.get(session, (None,))[0] for session in (plan.before, plan.after))
    if not before or after is None:
        return []
    sentence = _(
        "%(reader)s takes %(seconds_after)s s an image in session %(after)s after %(seconds_before)s s in session "
        "%(before)s: %(ratio)s times as long."
    )
    seconds = {"seconds_after": f"{after:.1f}", "seconds_before": f"{before:.1f}", "ratio": f"{after / before:.2f}"}
    return [sentence % {"reader": reader, **seconds, **sessions_of(plan)}]
