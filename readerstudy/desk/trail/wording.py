"""Events as sentences with links."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.audit.sentences import FACTORS, PARTS, SENTENCES
from readerstudy.cohort.models import Cohort
from readerstudy.desk.trail.sign_ins import SignInFacts, sign_ins_of
from readerstudy.experiments.models import Attack
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Enrollment, ReadingList, Study

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_REASONS: Final = ("reason", "override_reason", "remark")
_PEOPLE: Final = ("person", "requested_by")  # in an event's data: the key of an account
Subject = tuple[str, str]  # model and key
Data = dict[str, Any]


@dataclass(frozen=True)
class Word:
    """A part of a sentence; `url` is empty without a link."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class TrailRow:
    """One event in words."""

    event: Event
    words: tuple[Word, ...]
    reason: str
    sign_in: SignInFacts | None

    @property
    def sentence(self) -> str:
        """The sentence without its links."""
        return "".join(word.text for word in self.words)

    @property
    def html(self) -> SafeString:
        """The sentence with its links."""
        parts = (
            format_html('<a href="{}">{}</a>', word.url, word.text) if word.url else word.text for word in self.words
        )
        return format_html_join("", "{}", ((part,) for part in parts))


def rows_of(events: Collection[Event], viewer: User) -> list[TrailRow]:
    """Return the events in words. The number of queries depends on the kinds of events, not on their number."""
    subjects, studies = _subjects(events, viewer), set(studies_of(viewer).values_list("code", flat=True))
    sign_ins = sign_ins_of(events)
    return [
        TrailRow(
            event=event,
            words=tuple(_words(event, subjects, studies)),
            reason=next((event.data[name] for name in _REASONS if event.data.get(name)), ""),
            sign_in=sign_ins.get(event.pk),
        )
        for event in events
    ]


def _words(event: Event, subjects: Mapping[Subject, Data], studies: Collection[str]) -> Iterable[Word]:
    known = subjects.get(_subject(event), {})
    data = {**known.get("data", {}), **event.data}
    words = {
        "actor": person_word(event.actor) if event.actor else Word(_("The server")),
        "subject": known.get("word") or Word(event.subject.partition(":")[2] or "–"),
        "study": _study_word(event.study, studies),
    }
    template = str(SENTENCES.get(event.verb, "%(actor)s: " + event.verb.replace("%", "")))
    for place, part in enumerate(_PLACEHOLDER.split(template)):
        if place % 2 == 0:
            yield Word(part)
        else:
            yield words.get(part) or _person(part, data, subjects) or Word(_value(part, data.get(part, "–")))


def _person(part: str, data: Data, subjects: Mapping[Subject, Data]) -> Word | None:
    """Return the name of an account in the event's data; None if it is none. Earlier versions wrote user names."""
    if part not in _PEOPLE or not isinstance(data.get(part), int):
        return None
    known: Data = subjects.get((User._meta.label_lower, str(data[part])), {})
    return known.get("word")


def person_word(person: User) -> Word:
    """Return the name of a person, with a link to the account."""
    return Word(person.get_full_name() or person.username, reverse("admin:accounts_user_change", args=[person.pk]))


def _value(name: str, value: Any) -> str:
    if name == "role" and value in Role.values:
        return str(Role(value).label)
    if name == "part":
        return str(PARTS.get(value, value))
    if name == "factor":
        return str(FACTORS.get(value, value))
    if name == "changed":
        return ", ".join(_field_label(each) for each in value)
    return str(value)


def _field_label(name: str) -> str:
    fields = {field.name: field for field in User._meta.fields}
    return str(fields[name].verbose_name) if name in fields else name


# --- subjects -----------------------------------------------------------------------------------------------------
def _subject(event: Event) -> Subject:
    model, _colon, key = event.subject.partition(":")
    return model, key


def _study_word(code: str, studies: Collection[str]) -> Word:
    return Word(code or "–", reverse("desk:study", args=[code]) if code in studies else "")


