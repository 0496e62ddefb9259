"""The table of how much each attack of an evaluation changes the images."""

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import share_cell
from readerstudy.layout.table import Column, Kind, Table
from readerstudy.modalities.modality import Modality
from readerstudy.results.evaluation import AttackEvaluation, EvaluationResult, ThresholdRule
from readerstudy.statistics.proportions import Proportion
from readerstudy.vocabulary import Direction


def changes_table(result: EvaluationResult, modality: Modality) -> Table:
    """Return a row for each attack and direction: how much it changes, and how often it fools at 0.5."""
    words = modality.words.lab
    names = {Direction.REMOVE: words.removed, Direction.INSERT: words.inserted}
    return Table(
        key="changes",
        title=_("Size of the change"),
        caption=_(
            "Medians over the test images that the attack changed, each compared with its source image. Change in the "
            "region (root mean square), greatest change of a pixel: percent of full scale. Changed area: pixels that "
            "change by over a hundredth of full scale, in percent of the image; regions: their connected areas. "
            "Fooled: of the images whose real version %(classifier)s got right, at threshold 0.5."
        )
        % {"classifier": result.classifier},
        columns=(
            Column("attack", _("Attack")),
            Column("direction", _("Direction")),
            Column("images", _("Images"), Kind.COUNT),
            Column("unchanged", _("Unchanged"), Kind.COUNT),
            Column("psnr_db", _("PSNR (dB)"), Kind.DECIMAL),
            Column("rms_percent", _("Change in the region (%)"), Kind.FRACTION),
            Column("greatest_percent", _("Greatest change (%)"), Kind.DECIMAL),
            Column("changed_percent", _("Changed area (%)"), Kind.FRACTION),
            Column("regions", _("Regions"), Kind.DECIMAL),
            Column("fooled", _("Fooled"), Kind.PERCENT),
        ),
        rows=tuple(
            (
                attack.name,
                str(names[change.direction]),
                change.images,
                change.unchanged,
                change.psnr_db,
                100 * change.rms,
                100 * change.greatest,
                100 * change.changed,
                change.regions,
                share_cell(fooled) if (fooled := _fooled(attack, change.direction)) else None,
            )
            for attack in result.attacks
            for change in attack.changes
        ),
    )


def _fooled(attack: AttackEvaluation, direction: Direction) -> Proportion | None:
    decisions = attack.table.at(ThresholdRule.ARTICLE)
    if decisions is None:
        return None
    return decisions.fooled_by_removal if direction is Direction.REMOVE else decisions.fooled_by_insertion
