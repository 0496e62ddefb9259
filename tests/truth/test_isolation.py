"""The tables of the truth are reachable through `readerstudy.truth` only: no relation, no lookup, no SQL elsewhere."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parent.parent.parent
TRUTH = ROOT / "readerstudy" / "truth"
PACKAGES = ("readerstudy", "models_ml", "attacks")
MODELS = list(apps.get_app_config("truth").get_models())
# An erasure replaces names in reasons that people wrote; these two modules list the tables with such reasons.
WITH_REASONS = ["truth_exclusion", "truth_unsealing"]
NAMES_IN_REASONS = {
    "readerstudy/privacy/migrations/0001_functions.py": WITH_REASONS,
    "readerstudy/record/redactions.py": WITH_REASONS,
}


def other_files() -> list[Path]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in files if TRUTH not in path.parents]


@pytest.mark.parametrize("model", MODELS)
def test_no_other_model_has_a_relation_to_the_truth(model):
    relations = [field for field in model._meta.get_fields() if field.is_relation]
    assert relations
    for field in relations:
        assert field.remote_field.hidden, f"{field} needs related_name='+'"
        forward = field.related_model._meta
        assert not [other for other in forward.get_fields() if other.related_model is model]


def test_no_other_module_names_a_table_or_model_of_the_truth():
    files = other_files()
    assert len(files) > 300
    named = {str(path.relative_to(ROOT)): names_of_truth(path.read_text(encoding="utf-8")) for path in files}
    assert {path: sorted(names) for path, names in named.items() if names} == NAMES_IN_REASONS


@pytest.mark.parametrize(
    "source",
    [
        "from readerstudy.truth import models",
        "from readerstudy.truth.models import Score",
        "from readerstudy.truth.queries.studies import Truth",
        "model = apps.get_model('truth', 'Score')",
        "model = apps.get_model('truth.Truth')",
        "cursor.execute('SELECT * FROM truth_score')",
        "f'JOIN truth_imagetruth {alias}'",
        "Stimulus.objects.filter(truth__authenticity='real')",
        "Image.objects.values_list('imagetruth__pathology')",
        "queries.studies.Truth.objects.all()",
    ],
)
def test_every_way_around_the_contract_is_found(source):
    assert names_of_truth(source)


def names_of_truth(source: str) -> list[str]:
    """Return what refers to a table of the truth: imports, attributes, names of tables and lookups in strings.

    Docstrings are not searched, because documentation may name the tables.
    """
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    classes = {model.__name__ for model in MODELS}
    lookups = {f"{model._meta.model_name}__" for model in MODELS}
    strings = {model._meta.db_table for model in MODELS} | lookups
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("readerstudy.truth"):
                found += [name.name for name in names if name.name in classes | {"models"}]
            case ast.Attribute(attr=name) if name in classes:
                found.append(name)
            case ast.keyword(arg=str(name)) if any(name.startswith(lookup) for lookup in lookups):
                found.append(name)
            case ast.Call(func=ast.Attribute(attr="get_model"), args=[ast.Constant(value=str(label)), *_]):
                found += [label] if label.partition(".")[0] == "truth" else []
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                found += [name for name in strings if name in text]
            case _:
                pass
    return found
