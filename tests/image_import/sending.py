"""Images to send: small images with a table, as a zip file or one by one, and the jobs that work on them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from readerstudy.image_import.models import ImageImport
from readerstudy.image_import.tasks import check_images_task, import_images_task
from tests import make
from tests.sources.make_files import write_png, write_table

PATHOLOGIES = ("malignant", "benign", "normal")
OPTIONS = {"cohort": "images", "modality": "MG", "pathology_per": "patient", "split": "40/30/30", "seed": "1"}


def write_images(folder: Path, count: int = 12) -> Path:
    """Write images of as many patients and a table; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        pixels = make.drawn(number)
        write_png(folder / f"image-{number}.png", pixels.values.astype(np.uint16), significant_bits=pixels.bits)
        rows.append(f"image-{number}.png,patient-{number},L,CC,{PATHOLOGIES[number % 3]}")
    write_table(folder, rows)
    return folder


def zip_of(folder: Path) -> SimpleUploadedFile:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return SimpleUploadedFile("sending.zip", stream.getvalue(), "application/zip")


def files_of(folder: Path) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]


def send(client: Client, files: Any, kind: str = "cohort", **changes: Any) -> HttpResponse:
    """Send the form with these files; a value None leaves a field out."""
    values = {**(OPTIONS if kind == "cohort" else {}), **changes}
    data = {name: value for name, value in values.items() if value is not None}
    return client.post(reverse("images:send", args=[kind]), {**data, "files": files})


def sent(client: Client, files: Any, kind: str = "cohort", **changes: Any) -> ImageImport:
    """Send files that are taken; return the import before its check."""
    response = send(client, files, kind, **changes)
    assert response.status_code == 302, response.content.decode()
    return ImageImport.objects.get(pk=response.url.rstrip("/").rpartition("/")[2])


def checked(row: ImageImport) -> ImageImport:
    """Do the check as a worker does."""
    check_images_task(job_id=row.check_job_id)
    return ImageImport.objects.get(pk=row.pk)


def act(client: Client, row: ImageImport, name: str, **data: str) -> ImageImport:
    assert client.post(reverse("images:act", args=[row.pk, name]), data).status_code == 302
    return ImageImport.objects.get(pk=row.pk)


def imported(client: Client, row: ImageImport, **data: str) -> ImageImport:
    """Start the import and do it as a worker does."""
    row = act(client, row, "start", **data)
    import_images_task(job_id=row.import_job_id)
    return ImageImport.objects.get(pk=row.pk)


def page(client: Client, row: ImageImport) -> str:
    response = client.get(reverse("images:import", args=[row.pk]))
    assert response.status_code == 200
    return response.content.decode()
