"""How the form names and explains each field of a protocol: one row for each field, and none for any other.

A field that is added to one of the dataclasses appears in the form with its row here.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from readerstudy.cohort.models import SPLIT_LABELS
from readerstudy.designer.form.analysis_labels import ANALYSIS, COMPARISON, FAMILY
from readerstudy.designer.form.reporting_labels import REPORTING
from readerstudy.designer.form.row import Row, Section
from readerstudy.designer.form.sizing_labels import SIZING
from readerstudy.protocol.analysis_plan import AnalysisPlan, Family
from readerstudy.protocol.comparisons import Comparison
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.questions import Choice, Question
from readerstudy.protocol.reporting import Reporting
from readerstudy.protocol.rules import SessionRules, VerdictLabels
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.protocol.sizing import Sizing

_PROTOCOL: Final = {
    "sessions": Row(
        _("Sessions"),
        _(
            "In this order. Familiarisation asks nothing. Blinded reading asks for a verdict on each image. "
            "Education shows each image beside its adversarial version. A questionnaire has questions and no images."
        ),
        add=_("Add a session"),
        one=_("Session"),
    ),
    "template": Row(_("Made from"), section=Section.HIDDEN),
    "scale": Row(_("Scale"), section=Section.HIDDEN),
    "resolution": Row(_("Resolution"), _("Empty: the largest that the cohort stores.")),
    "attacks": Row(
        _("Attacks"),
        _("One for both directions, or one for each. None: the only ones that the cohort has."),
    ),
    "analysis": Row(_("Analysis plan")),
    "languages": Row(
        _("Languages of the texts"),
        _(
            "Codes such as en, de; the first is shown to readers whose language a text lacks. Save to get a field for "
            "each text in each language. Empty: one text for all."
        ),
    ),
    "shows_own_result": Row(
        _("Readers see their own result"),
        _("After the unsealing, beside the results of the others without names."),
    ),
    "persons_to_unseal": Row(
        _("Unsealed by"),
        _("With two persons, a researcher requests the unsealing and another member of the study confirms it."),
        choices={"1": _("One person"), "2": _("Two persons")},
    ),
    "crossover": Row(
        _("Crossover"),
        _("Two sessions that half of the readers read in the other order. None: all read in this order."),
    ),
}

_SESSION: Final = {
    "kind": Row(_("Kind"), choices=dict(SessionKind.choices)),
    "title": Row(_("Title"), _("As readers see it.")),
    "real": Row(_("Real images"), _("0 or at least 2.")),
    "adversarial": Row(_("Adversarial images"), _("In blinded readings only; 0 or at least 2.")),
    "splits": Row(
        _("Drawn from"),
        _("The attacks were trained on the training split; readers are usually tested on the others."),
        Section.IMAGES,
        {split.value: label for split, label in SPLIT_LABELS.items()},
    ),
    "positive_share": Row(
        _("Share of positive images"),
        _("Of the real and of the adversarial images each; 0.5 is half. Empty: as in the splits."),
        Section.IMAGES,
    ),
    "attacks": Row(_("Attacks of this session"), _("None: those of the study."), Section.IMAGES),
    "resolution": Row(_("Resolution of this session"), _("Empty: that of the study."), Section.IMAGES),
    "order": Row(
        _("Order"),
        _("Blocks keep the session’s share of adversarial images in every stretch of the list."),
        Section.ORDER,
        {
            "same": _("The same random order for all readers"),
            "per_reader": _("Another random order for each reader"),
            "blocks": _("The same order for all readers, in blocks"),
        },
    ),
    "block_size": Row(_("Images of a block"), _("With the order in blocks; otherwise 0."), Section.ORDER),
    "washout_days": Row(
        _("Washout, in days"), _("Least time after the reader’s session before this one; 0: none."), Section.ORDER
    ),
    "instructions": Row(
        _("Instructions"),
        _(
            "Shown before the first image. An empty line begins a paragraph, “- ” an item of a list, “## ” a heading; "
            "**bold** and *italic* work too. Empty: the text for this kind of session and image."
        ),
        Section.WORDS,
        lines=8,
    ),
    "rules": Row(_("Rules")),
    "images_of": Row(
        _("Same images as"),
        _(
            "An earlier session whose images this one shows, all of them, under another condition: with an aid, or "
            "with other questions. Then it has no numbers of images of its own."
        ),
        Section.IMAGES,
    ),
    "repeat_share": Row(
        _("Share of repeated images"),
        _("Shown a second time, to measure the agreement of readers with themselves; 0.1 is a tenth. Empty: none."),
        Section.IMAGES,
    ),
    "repeat_of": Row(
        _("Repeated from"),
        _("An earlier session, or this one. Such a session may have no images of its own."),
        Section.IMAGES,
    ),
    "repeat_distance": Row(
        _("Distance of a repeated image"),
        _("Least number of positions between both showings in one session."),
        Section.IMAGES,
    ),
}

_RULES: Final = {
    "frame_ms": Row(
        _("Grey between two images, in milliseconds"),
        _("Prevents that two images are compared by flicker."),
        Section.READING,
    ),
    "idle_s": Row(
        _("Idle after, in seconds"),
        _("Without a movement or a key, time counts as idle from then on."),
        Section.READING,
    ),
    "pause_when_hidden": Row(
        _("Pause while the page is hidden"), _("The clock stops in another tab or window."), Section.READING
    ),
    "display_check": Row(
        _("Check of the display"),
        _("Before the first image: size, grey levels, ambient light."),
        Section.READING,
        {
            "off": _("None"),
            "advised": _("Advised: readers may skip it"),
            "required": _("Required: it must be passed"),
        },
    ),
    "practice": Row(
        _("Practice image first"),
        _("A real image of the training split that is not in the study. Blinded readings only."),
        Section.READING,
    ),
    "grace_ms": Row(
        _("Time to take an answer back, in milliseconds"),
        _(
            "After it the answer is sent and final. 1000 is long enough for a slip; "
            "0: final at once, as in the article."
        ),
        Section.READING,
    ),
    "names_direction": Row(
        _("Say how each image was altered"),
        _("In education sessions only: so that the AI sees the finding, or does not. The article explains nothing."),
        Section.READING,
    ),
    "break_every": Row(_("Images between two breaks"), _("It is offered, not enforced; 0: no breaks."), Section.ORDER),
    "break_minutes": Row(
        _("Minutes between two breaks"),
        _("Offered before the next image once a reader has read for so long; 0: no breaks by time."),
        Section.ORDER,
    ),
    "rest_hours": Row(
        _("Longest interruption, in hours"),
        _("After a longer one, the session waits until you let it go on; 0: no limit."),
        Section.ORDER,
    ),
    "seconds_per_image": Row(
        _("Seconds for an image"),
        _("For the minutes that readers see until ten images show their own pace."),
        Section.READING,
    ),
    "gap_minutes": Row(
        _("Gap, in minutes"),
        _("A longer time between two verdicts is recorded and lowers the timing grade of the next reading."),
        Section.READING,
    ),
    "questions": Row(
        _("Questions after the verdict"),
        _("Asked in this order after each image. Blinded readings only."),
        Section.QUESTIONS,
        add=_("Add a question"),
        one=_("Question"),
    ),
    "closing_questions": Row(
        _("Questions at the end"),
        _("Asked once, after the last image."),
        Section.QUESTIONS,
        add=_("Add a question"),
        one=_("Closing question"),
    ),
    "verdict": Row(
        _("Verdict"),
        _("Without one, nothing tells readers that images may be altered, and there must be a question."),
        Section.QUESTIONS,
        {"authenticity": _("Real, not real or unsure"), "none": _("None: questions only")},
    ),
    "verdict_labels": Row(_("Names of the verdicts")),
    "not_real_means": Row(
        _("What “not real” means"),
        _("Readers see it before they begin. Empty: an image of which an attack on an AI system altered a part."),
    ),
    "aid": Row(
        _("Aid beside the image"),
        _(
            "The score of the classifier that the attack was made for, on the image that is shown, with its threshold. "
            "Blinded readings only. The images must have scores: evaluate the attack first."
        ),
        Section.READING,
        {"none": _("None"), "score": _("Score of the AI system")},
    ),
}

_QUESTION: Final = {
    "name": Row(_("Name"), _("Short, for tables and files.")),
    "kind": Row(
        _("Answer"),
        choices={
            "choice": _("One of several choices"),
            "choices": _("Any of several choices"),
            "scale": _("A point on a scale"),
            "number": _("A number"),
            "text": _("A short text"),
            "mark": _("Marks on the image"),
        },
    ),
    "text": Row(_("Question"), _("As readers see it.")),
    "choices": Row(
        _("Choices"),
        _("For one or any of several choices: 2 to 9, each with a digit key."),
        add=_("Add a choice"),
        one=_("Choice"),
    ),
    "after": Row(
        _("Asked after"),
        _("None: after every verdict."),
        choices={each.value: each.label for each in Verdict if each != Verdict.SEEN},
    ),
    "required": Row(_("Must be answered")),
    "most": Row(_("Marks at most"), _("For marks on the image.")),
    "minimum": Row(_("Least value"), _("Of a scale or a number. Empty: no bound.")),
    "maximum": Row(_("Largest value"), _("Of a scale or a number; a scale has 2 to 11 points.")),
    "minimum_label": Row(_("Words at the least value"), _("For a scale.")),
    "maximum_label": Row(_("Words at the largest value"), _("For a scale.")),
    "whole": Row(_("Whole numbers only")),
    "longest": Row(_("Characters at most"), _("For a short text.")),
}

_VERDICT_LABELS: Final = {
    verdict.value: Row(label, section=Section.QUESTIONS)
    for verdict, label in (
        (Verdict.REAL, _("“Real” is called")),
        (Verdict.NOT_REAL, _("“Not real” is called")),
        (Verdict.UNSURE, _("“Unsure” is called")),
    )
}

_CHOICE: Final = {
    "value": Row(_("Stored as")),
    "text": Row(_("Shown as")),
}

LABELS: Final[Mapping[type[Any], Mapping[str, Row]]] = {
    Protocol: _PROTOCOL,
    ProtocolSession: _SESSION,
    SessionRules: _RULES,
    VerdictLabels: _VERDICT_LABELS,
    Question: _QUESTION,
    Choice: _CHOICE,
    AnalysisPlan: ANALYSIS,
    Family: FAMILY,
    Comparison: COMPARISON,
    Sizing: SIZING,
    Reporting: REPORTING,
}


def row_of(kind: type[Any], name: str) -> Row:
    """Return the row of a field; one with the name of the field if a row is missing, so that no form fails."""
    return LABELS.get(kind, {}).get(name) or Row(name.replace("_", " ").capitalize())
