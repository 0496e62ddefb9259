"""The examples of the guide for R are executed as they stand, where R is installed with httr2."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.client.test_guide import served  # noqa: F401 (a fixture)

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "r-client.md"


def _has_httr2() -> bool:
    command = ["Rscript", "-e", "library(httr2); library(jsonlite); library(openssl)"]
    return shutil.which("Rscript") is not None and subprocess.run(command, capture_output=True).returncode == 0


def _code() -> str:
    """Return all indented blocks but that of the environment."""
    blocks = re.findall(r"(?m)(?:^    .*\n(?:^\n(?=    ))?)+", GUIDE.read_text())
    return "\n".join(re.sub(r"(?m)^    ", "", block) for block in blocks if "Renviron" not in block)


# Without R nobody can run the guide.
@pytest.mark.skipif(
    not _has_httr2(), reason="needs R: apt-get install r-base-core r-cran-httr2 r-cran-vctrs r-cran-jsonlite"
)
def test_the_examples_in_r_run_one_after_the_other(served, tmp_path):  # noqa: F811 (the fixture is its parameter)
    script = tmp_path / "guide.R"
    script.write_text(_code() + '\nstopifnot("breast1" %in% studies$code, nrow(readings) > 0, length(answers) > 0)\n')
    done = subprocess.run(["Rscript", str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"real", "adversarial"} <= set(done.stdout.split())
    assert (tmp_path / "breast1-bundle.zip").read_bytes().startswith(b"PK")
