"""Every form of images on the reading page: its scripts, its templates, its keys."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.forms import PAGE_FORMS
from tests import walk

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "static" / "reading" / "forms"
TEMPLATES = ROOT / "templates" / "reading"
INCLUDED = re.compile(r'form\.templates\|add:"(\w+\.html)"')
ROW = re.compile(r'^  (\w+): \(\) => import\("\./(\w+)/form\.js"\),$', re.MULTILINE)
KEY = re.compile(r'^ +(\w+): \[("[^\]]+")\],$', re.MULTILINE)
KEY_IN_LIST = re.compile(r'reading/_key\.html" with command="(\w+)"')


def standard_keys(script: Path) -> dict[str, list[str]]:
    """Return command → keys as a script of keys has them."""
    return {command: re.findall(r'"([^"]+)"', keys) for command, keys in KEY.findall(script.read_text())}


PAGE_KEYS = standard_keys(SCRIPTS.parent / "controls" / "page_keys.js")


@pytest.fixture(params=sorted(PAGE_FORMS))
def form(request):
    return PAGE_FORMS[request.param]


def test_server_scripts_and_templates_have_the_same_forms():
    table = dict(ROW.findall((SCRIPTS / "index.js").read_text()))
    assert table == {name: name for name in PAGE_FORMS}
    folders = {path.name for path in SCRIPTS.iterdir() if path.is_dir()}
    assert folders == {path.name for path in (TEMPLATES / "forms").iterdir()} == set(PAGE_FORMS)


def test_a_form_is_declared_as_one_so_that_its_types_are_checked(form):
    script = (ROOT / "static" / form.scripts / "form.js").read_text()
    assert re.search(r'@type \{import\("\.\./form\.js"\)\.Form<.+>\} \*/\nexport const form = ', script)
    assert (ROOT / "static" / form.styles).exists()
    assert "serve(" in (ROOT / "static" / form.scripts / "decode_worker.js").read_text()


def test_a_form_has_every_template_that_the_page_includes(form):
    own = ROOT / "templates" / form.templates
    texts = [path.read_text() for folder in (TEMPLATES, own) for path in folder.glob("*.html")]
    included = {name for text in texts for name in INCLUDED.findall(text)}
    included |= {name for text in texts for name in re.findall(rf'include "{form.templates}(\w+\.html)"', text)}
    assert {"_image.html", "_triptych.html", "_tools.html", "_keys.html", "_small.html", "_badge.html"} <= included
    for name in included:
        get_template(form.templates + name)
    assert {path.name for path in own.iterdir()} == included


def test_a_form_shows_an_image_and_the_three_of_a_triptych(form):
    """Under the names by which the API gives their addresses."""
    for name, panels in (("_image.html", ["image"]), ("_triptych.html", ["real", "adversarial", "difference"])):
        html = get_template(form.templates + name).render({"words": {}})
        assert re.findall(r'data-panel="(\w+)"', html) == panels


def test_no_key_has_two_commands(form):
    standard = standard_keys(ROOT / "static" / form.scripts / "keys.js")
    assert standard
    assert PAGE_KEYS
    assert not set(standard) & set(PAGE_KEYS)
    keys = [key for keys in (*standard.values(), *PAGE_KEYS.values()) for key in keys]
    assert len(keys) == len(set(keys))


def test_every_key_of_a_form_is_in_its_list(form):
    listed = get_template(form.templates + "_keys.html").render({"session": {"kind": SessionKind.EDUCATION}})
    assert set(re.findall(r'data-keys="(\w+)"', listed)) == set(
        standard_keys(ROOT / "static" / form.scripts / "keys.js")
    )


def test_every_key_of_the_page_is_in_its_list():
    assert set(KEY_IN_LIST.findall((TEMPLATES / "_keys.html").read_text())) == set(PAGE_KEYS)


def test_forms_keep_changed_keys_apart():
    stored = [re.search(r'stored: "([^"]+)"', path.read_text()) for path in SCRIPTS.glob("*/keys.js")]
    assert len(stored) == len(PAGE_FORMS) == len({match and match[1] for match in stored})


def test_the_reader_s_list_of_studies_names_the_form(study, rita):
    (row,) = walk.client_of(rita).get("/api/v1/reading/").json()["studies"]
    assert row["form"] == "picture"
