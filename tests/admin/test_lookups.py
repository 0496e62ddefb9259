"""No address of the administration filters, sorts or searches by a field that no column shows."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Field
from django.urls import reverse

from readerstudy.truth.models import Truth
from tests.admin.test_admin import changelist

# What no page of an open study may give away, by model.
SEALED = {
    "accounts.user": ("password",),
    "audit.event": ("data",),
    "rehearsal.blindingaudit": ("result",),
    "cohort.image": ("fingerprint", "signature", "recording", "moment", "stimuli"),
    "cohort.patient": ("fingerprint",),
    "jobs.job": ("parameters", "result", "fingerprint"),
    "reading.reading": ("verdict", "answers", "paradata"),
    "studies.allocation": ("stimulus",),
    "studies.presentation": ("stimulus",),
    "studies.sessionplan": ("practice", "rules_data"),
    "studies.study": ("plan", "image_bytes"),
}
LOOKUPS = (
    "",
    "__exact",
    "__gt",
    "__gte",
    "__lt",
    "__in",
    "__range",
    "__isnull",
    "__regex",
    "__startswith",
    "__contains",
)
DEEPEST = 4
PAGES = {model._meta.label_lower: page for model, page in admin.site._registry.items()}


@pytest.fixture
def coordinator_and_researcher(study, clara, rosa, signed_in):
    return {person.role: signed_in(person) for person in (clara, rosa)}


def viewers(clients: dict, label: str) -> list:
    """The clients of the people to whom the page is open."""
    return [client for role, client in clients.items() if role in PAGES[label].roles]


def named(page: admin.ModelAdmin) -> set[str]:
    """What the page filters, searches and dates by, as written there."""
    filters = [item if isinstance(item, str) else item[0] for item in page.list_filter]
    return {*filters, *page.search_fields, page.date_hierarchy}


def spellings(field: Field, prefix: str = "") -> Iterator[str]:
    """Every way to write the same field in an address."""
    names = {field.name, getattr(field, "attname", field.name)}
    if getattr(field, "primary_key", False):
        names.add("pk")
    if field.is_relation:
        names |= {f"{field.name}__{key}" for key in ("id", "pk")}
    yield from (f"{prefix}{name}{lookup}" for name in sorted(names) for lookup in LOOKUPS)


def reachable(model: type, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Field, str]]:
    """Each field that an address could reach from `model`: its path, the field, and the path's prefix."""
    for field in model._meta.get_fields():
        if getattr(field, "path_infos", None) is None and field.is_relation:
            continue  # a generic relation
        yield f"{prefix}{field.name}", field, prefix
        if field.is_relation and depth < DEEPEST:
            inner = reachable(field.related_model, f"{prefix}{field.name}__", depth + 1)
            # The key at the end of a relation is a spelling of the relation.
            yield from (row for row in inner if not (row[1].name == "id" and row[2] == f"{prefix}{field.name}__"))


@pytest.mark.parametrize("label", SEALED)
def test_a_sealed_field_is_refused_in_every_spelling(coordinator_and_researcher, label):
    model = apps.get_model(label)
    for client in viewers(coordinator_and_researcher, label):
        for name in SEALED[label]:
            for spelling in spellings(model._meta.get_field(name)):
                answer = client.get(changelist(label), {spelling: "1"})
                assert answer.status_code == 400, spelling


@pytest.mark.parametrize(
    ("label", "lookup"),
    [
        ("reading.reading", "presentation__stimulus_id__gt"),
        ("reading.reading", "presentation__stimulus__pk__in"),
        ("reading.showing", "presentation__stimulus__id"),
        ("reading.showing", "presentation__reading__verdict"),
        ("reading.readingsession", "reading_list__presentations__stimulus_id__gt"),
        ("reading.claim", "session__reading_list__presentations__stimulus__gt"),
        ("studies.readinglist", "presentations__stimulus_id__lt"),
        ("studies.readinglist", "enrollment__study__image_bytes"),
        ("studies.enrollment", "study__image_bytes__gt"),
        ("studies.arm", "allocations__stimulus_id__gt"),
        ("studies.sessionplan", "allocations__stimulus_id__gt"),
        ("studies.presentation", "stimulus__image_id"),
        ("studies.presentation", "stimulus__sha256__startswith"),
        ("studies.presentation", "reading_list__session_plan__practice_id"),
        ("cohort.exam", "images__stimuli__id"),
        ("cohort.image", "stimuli__bytes__gt"),
        ("experiments.checkpoint", "job__parameters__contains"),
        ("truth.unsealing", "study__image_bytes__gt"),
        ("rehearsal.blindingaudit", "study__image_bytes"),
    ],
)
def test_a_sealed_field_is_refused_through_relations(coordinator_and_researcher, label, lookup):
    for client in viewers(coordinator_and_researcher, label):
        assert client.get(changelist(label), {lookup: "1"}).status_code == 400


