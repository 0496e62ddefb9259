"""The items of STARD 2015 (Bossuyt et al., BMJ 2015;351:h5527), in our own words."""

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import ChecklistItem as Item


def stard_items() -> tuple[Item, ...]:
    """Return the items in their order, in the active language."""
    title_or_abstract = _("Title or abstract")
    abstract = _("Abstract")
    introduction = _("Introduction")
    methods = _("Methods")
    results = _("Results")
    discussion = _("Discussion")
    other_information = _("Other information")
    return (
        Item(
            "1",
            title_or_abstract,
            _("Identification as a study of accuracy, naming a measure of it"),
            Facts.blank,
            entries=("title",),
        ),
        Item("2", abstract, _("Structured summary of design, methods, results and conclusions"), Facts.blank),
        Item(
            "3",
            introduction,
            _("Clinical background, and the purpose of the index test"),
            Facts.blank,
            entries=("background",),
        ),
        Item("4", introduction, _("Aims and hypotheses"), Facts.objective),
        Item("5", methods, _("Whether data collection was planned before the tests were done"), Facts.dates),
        Item(
            "6",
            methods,
            _("Eligibility criteria"),
            Facts.excluded_files,
            rest=_("the criteria by which patients and images entered the cohort"),
            entries=("eligibility",),
        ),
        Item(
            "7",
            methods,
            _("How potentially eligible participants were identified"),
            Facts.blank,
            entries=("identification",),
        ),
        Item("8", methods, _("Setting, location and dates of enrolment"), Facts.blank, entries=("setting",)),
        Item(
            "9",
            methods,
            _("Whether the series was consecutive, random or a convenience sample"),
            Facts.sampling,
            rest=_("whether the cohort itself is consecutive, random or a convenience sample"),
            entries=("series",),
        ),
        Item("10a", methods, _("Index test, in enough detail to repeat it"), Facts.index_test),
        Item(
            "10b",
            methods,
            _("Reference standard, in enough detail to repeat it"),
            Facts.reference,
            entries=("reference_standard",),
        ),
        Item("11", methods, _("Rationale for the reference standard"), Facts.rationale),
        Item("12a", methods, _("Cut-offs or categories of the index test, prespecified or not"), Facts.categories),
        Item(
            "12b", methods, _("Cut-offs or categories of the reference standard, prespecified or not"), Facts.reference
        ),
        Item("13a", methods, _("What those who did the index test knew of the patient and the truth"), Facts.blinding),
        Item(
            "13b", methods, _("What those who set the truth knew of the patient and the index test"), Facts.truth_dates
        ),
        Item("14", methods, _("Methods to estimate or compare accuracy"), Facts.methods),
        Item("15", methods, _("How indeterminate results were handled"), Facts.unsure),
        Item("16", methods, _("How missing results were handled"), Facts.missing),
        Item("17", methods, _("Analyses of variability of accuracy, prespecified or exploratory"), Facts.variability),
        Item(
            "18",
            methods,
            _("Intended sample size and how it was determined"),
            Facts.size,
            rest=Facts.unknown_size,
            entries=("sample_size",),
        ),
        Item("19", results, _("Flow of participants, as a diagram"), Facts.flow),
        Item(
            "20",
            results,
            _("Characteristics of the participants: age, sex, findings"),
            Facts.baseline,
            rest=_("the patients’ age and further characteristics"),
            entries=("participants",),
        ),
        Item("21a", results, _("Severity of the condition in those with it"), Facts.with_condition),
        Item("21b", results, _("Other diagnoses in those without the condition"), Facts.without_condition),
        Item("22", results, _("Time and interventions between index test and reference standard"), Facts.truth_dates),
        Item("23", results, _("Cross table of the index test and the reference standard"), Facts.cross_table),
        Item(
            "24",
            results,
            _("Estimates of accuracy with their precision"),
            Facts.estimates,
            rest=Facts.unknown_estimates,
        ),
        Item(
            "25",
            results,
            _("Adverse events of the index test or the reference standard"),
            Facts.blank,
            excused=Facts.no_harm,
        ),
        Item(
            "26",
            discussion,
            _("Limitations: bias, uncertainty, generalisability"),
            Facts.limits,
            rest=_("bias of the cohort, and to whom the results apply"),
            entries=("limitations",),
        ),
        Item("27", discussion, _("Implications for practice"), Facts.blank),
        Item(
            "28",
            other_information,
            _("Registration: number and name of the register"),
            Facts.blank,
            entries=("registration",),
        ),
        Item(
            "29",
            other_information,
            _("Where the full protocol can be accessed"),
            Facts.protocol,
            rest=_("where it can be accessed"),
            entries=("protocol_access",),
        ),
        Item("30", other_information, _("Sources of funding and their role"), Facts.blank, entries=("funding",)),
    )
