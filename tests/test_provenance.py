"""Fingerprints cover the packages that they are about, and change with them."""

import pytest

from readerstudy import provenance
from readerstudy.analysis.report import cache
from readerstudy.provenance import source_hash
from tests.without_torch import training_module


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "a.py").write_text("x = 1")
    (tmp_path / "package" / "inner" / "b.py").write_text("y = 2")
    source_hash.cache_clear()
    yield tmp_path
    source_hash.cache_clear()


def hash_again(*folders, **options):
    source_hash.cache_clear()
    return source_hash(*folders, **options)


def test_a_hash_changes_with_content_name_and_new_files(repository):
    hashes = [hash_again("package")]
    (repository / "package" / "inner" / "b.py").write_text("y = 3")
    hashes.append(hash_again("package"))
    (repository / "package" / "inner" / "b.py").rename(repository / "package" / "inner" / "c.py")
    hashes.append(hash_again("package"))
    (repository / "package" / "inner" / "page.html").write_text("<p>")
    assert hash_again("package") == hashes[-1]
    hashes.append(hash_again("package", suffixes=(".py", ".html")))
    assert len(set(hashes)) == 4


def test_a_folder_without_source_files_is_refused(repository):
    with pytest.raises(FileNotFoundError, match="below nothing"):
        source_hash("nothing")


@pytest.mark.parametrize("module", ["networks/classifier.py", "training/gan.py", "runs/checkpoint.py"])
def test_the_code_version_of_a_run_covers_all_of_models_ml(module, monkeypatch, tmp_path):
    checkpoint = training_module("models_ml.runs.checkpoint")
    assert (provenance.ROOT / "models_ml" / module).is_file()
    assert "models_ml" in checkpoint.SOURCES
    assert checkpoint.code_version() == source_hash(*checkpoint.SOURCES)[:16]


def test_the_reports_cache_covers_code_templates_and_styles(monkeypatch):
    """A change of any of them makes a report anew."""
    asked = []
    monkeypatch.setattr(cache, "source_hash", lambda *folders, suffixes: asked.append((folders, suffixes)) or "hash")
    assert cache.software_hash() == "hash"
    ((folders, suffixes),) = asked
    for file in ("readerstudy/statistics/roc.py", "templates/layout/_table.html", "static/css/report.css"):
        assert (provenance.ROOT / file).is_file()
        assert any(file.startswith(folder + "/") for folder in folders)
        assert file.endswith(suffixes)
