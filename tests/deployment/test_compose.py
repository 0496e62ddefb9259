"""docker-compose.yml, Dockerfile and .env.example: valid, with no needless right, and in step with the settings."""

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from readerstudy.configuration.variables import VARIABLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
OWN = ("init", "web", "worker", "beat", "gpu-worker")
PROFILES = {"gpu": {"gpu-worker"}, "pacs": {"pacs"}, "sso": {"sso", "sso-proxy"}}
# Read by docker-compose.yml itself.
COMPOSE_ONLY = {
    *("SERVER_NAME", "BIND", "HTTPS_PORT", "HTTP_PORT", "SECRETS", "CA_BUNDLE", "TORCH_INDEX"),
    *("WEB_MEMORY", "WEB_CPUS", "WORKER_MEMORY", "WORKER_CPUS", "GPU_WORKER_MEMORY"),
    *("POSTGRES_MEMORY", "POSTGRES_CPUS", "PACS_TITLE", "PACS_BIND", "PACS_SENDERS"),
}
SCRIPTS_ONLY = {"WEB_WORKERS", "WEB_THREADS"}  # read by deploy/web
TESTS_ONLY = {"TEST_DATABASE"}  # names the database of a test run
# Of variables without a value in the example, a sentence above them or docs/reference/settings.md says what they mean.
SECRETS = set(COMPOSE["secrets"])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folder of an installation as the guide makes it."""
    for name in ("docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    for command in (["secrets", "secrets"], ["certificate", "localhost", "secrets"]):
        subprocess.run([ROOT / "deploy" / command[0], *command[1:]], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_the_file_follows_the_compose_specification():
    schema = json.loads(Path(__file__).with_name("compose_spec.json").read_text())
    jsonschema.validate(COMPOSE, schema, cls=jsonschema.Draft201909Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {**COMPOSE, "services": {"web": {"imagine": "postgres"}}}, schema, cls=jsonschema.Draft201909Validator
        )


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="Debian's docker-compose is not installed")
@pytest.mark.parametrize("profiles", [(), *((name,) for name in PROFILES), tuple(PROFILES)], ids="-".join)
def test_docker_compose_accepts_every_profile(copy, profiles):
    options = [option for name in profiles for option in ("--profile", name)]
    shown = yaml.safe_load(output_of("docker-compose", *options, "config", folder=copy))
    for secret in shown["secrets"].values():
        assert Path(secret["file"]).exists(), secret


def test_what_is_only_for_some_has_a_profile():
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {name: [profile] for profile, names in PROFILES.items() for name in names}


def output_of(*command: str, folder: Path) -> str:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="Debian's docker-compose is not installed")
def test_an_installation_without_a_host_name_is_refused(copy):
    (copy / ".env").write_text("")
    run = subprocess.run(["docker-compose", "config"], cwd=copy, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "SERVER_NAME" in run.stderr


def test_only_workers_have_torch_and_only_one_needs_a_graphics_card():
    targets = {name: SERVICES[name]["build"]["target"] for name in OWN}
    assert targets == {"init": "web", "web": "web", "worker": "worker", "beat": "web", "gpu-worker": "worker"}
    assert [name for name, service in SERVICES.items() if "gpu" in service.get("profiles", [])] == ["gpu-worker"]
    stages = stages_of_the_dockerfile()
    for name in ("packages", "application", "web"):
        assert not re.search(r"torch==|models_ml|attacks|ml\.txt", stages[name]), name
    assert "COPY models_ml" in stages["worker"]


def stages_of_the_dockerfile() -> dict[str, str]:
    parts = re.split(r"(?m)^FROM \S+ AS (\S+)$", DOCKERFILE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_services_wait_for_the_migrated_database():
    for name in ("web", "worker", "beat", "gpu-worker"):
        assert SERVICES[name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert SERVICES["init"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert SERVICES["proxy"]["depends_on"]["web"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "user"} & service.keys()
    assert not any(str(volume).startswith((".", "/", "$")) for volume in service.get("volumes", []))
    stages, target = stages_of_the_dockerfile(), service["build"]["target"]
    base = stages["application"] if target in ("web", "worker") else ""
    users = re.findall(r"(?m)^USER (\S+)$", base + stages[target])
    assert users, "The image would run as root."
    assert users[-1] != "root"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_limited_and_watched(name):
    service = SERVICES[name]
    assert {"mem_limit", "pids_limit", "cpus", "tmpfs"} <= service.keys()
    assert all("size=" in folder for folder in service["tmpfs"])
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["healthcheck"].get("test") or name == "init"
    assert "HEALTHCHECK" in stages_of_the_dockerfile()[service["build"]["target"]]


def test_each_command_is_a_script_of_deploy():
    for name, service in SERVICES.items():
        script = ROOT / service["command"].lstrip("/")
        assert script.parent.name == "deploy", name
        assert script.stat().st_mode & stat.S_IXUSR, script
        check = service["healthcheck"].get("test", [])
        assert not check or check[1].endswith("deploy/check")
        assert script.read_text().startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n", script], check=True)


def test_only_the_application_reaches_database_and_queue():
    on = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert {name for name in on if "database" in on[name]} == {*OWN, "postgres"}
    assert {name for name in on if "queue" in on[name]} == {*OWN, "redis"} - {"init"}
    assert on["postgres"] == {"database"}
    assert on["redis"] == {"queue"}
    assert on["proxy"] == {"pages", "published"}
    internal = {name for name, network in COMPOSE["networks"].items() if network and network.get("internal")}
    assert internal == {"pages", "database", "queue", "archive"}


def test_no_port_but_the_pages_is_published():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"proxy", "sso-proxy", "pacs"}
    assert published["proxy"] == [
        "${BIND:-0.0.0.0}:${HTTPS_PORT:-443}:8443",
        "${BIND:-0.0.0.0}:${HTTP_PORT:-80}:8080",
    ]
    # Those of the profiles are published to this machine only, unless somebody says otherwise.
    assert published["sso-proxy"] == ["127.0.0.1:9443:9443"]
    assert published["pacs"] == ["${PACS_BIND:-127.0.0.1}:4242:4242"]


def test_each_service_is_given_its_own_secrets_only():
    has = {name: set(service.get("secrets", [])) for name, service in SERVICES.items()}
    of = {secret: {name for name in has if secret in has[name]} for secret in SECRETS}
    assert of["owner_password"] == {"init", "postgres"}
    assert of["tls_key"] == {"proxy", "sso-proxy"}
    assert of["pacs_password"] == {"pacs"}
    assert of["pseudonym_key"] == {"worker"}  # which imports
    assert of["secret_key"] == of["record_key"] == set(OWN)
    named = {
        name: set(re.findall(r"/run/secrets/(\w+)", json.dumps(service.get("environment", {}))))
        for name, service in SERVICES.items()
    }
    for name in SERVICES:
        assert named[name] <= has[name], name
    assert set().union(*named.values()) == SECRETS


def test_no_variable_of_a_service_holds_a_secret():
    """Variables are shown by `docker inspect`: they name files."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY$", variable):
                assert variable.endswith("_FILE"), (name, variable)
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), (name, variable)


