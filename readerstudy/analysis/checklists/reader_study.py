"""Our own list of what the report of a blinded reader study should say beyond the published checklists."""

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import ChecklistItem as Item


def reader_study_items() -> tuple[Item, ...]:
    """Return the items in their order, in the active language."""
    readers, sessions, conditions, conduct = _("Readers"), _("Sessions"), _("Conditions"), _("Conduct")
    return (
        Item(
            "1",
            readers,
            _("Number of readers and their experience"),
            Facts.readers,
            rest=_("how they were recruited"),
            entries=("recruitment",),
        ),
        Item("2", readers, _("Task and answers, as worded to the readers"), Facts.index_test),
        Item("3", readers, _("Training before and during the study"), Facts.training_of_readers),
        Item("4", readers, _("What readers could and could not know of the images"), Facts.blinding),
        Item("5", sessions, _("Images of each session: number, kinds and how they were drawn"), Facts.drawn_sessions),
        Item("6", sessions, _("Order of the images, and whether readers share it"), Facts.sequence),
        Item("7", sessions, _("Washout between sessions, planned and kept"), Facts.washout),
        Item("8", sessions, _("Images read twice by one reader"), Facts.repeated),
        Item(
            "9",
            conditions,
            _("Display and its check"),
            Facts.displays,
            rest=_("monitors and the light of the room"),
            entries=("displays",),
        ),
        Item("10", conditions, _("Software, and the tools of the viewer"), Facts.viewer),
        Item("11", conditions, _("Aids, and further questions, beside the image"), Facts.aids),
        Item("12", conditions, _("Limits of time, and how times were measured"), Facts.times),
        Item("13", conduct, _("Breaks and interruptions"), Facts.interruptions),
        Item("14", conduct, _("Missing readings, incomplete and withdrawn readers"), Facts.flow_and_missing),
        Item("15", conduct, _("Unplanned unblindings"), Facts.unblinded),
        Item(
            "16", conduct, _("Analysis of readers and images as random, planned before reading"), Facts.methods_planned
        ),
    )
