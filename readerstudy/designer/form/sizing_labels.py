"""Names and explanations of the assumptions of a sizing. The form passes them on; the page of the size edits them."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.designer.form.row import Row, Section, Text


def _row(label: Text, help: Text = "") -> Row:
    return Row(label, help, Section.HIDDEN)


SIZING: Final[Mapping[str, Row]] = {
    "readers": _row(_("Readers")),
    "difference": _row(
        _("Change to be found"),
        _("A true change of the primary figure from the earlier to the later session; 0.1 is ten points."),
    ),
    "right": _row(_("Share of right verdicts"), _("In the earlier session, on real and adversarial images alike.")),
    "unsure": _row(_("Share of “unsure”"), _("The other verdicts are wrong.")),
    "sd_readers": _row(
        _("Spread of readers from session to session"),
        _(
            "Standard deviation of the figure of one reader in one session. A reader’s change between two sessions has "
            "1.4 times as much."
        ),
    ),
    "correlation": _row(
        _("Correlation of two readers"),
        _("Of their verdicts (right or not) on the same image; 0: an image is as easy as another."),
    ),
    "patient_correlation": _row(
        _("Correlation within a patient"),
        _("Of verdicts on two images of one patient; in the simulation only. At most that of two readers."),
    ),
    "images_per_patient": _row(
        _("Images of a patient"), _("In both sessions together, on average; in the simulation only.")
    ),
    "source": _row(_("Source of these values"), _("A pilot or a published study. It stands in the report.")),
    "power": _row(_("Computed power")),
    "equivalence_power": _row(_("Computed power to show equivalence")),
    "simulations": _row(_("Simulated studies")),
    "simulated_power": _row(_("Simulated power")),
    "simulated_equivalence": _row(_("Simulated power to show equivalence")),
    "simulated_false_findings": _row(_("Simulated share of false findings")),
    "claim_power": _row(_("Computed power to show non-inferiority")),
    "simulated_claim": _row(_("Simulated power to show non-inferiority")),
}
