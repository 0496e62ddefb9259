"""Set what a study asks of its readers beside the plan."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, get_type_hints

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.participation.models import Characteristic, ReaderRules
from readerstudy.participation.reader_protocol import ReaderProtocol
from readerstudy.protocol.texts import Translated
from readerstudy.protocol.values import read_value
from readerstudy.studies.models import Study

_HINTS: Final = get_type_hints(ReaderProtocol, include_extras=True)


@transaction.atomic
def save_rules(*, study: Study, values: Mapping[str, Any], actor: User | None, at: datetime) -> ReaderRules:
    """Change some rules of the study. Raises BadInput for a value out of range, or once the study is closed.

    The text of the end page can be changed later: readers come back to it.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not study.takes_readers and set(values) - {"closing_texts"}:
        values_of_study = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s; its rules for readers are fixed.") % values_of_study)
    rules = ReaderRules.of(study)
    changed = {}
    for name, value in values.items():
        checked = _checked(name, value)
        if getattr(rules, name) != checked:
            setattr(rules, name, checked)
            changed[name] = checked
    if changed or rules.pk is None:
        rules.save()
    if changed:
        record("reader_rules.changed", actor=actor, subject=study, at=at, **changed)
    return rules


def _checked(name: str, value: Any) -> Any:
    """Return a rule as it is stored. Raises BadInput, with its name, if it is out of range."""
    if name == "asked":
        order = Characteristic.values
        value = sorted(set(value), key=lambda each: order.index(each) if each in order else len(order))
    if isinstance(value, Translated):
        value = dict(value)
    checked = read_value(_HINTS[name], value, name)
    if isinstance(checked, Translated):
        return dict(checked)
    return list(checked) if isinstance(checked, tuple) else checked
