"""The packages of the wheel: all code, and inside `readerstudy.beside` what lies beside the packages in a checkout.

Everything else about the project is in pyproject.toml, where packages cannot be both found and named.
"""

from setuptools import find_packages, setup

BESIDE = "readerstudy.beside"  # settings.BASE_DIR of an installed wheel

setup(
    packages=[
        *find_packages(
            include=[f"{name}{end}" for name in ("readerstudy", "models_ml", "attacks") for end in ("", ".*")]
        ),
        BESIDE,
    ],
    package_dir={BESIDE: "."},
    package_data={BESIDE: ["manage.py", "templates/**/*", "static/**/*", "locale/**/*", "docs/designs/*"]},
)
