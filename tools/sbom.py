"""Write the list of all components in CycloneDX 1.6: `make sbom`.

Locked packages with their hashes, torch, the scripts that pages load, and the packages of Debian in the images.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from readerstudy import __version__

ROOT = Path(__file__).parent.parent

LOCKS = ("web", "ml", "single_sign_on")
_PIN = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)(.*(?:\n    .*)*)")
_LICENSES = LicenseFactory()


def main(path: Path) -> Path:
    """Write the list to `path`; return it."""
    bom = Bom()
    bom.metadata.component = Component(
        type=ComponentType.APPLICATION, name="readerstudy", version=__version__, bom_ref="readerstudy",
        licenses=[_LICENSES.make_from_string("Apache-2.0")],
    )  # fmt: skip
    for component in (*python_packages(), *scripts(), *debian_packages()):
        bom.components.add(component)
        bom.register_dependency(bom.metadata.component, [component])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    return path


def python_packages() -> Iterator[Component]:
    """Yield what the files in requirements/ lock, once for each version, and torch, which is pinned without hashes."""
    known: dict[tuple[str, str], Component] = {}
    for lock in LOCKS:
        for name, version, rest in _PIN.findall((ROOT / "requirements" / f"{lock}.txt").read_text()):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", rest)
            component = known.setdefault((name.lower(), version), python_package(name.lower(), version))
            # A package has a file for each platform: its hashes are properties, because one would be that of one file.
            component.properties.update(Property(name="readerstudy:file:sha256", value=value) for value in hashes)
            component.properties.add(Property(name="readerstudy:lock", value=f"requirements/{lock}.txt"))
    yield from known.values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (torch,) = (pin for pin in project["optional-dependencies"]["ml"] if pin.startswith("torch=="))
    yield python_package("torch", torch.partition("==")[2])


def python_package(name: str, version: str) -> Component:
    reference = f"pkg:pypi/{name}@{version}"
    about = installed(name)
    words = (about.get("License-Expression") or _from_classifiers(about)) if about else ""
    licenses = [_LICENSES.make_from_string(words)] if words else []
    url = PackageURL.from_string(reference)
    kind = ComponentType.LIBRARY
    return Component(type=kind, name=name, version=version, purl=url, bom_ref=reference, licenses=licenses)


def installed(name: str) -> Message | None:
    try:
        # It is a Message, by another name.
        return metadata(name)  # type: ignore[return-value]
    except PackageNotFoundError:
        return None


def _from_classifiers(about: Message) -> str:
    classifiers = [str(value) for value in about.get_all("Classifier", [])]
    named = [value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License ::")]
    return named[0] if named else ""


def scripts() -> Iterator[Component]:
    """Yield the scripts of others in static/vendor."""
    for file, about in json.loads((ROOT / "static" / "vendor" / "versions.json").read_text()).items():
        reference = f"pkg:npm/{about['package']}@{about['version']}#{Path(file).name}"
        yield Component(
            type=ComponentType.LIBRARY, name=about["package"], version=about["version"], bom_ref=reference,
            purl=PackageURL.from_string(reference), licenses=[_LICENSES.make_from_string(about["licence"])],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=about["sha256"])],
            properties=[Property(name="readerstudy:file", value=f"static/vendor/{file}")],
        )  # fmt: skip


def debian_packages() -> Iterator[Component]:
    """Yield what the Dockerfile installs of Debian, fonts among it. Versions are those of the day of the build."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    (release,) = re.findall(r"(?m)^ARG DEBIAN_IMAGE=debian:(\d+)", text)
    names = {
        name
        for words in re.findall(r"apt-get install -y -qq --no-install-recommends ([^&]+)", text)
        for name in words.split()
    }
    for name in sorted(names):
        reference = f"pkg:deb/debian/{name}?distro=debian-{release}"
        url = PackageURL.from_string(reference)
        yield Component(type=ComponentType.LIBRARY, name=name, bom_ref=reference, purl=url)


if __name__ == "__main__":
    print(main(ROOT / "var" / "release" / f"readerstudy-{__version__}.cdx.json"))
