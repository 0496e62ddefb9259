"""Says which extra to install where a part of this package is imported without the packages that it needs.

A plain `pip install readerstudy` brings numpy, scipy and httpx, which is enough for the parts in `PLAIN`.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any, Final

PLAIN: Final = ("client", "errors", "missing_packages", "statistics")


class _Explanation(MetaPathFinder):
    """Finds nothing, and refuses the parts that cannot work here before Python looks for them."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return None. Raises ModuleNotFoundError that names the extra."""
        package, _, rest = fullname.partition(".")
        if package == "readerstudy" and rest and rest.partition(".")[0] not in PLAIN:
            raise ModuleNotFoundError(
                f"{fullname} belongs to the web side, which is not installed here: pip install 'readerstudy[web]'",
                name=fullname,
            )
        if package in ("models_ml", "attacks"):
            raise ModuleNotFoundError(
                f"{fullname} belongs to the lab, which is not installed here: pip install 'readerstudy[web,ml]'",
                name=fullname,
            )
        return None


def explain_missing_packages() -> None:
    """Let imports of what needs an extra say so, if this is an installation without the web side."""
    if find_spec("django") is None:
        sys.meta_path.insert(0, _Explanation())
