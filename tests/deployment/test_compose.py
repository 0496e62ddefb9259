"""docker-compose.yml, Dockerfile and .env.example: valid, complete, and in step with the settings."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from readerstudy.environment import VARIABLES

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OWN = ("init", "web", "worker", "beat", "gpu-worker")
# Read by docker-compose.yml itself.
COMPOSE_ONLY = {
    *("POSTGRES_PASSWORD", "WEB_PASSWORD", "SEALED_PASSWORD", "REDIS_PASSWORD"),
    *("BIND", "PORT", "TORCH_INDEX"),
}
# In the file .env, which every service reads, and empty for all but the worker.
WORKER_ONLY = {"PSEUDONYM_KEY", "PSEUDONYM_KEY_FILE"}
# Names the database of a test run.
TESTS_ONLY = {"TEST_DATABASE"}


def test_the_file_follows_the_compose_specification():
    schema = json.loads(Path(__file__).with_name("compose_spec.json").read_text())
    jsonschema.validate(COMPOSE, schema, cls=jsonschema.Draft201909Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {**COMPOSE, "services": {"web": {"imagine": "postgres"}}}, schema, cls=jsonschema.Draft201909Validator
        )


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="Debian's docker-compose is not installed")
def test_docker_compose_accepts_the_file(tmp_path):
    example = (ROOT / ".env.example").read_text()
    (tmp_path / ".env").write_text(re.sub(r"(?m)^([A-Z_]+)=$", r"\1=secret", example))
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    command = ["docker-compose", "--profile", "gpu", "config", "--services"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.split()) == {*OWN, "postgres", "redis"}


def test_only_workers_have_torch_and_only_one_needs_a_graphics_card():
    targets = {name: SERVICES[name]["build"]["target"] for name in OWN}
    assert targets == {"init": "web", "web": "web", "worker": "worker", "beat": "web", "gpu-worker": "worker"}
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["gpu-worker"]
    web, worker = re.split(r"(?m)^FROM web AS worker$", (ROOT / "Dockerfile").read_text())
    assert not re.search(r"torch==|models_ml|attacks|ml\.txt", web)
    assert re.search(r"COPY models_ml", worker)


def test_services_wait_for_the_migrated_database():
    for name in ("web", "worker", "beat", "gpu-worker"):
        assert SERVICES[name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}
    assert SERVICES["init"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert "migrate" in SERVICES["init"]["command"]
    assert "collectstatic" in SERVICES["init"]["command"]


def test_no_port_but_the_pages_is_published():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"]


def test_the_build_context_has_all_that_the_dockerfile_copies():
    copied = re.findall(r"(?m)^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text())
    allowed = re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text())
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
        assert any(path == name.rstrip("/") or path.startswith(name) for name in allowed), path


def test_the_example_has_every_setting_and_no_other():
    known = {variable.name for variable in VARIABLES}
    example = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text()))
    by_compose = set(SERVICES["init"]["environment"]) - {"POSTGRES_PASSWORD"} - WORKER_ONLY
    assert example - COMPOSE_ONLY == known - TESTS_ONLY - by_compose
    assert by_compose <= known


def test_every_variable_of_the_compose_file_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == COMPOSE_ONLY | WORKER_ONLY
    example = (ROOT / ".env.example").read_text()
    assert all(re.search(rf"(?m)^(# )?{name}=", example) for name in COMPOSE_ONLY)


def test_the_example_holds_no_secret():
    example = (ROOT / ".env.example").read_text()
    assert re.findall(
        r"(?m)^(POSTGRES_PASSWORD|REDIS_PASSWORD|SECRET_KEY|PSEUDONYM_KEY|RECORD_KEY)=(.*)$", example
    ) == [
        ("POSTGRES_PASSWORD", ""),
        ("REDIS_PASSWORD", ""),
        ("SECRET_KEY", ""),
        ("PSEUDONYM_KEY", ""),
        ("RECORD_KEY", ""),
    ]


def test_only_the_worker_that_imports_has_the_key_of_the_pseudonyms():
    for name in OWN:
        given = {key: SERVICES[name]["environment"][key] for key in WORKER_ONLY}
        wanted = {key: f"${{{key}:-}}" if name == "worker" else "" for key in WORKER_ONLY}
        assert given == wanted


def test_only_the_migration_knows_the_password_of_the_owner():
    """The file .env has it, and every service reads that file."""
    for name in OWN:
        environment = SERVICES[name]["environment"]
        assert environment["POSTGRES_PASSWORD"] == ""
        assert ("OWNER_DATABASE_URL" in environment) == (name == "init")
