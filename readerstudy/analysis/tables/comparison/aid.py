"""Table "aid": what the score beside the images told about authenticity by itself."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.analysis.record.aid import AidRecord
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics import delong
from readerstudy.statistics.proportions import wilson


def aid_table(record: StudyRecord) -> Table | None:
    """Return a row for each session with an aid; None if there is none."""
    if not record.aids:
        return None
    above = _("Score above the threshold")
    return Table(
        key="aid",
        title=_("What the aid tells by itself"),
        caption=_(
            # xgettext: no-python-format
            "The score that readers saw beside each image, with two decimals, as a means to tell adversarial from real "
            "images: the area under the curve (AUC) of the score alone, higher for adversarial images. 0.50 is chance; "
            "0 and 1 are complete separation. The score is made to show the finding, not authenticity. Intervals are "
            "95 %; that of the AUC treats the images of one patient as dependent (DeLong, clustered)."
        ),
        columns=(
            Column("session", _("Session")),
            Column("classifier", _("Classifier")),
            Column("threshold", _("Threshold"), Kind.SPREAD),
            Column("images", _("Images"), Kind.COUNT),
            Column("auc", _("AUC"), Kind.ESTIMATE),
            Column("real", _("real images"), Kind.SHARE, above),
            Column("adversarial", _("adversarial images"), Kind.SHARE, above),
        ),
        rows=tuple(_row(aid) for aid in record.aids),
        notes=tuple(_sentences(record)),
    )


def _row(aid: AidRecord) -> tuple[Cell, ...]:
    real, adversarial = aid.is_above[~aid.is_adversarial], aid.is_above[aid.is_adversarial]
    return (
        str(aid.session),
        aid.classifier,
        aid.threshold,
        int(aid.score.size),
        _area(aid),
        wilson(int(real.sum()), int(real.size)),
        wilson(int(adversarial.sum()), int(adversarial.size)),
    )


def _area(aid: AidRecord) -> Estimate | None:
    """Return the area, or None with fewer than two images, or a single patient, of a kind."""
    try:
        area = delong.area(aid.is_adversarial.astype(int), aid.score, cluster=aid.patient)
    except ValueError:
        return None
    return Estimate(area.auc, area.low, area.high)


def _sentences(record: StudyRecord) -> Iterator[str]:
    for aid in record.aids:
        area = _area(aid)
        if area is None:
            continue
        sentence = _(
            "In session %(session)s readers saw the score of %(run)s. From this score alone, somebody could tell "
            "adversarial from real images with an AUC of %(auc)s (%(low)s to %(high)s)."
        )
        values = {"auc": area.value, "low": area.low, "high": area.high}
        texts = {name: localise(f"{value:.2f}") for name, value in values.items()}
        yield sentence % {"session": aid.session, "run": aid.classifier, **texts}
