"""The items of STARD-AI (Sounderajah et al., Nat Med 2025;31:3283–3289), in our own words.

Items that are those of STARD 2015 have its words. Numbers and contents follow a public copy of Table 2 of the accepted
manuscript (CC BY), whose text we could not compare with the version of record.
"""

from dataclasses import replace

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import ChecklistItem as Item
from readerstudy.analysis.checklists.stard import stard_items

# Number here by number in STARD 2015, of the items that were taken over unchanged.
_UNCHANGED = {
    "2": "2",
    "4": "4",
    "5": "5",
    "7": "8",
    "8": "9",
    "9": "10",
    "10a": "15a",
    "12a": "15c",
    "10b": "16a",
    "11": "16b",
    "12b": "16c",
    "13a": "17a",
    "13b": "17b",
    "14": "18",
    "15": "19",
    "16": "20",
    "17": "21",
    "18": "22",
    "19": "24",
    "21a": "26a",
    "21b": "26b",
    "22": "27",
    "23": "30",
    "24": "31",
    "25": "32",
    "26": "33",
    "27": "34",
    "28": "36",
    "29": "37",
    "30": "38",
}


def stard_ai_items() -> tuple[Item, ...]:
    """Return the items in their order, in the active language."""
    taken_over = (replace(item, number=_UNCHANGED[item.number]) for item in stard_items() if item.number in _UNCHANGED)
    return tuple(sorted((*taken_over, *_before_results(), *_from_results()), key=_order))


def _order(item: Item) -> tuple[int, str]:
    letter = item.number.lstrip("0123456789")
    return int(item.number.removesuffix(letter)), letter


def _before_results() -> tuple[Item, ...]:
    """Return the new and the changed items of title, introduction and methods."""
    methods = _("Methods")
    return (
        Item(
            "1",
            _("Title or abstract"),
            _("Identification as a study of the accuracy of AI, naming a measure of it"),
            Facts.blank,
            entries=("title",),
        ),
        Item(
            "3",
            _("Introduction"),
            _("Background; intended use of the index test, new or established; its place in the workflow"),
            Facts.blank,
            rest=_("the background and the intended use, both"),
            entries=("background", "intended_use"),
        ),
        Item(
            "6", methods, _("Approval by an ethics committee, or why none was needed"), Facts.blank, entries=("ethics",)
        ),
        Item(
            "7",
            methods,
            _("Inclusion and exclusion criteria of patients and of data, in the order in which they were applied"),
            Facts.excluded_files,
            rest=_("the criteria by which patients and images entered the cohort"),
            entries=("eligibility",),
        ),
        Item(
            "11",
            methods,
            _("Source of the data: routine, collected for the study, or public"),
            Facts.data,
            rest=_("the institution or the public data set"),
            entries=("data_source",),
        ),
        Item(
            "12",
            methods,
            _("Who annotated the data, with which experience, and how"),
            Facts.pathology_source,
            rest=_("who annotated the pathology, and their qualification"),
            entries=("annotators",),
        ),
        Item(
            "13",
            methods,
            _("Devices that captured the data; software of the index test with its version and intended use"),
            Facts.software,
            rest=_("manufacturer and model of the devices"),
            entries=("acquisition",),
        ),
        Item(
            "14",
            methods,
            _("Protocols of acquisition, and preprocessing, in enough detail to repeat them"),
            Facts.preprocessing,
            rest=_("devices and protocols"),
            entries=("acquisition",),
        ),
        Item(
            "15b",
            methods,
            _("Development of the index test: training, tuning, test and external evaluation, with sample sizes"),
            Facts.development,
        ),
        Item(
            "15d",
            methods,
            _("Intended users of the index test, and the expertise they need"),
            Facts.readers,
            rest=_("for which users the index test is meant"),
            entries=("intended_use",),
        ),
        Item(
            "23",
            methods,
            _("Analyses of errors, of bias of the algorithm and of fairness, if any"),
            Facts.subgroups,
            rest=_("whether fairness between groups of patients was assessed"),
            entries=("fairness",),
        ),
    )


def _from_results() -> tuple[Item, ...]:
    """Return the new and the changed items of results, discussion and other information."""
    results, other_information = _("Results"), _("Other information")
    return (
        Item(
            "25",
            results,
            _("Characteristics of patients and data in the training, tuning and test sets"),
            Facts.baseline,
            rest=_("the patients’ age and further characteristics"),
            entries=("participants",),
        ),
        Item(
            "28",
            results,
            _("Whether the data sets have the distribution of the condition that the intended use would have"),
            Facts.drawn_sessions,
            rest=_("how that compares with the intended use"),
            entries=("prevalence",),
        ),
        Item(
            "29",
            results,
            _("How an independent data set differs from the training, tuning and test sets"),
            Facts.blank,
            excused=Facts.no_external_data,
        ),
        Item(
            "35",
            _("Discussion"),
            _("Ethical considerations of using the index test, and fairness"),
            Facts.blank,
            rest=_("ethical considerations and fairness, both"),
            entries=("ethical_use", "fairness"),
        ),
        Item("39", other_information, _("Commercial interests"), Facts.blank, entries=("interests",)),
        Item(
            "40a",
            other_information,
            _("Availability of data and code, with restrictions of their use"),
            Facts.availability,
            rest=_("where data, weights and code can be had"),
            entries=("availability",),
        ),
        Item("40b", other_information, _("Whether outputs are stored and can be audited"), Facts.auditable),
    )
