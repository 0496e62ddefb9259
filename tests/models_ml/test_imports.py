"""The learning packages can be used without the web application."""

import json
import subprocess
import sys

import pytest

from tests.without_torch import WITHOUT_TORCH

MODULES = (
    "models_ml.evaluation.attack_table",
    "models_ml.training.gan",
    "models_ml.training.classifier",
    "models_ml.runs.curves",
    "attacks.base",
    "attacks.evaluation.measure",
    "attacks.generative.gan",
)
PURE = (
    "readerstudy.errors",
    "readerstudy.imaging",
    "readerstudy.missing_packages",
    "readerstudy.provenance",
    "readerstudy.results",
    "readerstudy.serialise",
    "readerstudy.statistics",
    "readerstudy.vocabulary",
)


@pytest.mark.skipif(WITHOUT_TORCH, reason="The child process imports torch.")
def test_learning_imports_no_django_and_only_pure_web_packages() -> None:
    code = f"import json, sys, {', '.join(MODULES)}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(run.stdout)
    assert not [name for name in modules if name.partition(".")[0] in ("django", "celery")]
    web_side = [name for name in modules if name.startswith("readerstudy.")]
    assert not [name for name in web_side if not name.startswith(PURE)]
