"""The items of STARD 2015 (Bossuyt et al., BMJ 2015;351:h5527), in our own words."""

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import Item


def stard_items() -> tuple[Item, ...]:
    """The items in their order, in the words of the reader's language."""
    title_or_abstract = _("Title or abstract")
    abstract = _("Abstract")
    introduction = _("Introduction")
    methods = _("Methods")
    results = _("Results")
    discussion = _("Discussion")
    other_information = _("Other information")
    return (
        Item("1", title_or_abstract, _("That this is a study of accuracy, by naming a measure of it"), Facts.blank),
        Item("2", abstract, _("Design, methods, results and conclusions in a structured abstract"), Facts.blank),
        Item("3", introduction, _("The clinical question and what the test is for"), Facts.blank),
        Item("4", introduction, _("Aims and hypotheses"), Facts.objective),
        Item(
            "5",
            methods,
            _("Whether the study was planned before or after the test and the truth were obtained"),
            Facts.dates,
        ),
        Item("6", methods, _("Who could take part"), Facts.left_out),
        Item("7", methods, _("How possible participants were found"), Facts.blank),
        Item("8", methods, _("Where and when they were found"), Facts.blank),
        Item("9", methods, _("Whether the series was consecutive, random or at convenience"), Facts.drawn),
        Item("10a", methods, _("The test, in enough detail to repeat it"), Facts.test),
        Item("10b", methods, _("The truth it is held against, in enough detail to repeat it"), Facts.reference),
        Item("11", methods, _("Why this truth was chosen"), Facts.blank),
        Item("12a", methods, _("Categories or cut-offs of the test, planned or found later"), Facts.categories),
        Item("12b", methods, _("Categories or cut-offs of the truth, planned or found later"), Facts.reference),
        Item("13a", methods, _("What those who did the test knew of the truth and of the patient"), Facts.blinded),
        Item(
            "13b", methods, _("What those who made the truth knew of the test and of the patient"), Facts.truth_before
        ),
        Item("14", methods, _("How accuracy was estimated or compared"), Facts.methods),
        Item("15", methods, _("What was done with results that are neither yes nor no"), Facts.unsure),
        Item("16", methods, _("What was done with missing results"), Facts.missing),
        Item("17", methods, _("Analyses of differing accuracy, planned or found later"), Facts.variability),
        Item("18", methods, _("The intended sample size and how it was found"), Facts.size),
        Item("19", results, _("The flow of participants, as a diagram"), Facts.flow),
        Item("20", results, _("Who the participants were: age, sex, findings"), Facts.baseline),
        Item("21a", results, _("How severe the condition was in those who have it"), Facts.with_condition),
        Item("21b", results, _("What else those have who do not have it"), Facts.without_condition),
        Item("22", results, _("Time, and anything done, between the test and the truth"), Facts.truth_before),
        Item("23", results, _("Results of the test by the truth, as a cross table"), Facts.cross_table),
        Item("24", results, _("Estimates of accuracy with their precision"), Facts.estimates),
        Item("25", results, _("Harm done by the test or by finding the truth"), Facts.blank),
        Item("26", discussion, _("Limits: sources of bias, uncertainty, to whom it applies"), Facts.limits),
        Item("27", discussion, _("What it means for practice"), Facts.blank),
        Item("28", other_information, _("Registration: number and name of the register"), Facts.blank),
        Item("29", other_information, _("Where the full protocol can be read"), Facts.protocol),
        Item("30", other_information, _("Who paid, and the part that they had"), Facts.blank),
    )
