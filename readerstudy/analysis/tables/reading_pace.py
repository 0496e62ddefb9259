"""Table: seconds per image."""

from collections.abc import Mapping, Sequence

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import session_limit_sentence, sessions_of
from readerstudy.analysis.record.counts import Tallies
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.studies.analysis_plan import AnalysisPlan


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
