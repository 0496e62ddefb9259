"""Table: agreement between readers."""

from collections.abc import Iterator

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import ADVERSARIAL, REAL, Subset
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_REAL, SAID_SEEN, SAID_UNSURE, Cases, kinds_of
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.agreement import Agreement, Coefficient, agreement_of_counts

_COEFFICIENTS = ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1")


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
