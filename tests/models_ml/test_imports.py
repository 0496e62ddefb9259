"""The lab is pure: it can be used without the web application."""

import subprocess
import sys

MODULES = (
    "models_ml.evaluation.attack_table, models_ml.train_gan, models_ml.train_classifier, models_ml.curves, "
    "attacks.base, attacks.gan, attacks.quality"
)


def test_the_lab_imports_neither_django_nor_the_application() -> None:
    code = f"import sys, {MODULES}; print([m for m in sys.modules if m.split('.')[0] in ('django', 'readerstudy')])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
