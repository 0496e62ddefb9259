"""The web side's tests on an interpreter without torch: `make test-web` sets WITHOUT_TORCH.

It is never set by itself: if torch is missing by mistake, the tests that need it fail to import and say so.
"""

import importlib
import os
from pathlib import Path
from types import ModuleType

import grimp
import pytest

WITHOUT_TORCH = bool(os.environ.get("WITHOUT_TORCH"))
ROOT = Path(__file__).parent.parent


def files_with_torch() -> list[str]:
    """Return the paths of the modules below tests/ that import torch or safetensors, directly or indirectly."""
    graph = grimp.build_graph(
        "tests", "readerstudy", "models_ml", "attacks", include_external_packages=True, cache_dir=None
    )
    modules = {module for package in ("torch", "safetensors") for module in graph.find_downstream_modules(package)}
    return [str(ROOT / f"{module.replace('.', '/')}.py") for module in modules if module.startswith("tests.")]


def training_module(name: str) -> ModuleType:
    """Return a module of models_ml or attacks, for a test of the web side that compares with it; skip WITHOUT_TORCH."""
    if WITHOUT_TORCH:
        pytest.skip("WITHOUT_TORCH is set: torch is not in this environment, and the module imports it.")
    return importlib.import_module(name)
