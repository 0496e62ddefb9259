"""Write requirements/*.txt: every package that an installation needs, with version and hashes.

Usage: python tools/lock.py [--upgrade]

Run by `make lock`, which installs uv. uv resolves once for all supported Python versions and platforms, and lists the
hashes of every file of a release, so a lock made on one machine is valid on others. pip installs from it.
Transitive packages keep their locked versions unless `--upgrade` is given.

torch is left out, with the packages that only its CUDA build needs: its CPU and CUDA builds have the same version but
different files and dependencies. The Makefile installs it after the lock.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "requirements"
UV = [Path(sys.executable).with_name("uv"), "pip", "compile", "--universal", "--generate-hashes", "--quiet"]
HEADER = "# Made by `make lock` from pyproject.toml. Do not edit.\n"
# Each file is complete by itself; the first has all packages, so that the others agree with it.
EXTRAS = {
    "dev": ["web", "ml", "dev", "saml", "frames"],
    "ml": ["web", "ml"],
    "web": ["web"],
    "single_sign_on": ["web", "saml", "ldap"],
}
UNLOCKED = re.compile(r"(torch|triton|nvidia-.+|cuda-.+)==")


def main(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = re.search(r">=(3\.\d+)", project["requires-python"]).group(1)
    FOLDER.mkdir(exist_ok=True)
    agreed: list[str] = []
    for name, extras in EXTRAS.items():
        options = [*agreed, *(f"--extra={extra}" for extra in extras), *arguments]
        compile_requirements(name, "pyproject.toml", f"--python-version={oldest}", *options)
        agreed = ["--constraint=requirements/dev.txt"]
    fuzz = "\n".join(project["optional-dependencies"]["fuzz"])
    compile_requirements("fuzz", "-", f"--python-version={oldest}", standard_input=fuzz)
    # The provider to try single sign-on with is in an image of its own.
    sso = "\n".join(project["optional-dependencies"]["sso"])
    compile_requirements("sso", "-", f"--python-version={oldest}", *arguments, standard_input=sso)
    # The oracle works without the packages that it asks for, which would bring another torch.
    oracle = "\n".join(project["optional-dependencies"]["oracle"])
    compile_requirements("oracle", "-", f"--python-version={oldest}", "--no-deps", standard_input=oracle)


def compile_requirements(name: str, *options: str, standard_input: str | None = None) -> None:
    path = FOLDER / f"{name}.txt"
    command = [*UV, "--no-header", *options, f"--output-file={path.relative_to(ROOT)}"]
    subprocess.run(command, cwd=ROOT, check=True, text=True, input=standard_input, stdout=subprocess.DEVNULL)
    path.write_text(HEADER + without_torch(path.read_text()))


def without_torch(text: str) -> str:
    """Return the requirements without torch and its CUDA packages; each begins at the start of a line."""
    stanzas = re.split(r"(?m)^(?=[A-Za-z0-9])", text)
    return "".join(stanza for stanza in stanzas if not UNLOCKED.match(stanza))


if __name__ == "__main__":
    main(sys.argv[1:])