def test_the_build_context_has_all_that_the_dockerfile_copies():
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE)
    allowed = re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text())
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
        assert any(path == name.rstrip("/") or path.startswith(name) for name in allowed), path


def test_bases_are_pinned_by_exact_version_or_digest():
    bases = dict(re.findall(r"(?m)^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE))
    own = set(stages_of_the_dockerfile())
    for base in re.findall(r"(?m)^FROM (\S+) AS", DOCKERFILE):
        if base in own:
            continue
        image = bases[re.fullmatch(r"\$\{(\w+)\}", base)[1]]
        assert re.fullmatch(r"(python:3\.\d+\.\d+|debian:\d+\.\d+)-slim(-\w+)?(@sha256:[0-9a-f]{64})?", image)
    assert not any("image" in service for service in SERVICES.values())


def test_the_example_has_every_setting_and_no_other():
    known = {variable.name for variable in VARIABLES}
    variables = {*SERVICES["init"]["environment"], *SERVICES["worker"]["environment"]}
    given = {name if name in known else name.removesuffix("_FILE") for name in variables} | {"PSEUDONYM_KEY"}
    assert in_the_example() - COMPOSE_ONLY - SCRIPTS_ONLY == known - TESTS_ONLY - given
    assert given - known == {"REQUESTS_CA_BUNDLE", "OPENBLAS_NUM_THREADS"}  # of libraries


def in_the_example() -> set[str]:
    return set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", EXAMPLE))


def test_every_variable_of_the_compose_file_and_of_a_script_is_in_the_example():
    assert set(re.findall(r"\$\{([A-Z_]+)", TEXT)) == COMPOSE_ONLY
    assert in_the_example() >= COMPOSE_ONLY | SCRIPTS_ONLY
    web = (ROOT / "deploy" / "web").read_text()
    assert all(f"${{{name}:-" in web for name in SCRIPTS_ONLY)


def test_defaults_in_the_example_are_those_of_the_files():
    stated = dict(re.findall(r"(?m)^# ([A-Z_]+)=(.+)$", EXAMPLE))
    sources = TEXT + (ROOT / "deploy" / "web").read_text()
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^}]+)\}", sources):
        if name in COMPOSE_ONLY | SCRIPTS_ONLY:
            assert stated[name] == default, name


def test_every_variable_in_the_example_is_documented():
    """By the reference of settings, or by a sentence in the comment above its group."""
    documented = {variable.name for variable in VARIABLES}
    groups = [group for group in re.split(r"\n(?=# [A-Z][a-z ]|# ---)", EXAMPLE) if "=" in group]
    for group in groups:
        names = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", group))
        comment = re.findall(r"(?m)^# (?![A-Z_]+=|---)(.+\w.*[.:].*)$", group)
        assert names <= documented or comment, group


def test_the_example_holds_no_secret():
    assert not re.search(r"(?m)^(?:# )?[A-Z_]*(PASSWORD|_KEY|_SECRET)[A-Z_]*=", EXAMPLE)
    assert not re.search(r"(?m)^[^#].*://[^/]*:[^/]*@", EXAMPLE)


def test_only_the_migration_knows_the_password_of_the_owner():
    for name in OWN:
        environment = SERVICES[name]["environment"]
        assert ("OWNER_DATABASE_PASSWORD_FILE" in environment) == (name == "init")
        assert ("OWNER_DATABASE_URL" in environment) == (name == "init")
