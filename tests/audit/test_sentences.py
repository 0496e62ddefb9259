"""Every event has its sentence, and no sentence names what must stay hidden."""

import ast
import re
from pathlib import Path

from readerstudy.audit.sentences import KINDS, SENTENCES
from readerstudy.invitations.models import MailKind
from readerstudy.studies.admin.trail import HIDDEN
from readerstudy.studies.corners import LOOKED

WITHOUT_EVENT = (MailKind.PASSWORD, MailKind.NOTICE)
# Calls whose first argument is put together: what it can be.
COMPOSED = {
    "LOOKED": {LOOKED},
    "f'{kind.value}.written'": {f"{kind.value}.written" for kind in MailKind if kind not in WITHOUT_EVENT},
    "verb": {
        "account.activated",
        "account.deactivated",
        "image.excluded",
        "image.included",
        "sign_in.ended",
        "sign_in.expired",
        "sign_in.timed_out",
    },
}


def recorded() -> set[str]:
    """The names of all events that the code records, read from its calls of `record`."""
    names = set[str]()
    for path in Path("readerstudy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "record" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    names.add(str(first.value))
                elif any(word.arg == "actor" for word in node.keywords):  # not a `record` of something else
                    names |= COMPOSED[ast.unparse(first)]
    return names


def test_every_event_that_the_code_records_has_a_sentence():
    assert recorded() == set(SENTENCES)


def test_every_kind_of_event_has_a_label():
    assert {name.partition(".")[0] for name in SENTENCES} == set(KINDS)


def test_no_sentence_names_the_seed_or_generators():
    shown = {word for sentence in SENTENCES.values() for word in re.findall(r"%\((\w+)\)s", str(sentence))}
    assert not shown & {*HIDDEN, "generators", "with_truth", "draw", "verdict"}
