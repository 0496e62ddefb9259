"""DICOMweb: `make bench PART=dicomweb` prints what fetching images of 1 MB costs beside reading them from a folder.

The archive is the stub of the tests, in a process of its own on the loopback; it sends from memory. Reading is what an
import does with each file: its header and its pixels, both in the limited process. Ratios first; rates depend on the
machine. DICOMWEB_BENCH=URL fetches from another archive instead, up to the same number of images.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from readerstudy.modalities.mammography.sources import read_folder
from readerstudy.sources.dicomweb.archive import Archive
from readerstudy.sources.dicomweb.fetch import fetch_instances
from readerstudy.sources.dicomweb.search import Wanted, find_instances
from tests.bench.output import write
from tests.sources.archive import StubArchive, running, stored

Row = tuple[str, float, str]
IMAGES = 400
PER_STUDY = 4
SHAPE = (724, 724)  # of 16 bits: 1.05 MB
CONNECTIONS = (1, 4, 8)
GOAL = 50  # images a second


def main() -> None:
    url = os.environ.get("DICOMWEB_BENCH")
    if url:
        write("dicomweb", list(rows(url)))
        return
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        write("dicomweb", list(rows(ours.recv())))
    finally:
        ours.send("end")
        server.join(20)


def serve(pipe: Connection) -> None:
    """Make the images, serve them, send the address, and wait for the end."""
    values = np.random.default_rng(59).integers(0, 4096, SHAPE, dtype=np.uint16)
    images = [stored(number, study=1 + number // PER_STUDY, values=values) for number in range(IMAGES)]
    with running(StubArchive(images)) as archive:
        pipe.send(archive.url)
        pipe.recv()


def rows(url: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin = perf_counter()
        instances, _ = find_instances(Archive(url, needs_tls=False), Wanted(filters={"PatientID": "*"}))
        searching = perf_counter() - begin
        instances = instances[:IMAGES]
        rates, processor = {}, 0.0
        for connections in CONNECTIONS:
            begin, used = perf_counter(), process_time()
            archive = Archive(url, connections=connections, needs_tls=False)
            fetched = fetch_instances(archive, instances, folder / str(connections))
            assert not fetched.problems, fetched.problems
            rates[connections] = len(instances) / (perf_counter() - begin)
            processor = 1000 * (process_time() - used) / len(instances)
        read_in = folder / str(CONNECTIONS[0])
        megabytes = sum(file.stat().st_size for file in read_in.iterdir()) / 1e6 / len(instances)
        reading = read_rate(read_in, len(instances))
    fetching = rates[4]
    both = 1 / (1 / fetching + 1 / reading)
    yield "fetched and read to read from a folder", both / reading, "of the images in the same time"
    yield "fetched to read from a folder", fetching / reading, "times as many images in the same time"
    yield "fetched to the goal", fetching / GOAL, f"times {GOAL} images a second"
    for connections, rate in rates.items():
        yield f"fetched, {connections} connections", rate, "images/s"
    yield "read from a folder, one process", reading, "images/s"
    yield "processor of fetching", processor, "ms an image, 8 connections"
    yield "searching", len(instances) / searching, "images found/s"
    yield "size of an image", megabytes, "MB"


def read_rate(folder: Path, images: int) -> float:
    """Return images a second, header and pixels."""
    table = folder.parent / "labels.csv"
    table.write_text("patient,pathology\n" + "".join(f"P{n},normal\n" for n in range(1, 2 + images // PER_STUDY)))
    begin = perf_counter()
    batch = read_folder(folder, table)
    for image in batch.images:
        image.load()
    assert batch.images
    return len(batch.images) / (perf_counter() - begin)


if __name__ == "__main__":
    main()