def _subjects(events: Iterable[Event], viewer: User) -> dict[Subject, Data]:
    """Return, by model and key, the word for each subject and what it adds to the event's data."""
    keys = defaultdict[str, set[int]](set)
    for event in events:
        model, key = _subject(event)
        if key.isascii() and key.isdigit():
            keys[model].add(int(key))
        keys[User._meta.label_lower] |= {event.data[name] for name in _PEOPLE if isinstance(event.data.get(name), int)}
    return {
        (model, str(pk)): found
        for model, pks in keys.items()
        if model in _FINDERS
        for pk, found in _FINDERS[model](pks, viewer).items()
    }


def _users(keys: set[int], viewer: User) -> dict[int, Data]:
    return {pk: {"word": person_word(user)} for pk, user in User.objects.in_bulk(keys).items()}


def _studies(keys: set[int], viewer: User) -> dict[int, Data]:
    own = set(studies_of(viewer).values_list("code", flat=True))
    return {pk: {"word": _study_word(study.code, own)} for pk, study in Study.objects.in_bulk(keys).items()}


def _enrollments(keys: set[int], viewer: User) -> dict[int, Data]:
    rows = Enrollment.objects.filter(pk__in=keys).values_list("pk", "code", "study__code")
    return {pk: {"word": _reader_word(pk, code, study)} for pk, code, study in rows}


def _lists(keys: set[int], viewer: User) -> dict[int, Data]:
    columns = ("pk", "enrollment", "enrollment__code", "enrollment__study__code", "session_plan__number")
    rows = ReadingList.objects.filter(pk__in=keys).values_list(*columns)
    return {
        pk: {"word": _reader_word(enrollment, code, study), "data": {"session": number}}
        for pk, enrollment, code, study, number in rows
    }


def _reader_word(enrollment: int, code: str, study: str) -> Word:
    return Word(code, reverse("desk:reader", args=[study, enrollment]))


def _jobs(keys: set[int], viewer: User) -> dict[int, Data]:
    return {pk: {"word": Word(str(pk), _for_researchers(viewer, "lab:job", pk))} for pk in keys}


def _stimuli(keys: set[int], viewer: User) -> dict[int, Data]:
    return {pk: {"word": Word(str(pk), _for_researchers(viewer, "lab:stimulus", pk))} for pk in keys}


def _cohorts(keys: set[int], viewer: User) -> dict[int, Data]:
    names = Cohort.objects.filter(pk__in=keys).values_list("pk", "name")
    return {pk: {"word": Word(name, reverse("images:cohorts"))} for pk, name in names}


def _attacks(keys: set[int], viewer: User) -> dict[int, Data]:
    names = Attack.objects.filter(pk__in=keys).values_list("pk", "name")
    return {pk: {"word": Word(name, _for_researchers(viewer, "lab:attack", name))} for pk, name in names}


def _for_researchers(viewer: User, view: str, key: Any) -> str:
    return reverse(view, args=[key]) if viewer.is_researcher else ""


_FINDERS: Final[dict[str, Callable[[set[int], User], dict[int, Data]]]] = {
    "accounts.user": _users,
    "studies.study": _studies,
    "studies.enrollment": _enrollments,
    "studies.readinglist": _lists,
    "jobs.job": _jobs,
    "cohort.cohort": _cohorts,
    "cohort.stimulus": _stimuli,
    "experiments.attack": _attacks,
}


def as_lines(rows: Iterable[TrailRow]) -> Iterable[list[str]]:
    """Yield the columns of an export."""
    for row in rows:
        event, sign_in = row.event, row.sign_in
        yield [
            str(event.pk),
            _moment(event.at),
            event.verb,
            row.sentence,
            event.actor.username if event.actor else "",
            event.study,
            row.reason,
            event.address or "",
            event.version,
            str(event.sign_in_id or ""),
            str(sign_in.link or "") if sign_in else "",
            sign_in.made_by.username if sign_in and sign_in.made_by else "",
            str(sign_in.is_makers_address).lower() if sign_in else "",
        ]


COLUMNS: Final = (
    *("event", "at", "name", "sentence", "by", "study", "reason", "address", "version"),
    *("sign_in", "sign_in_link", "link_made_by", "link_used_at_makers_address"),
)


def _moment(at: datetime) -> str:
    return at.isoformat()
