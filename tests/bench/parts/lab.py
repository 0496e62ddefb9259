"""make bench PART=lab: time and memory of training and generation, compared with the literal formulas.

Each measurement runs in a process of its own, one after the other, so that its peak memory is its own. The
literal implementation is `tests/models_ml/literal.py`: float32, contiguous maps, a pass for every term, torch's own
layers and autograd. Ceilings are the machine's own: the best of dense convolutions and matrix products in the same
minutes. Compare ratios: seconds depend on the machine.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.output import write

Row = tuple[str, float, str]
SIZES = {256: (256, 208), 512: (512, 416), 1024: (1024, 832), 1728: (1728, 1408)}
CLASSIFIER, GAN = (256, 512, 1024, 1728), (256, 512, 1024, 1728)
LITERAL_CLASSIFIER, LITERAL_GAN = (256, 512, 1024), (256, 512)


def main() -> None:
    rows = list(_rows())
    write("lab", rows)


def _rows() -> Iterator[Row]:
    ceiling = {dtype: _measure("ceiling", dtype)["gflops"] for dtype in ("float32", "bfloat16")}
    arithmetic = _measure("arithmetic")["dtype"]
    ours: dict[str, dict[int, dict[str, float]]] = {"classifier": {}, "gan": {}}
    for kind, sizes, literal in (("classifier", CLASSIFIER, LITERAL_CLASSIFIER), ("gan", GAN, LITERAL_GAN)):
        for size in sizes:
            own = ours[kind][size] = _measure(kind, *SIZES[size], arithmetic)
            yield f"{kind}_images_per_s_{size}", own["images"] / own["seconds"], "images/s"
            yield f"{kind}_seconds_{size}", own["seconds"], "s a step"
            yield f"{kind}_peak_gb_{size}", own["gb"], "GB"
            yield f"{kind}_of_ceiling_{size}", own["gflop"] / own["seconds"] / ceiling[arithmetic], "of the ceiling"
            if size in literal:
                theirs = _measure(f"literal_{kind}", *SIZES[size])
                yield f"literal_{kind}_seconds_{size}", theirs["seconds"], "s a step"
                yield f"literal_{kind}_peak_gb_{size}", theirs["gb"], "GB"
                yield f"{kind}_speedup_{size}", theirs["seconds"] / own["seconds"], "literal / ours, time"
                yield f"{kind}_memory_{size}", own["gb"] / theirs["gb"], "ours / literal, peak"
    for size in (512, 1024, 1728):
        scored = _measure("scoring", *SIZES[size])
        yield f"scoring_peak_gb_{size}", scored["gb"], "GB"
        yield f"scoring_images_per_s_{size}", scored["images"] / scored["seconds"], "images/s"
    for dtype, short in (("float32", "fp32"), ("bfloat16", "bf16")):
        for size in (256, 1024, 1728):
            generated = _measure("generation", *SIZES[size], dtype)
            rate = generated["gflop"] / generated["seconds"]
            yield f"generation_images_per_s_{size}_{short}", 1 / generated["seconds"], "images/s"
            yield f"generation_peak_gb_{size}_{short}", generated["gb"], "GB"
            name = f"generator_ceiling_{short}" + ("" if size == 1024 else f"_{size}")
            yield name, rate / ceiling[dtype], "of the ceiling"
        yield f"ceiling_gflops_{short}", ceiling[dtype], "GFLOP/s"
    for size in (256, 1024, 1728):
        read = _measure("loader", *SIZES[size])
        own = ours["classifier"][size]
        name = "loader_vs_step" + ("" if size == 1024 else f"_{size}")
        yield name, read["augmented"] * own["seconds"] / own["images"], "loader / step, images/s"
        for way in ("memmap", "png", "augmented"):
            yield f"loader_{way}_images_per_s_{size}", read[way], "images/s"


def _measure(what: str, *arguments: object) -> dict[str, float]:
    """Run one measurement in a fresh process and return what it prints last."""
    command = [sys.executable, "-m", "tests.bench.lab_measurement", what, *map(str, arguments)]
    print(" ".join([what, *map(str, arguments)]), "...", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})
    if done.returncode:
        raise SystemExit(f"{what} {arguments} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
