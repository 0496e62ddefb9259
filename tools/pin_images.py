"""Write the digests that the registry has today for the bases of the Dockerfile into it: `make pin`.

A tag can be moved to another image; a digest names its bytes. Needs Docker with buildx and a way to the registry.
"""

import re
import subprocess
from pathlib import Path

DOCKERFILE = Path(__file__).parent.parent / "Dockerfile"
_BASE = re.compile(r"(?m)^(ARG \w+_IMAGE=)([^\s@]+)(?:@\S+)?$")


def main(path: Path = DOCKERFILE) -> None:
    text = path.read_text()
    path.write_text(_BASE.sub(lambda match: f"{match[1]}{match[2]}@{digest_of(match[2])}", text))


def digest_of(image: str) -> str:
    """Return the digest of the image for all architectures. Raises SystemExit if the registry cannot be asked."""
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"The digest of {image} is not known: {getattr(error, 'stderr', '') or error}") from error
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", answer):
        raise SystemExit(f"The registry's answer for {image} is no digest: {answer!r}.")
    print(f"{image}@{answer}")
    return answer


if __name__ == "__main__":
    main()