@pytest.mark.parametrize("label", PAGES)
def test_a_page_filters_by_nothing_that_it_does_not_name(rf, clara, label):
    page, request = PAGES[label], rf.get("/admin/")
    request.user = clara
    for path, field, prefix in reachable(page.model):
        if path not in named(page):
            allowed = [lookup for lookup in spellings(field, prefix) if page.lookup_allowed(lookup, "1", request)]
            assert not allowed


@pytest.mark.parametrize("label", PAGES)
def test_no_page_names_a_sealed_field(label):
    sealed = {(apps.get_model(label), name) for label, names in SEALED.items() for name in names}
    page = PAGES[label]
    for path, field, _ in reachable(page.model):
        if path in named(page):
            assert (field.model, field.name) not in sealed


@pytest.mark.parametrize("label", PAGES)
def test_every_filter_that_a_page_offers_works(study, rosa, signed_in, label):
    client = signed_in(rosa)
    changes = client.get(changelist(label)).context["cl"]
    choices = [choice["query_string"] for spec in changes.filter_specs for choice in spec.choices(changes)]
    assert bool(choices) == changes.has_filters
    for query in choices:
        assert client.get(f"{changelist(label)}{query}").status_code == 200, query


@pytest.mark.parametrize(
    ("label", "lookup", "value"),
    [
        ("studies.study", "status__exact", "open"),
        ("studies.presentation", "reading_list__enrollment__study__id__exact", "{study}"),
        ("studies.presentation", "reading_list__enrollment__study__pk__in", "{study}"),
        ("reading.readingsession", "held_at__isempty", "1"),
        ("truth.unsealing", "at__gte", "2026-11-01T00:00Z"),
        ("audit.event", "at__year", "2026"),
        ("audit.event", "verb", "study.created"),
    ],
)
def test_ordinary_filters_work(study, rosa, signed_in, label, lookup, value):
    value = value.format(study=study.pk)
    answer = signed_in(rosa).get(changelist(label), {lookup: value}, follow=True)
    assert (answer.status_code, answer.redirect_chain) == (200, [])


@pytest.mark.parametrize("label", PAGES)
def test_no_list_is_sorted_by_a_sealed_field(study, rosa, signed_in, label):
    client = signed_in(rosa)
    changes = client.get(changelist(label)).context["cl"]
    for index, column in enumerate(changes.list_display):
        orders = changes.get_ordering_field(column)
        assert orders is None or str(orders).lstrip("-") not in SEALED.get(label, ())
        assert client.get(changelist(label), {"o": f"{index}.-{index}"}).status_code == 200
    by_name = {"o": "stimulus"}
    assert client.get(changelist(label), by_name).context["cl"].get_ordering_field_columns() == {}


@pytest.mark.parametrize("label", SEALED)
def test_a_sealed_field_is_no_popup_s_key(coordinator_and_researcher, label):
    model = apps.get_model(label)
    for client in viewers(coordinator_and_researcher, label):
        for name in SEALED[label]:
            field = model._meta.get_field(name)
            for to_field in {name, getattr(field, "attname", name)}:
                query = {"_to_field": to_field, "_popup": "1"}
                assert client.get(changelist(label), query).status_code == 400
                row = reverse(f"admin:{label.replace('.', '_')}_change", args=["1"])
                assert client.get(f"{row}?{urlencode(query)}").status_code == 400


def test_autocompletion_offers_no_stimulus(coordinator_and_researcher):
    for client in coordinator_and_researcher.values():
        for model, field in (("presentation", "stimulus"), ("allocation", "stimulus"), ("sessionplan", "practice")):
            query = {"app_label": "studies", "model_name": model, "field_name": field, "term": "1"}
            assert client.get("/admin/autocomplete/", query).status_code == 403


def test_no_search_finds_a_stimulus(study, rosa, signed_in):
    stimulus = Truth.objects.order_by("-pk")[0].stimulus
    for label, page in PAGES.items():
        if page.search_fields:
            for value in (stimulus.sha256, stimulus.file):
                changes = signed_in(rosa).get(changelist(label), {"q": value}).context["cl"]
                assert changes.result_count == 0, label


def test_the_administration_exports_nothing(rf, rosa):
    request = rf.get("/admin/")
    request.user = rosa
    actions = {label: set(page.get_actions(request)) for label, page in PAGES.items()}
    assert {label: names for label, names in actions.items() if names} == {
        "accounts.user": {"sign_in_links"},
        "jobs.job": {"cancel", "try_again"},
    }
