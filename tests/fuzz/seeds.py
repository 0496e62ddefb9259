"""Valid files of every format that is read, made here, as the seeds of damaged ones."""

import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import gdcm
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from readerstudy.client.scripted_reader import PASSING_DISPLAY
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.yaml_file import write_protocol
from readerstudy.record import verifier
from readerstudy.record.merkle import Tree
from tests.sources.make_files import (
    compress_dicom,
    dicom_dataset,
    film,
    write_dicom,
    write_pgm,
    write_png,
    write_tiff,
)

SMALL = film()
DEEP = film(bits=12)
_LABELS = """\
image,patient,laterality,view,pathology,bits,pixel_spacing_mm,density,lesion_left,lesion_top,lesion_right,lesion_bottom
film.png,anna,L,CC,malignant,8,0.07,c,2,3,9,11
film.png,anna,L,CC,malignant,8,0.07,c,1,1,4,4
b.png,berta,R,MLO,normal,,,,,,,
c.png,clara,,,benign,12,"0,1",b,,,,
"""
_CIRCLES = "file;patient_id;label;lesion_x;lesion_y;lesion_radius\nfilm.png;1;cancer;4;5;2.5\nb.png;2;Normal;;;\n"
_PAIRS = """\
real\tadversarial\tdirection\tattack\tpathology\tbits\tx\ty\twidth\theight
a.png\ta2.png\tinsert\tpgd\tnormal\t8\t3\t4\t5\t6
b.png\tb2.png\tremoved\t\tmalignant\t\t\t\t\t
"""
_SYNTHETIC = """\
image,pathology,attack,group,split,laterality,x,y,width,height,pixel_spacing_mm
a.png,malignant,gan,g1,validation,L,3,4,5,6,0.07
b.png,normal,gan,g2,,R,,,,,
"""
TABLES = tuple(text.encode() for text in (_LABELS, _CIRCLES, _PAIRS, _SYNTHETIC))


def _written(*writes: Any) -> tuple[bytes, ...]:
    with TemporaryDirectory() as folder:
        return tuple(write(Path(folder) / f"{number}.x").read_bytes() for number, write in enumerate(writes))


def pngs() -> tuple[bytes, ...]:
    colour = np.repeat(SMALL[..., None], 3, axis=2).astype(np.uint8)
    written = _written(
        lambda path: write_png(path, SMALL.astype(np.uint8)),
        lambda path: write_png(path, DEEP),
        lambda path: write_png(path, DEEP << 4, significant_bits=12),
        lambda path: write_png(path, colour),
    )
    return (*written, _saved("PNG", Image.fromarray(SMALL.astype(np.uint8)).convert("P")))


def pgms() -> tuple[bytes, ...]:
    return _written(
        lambda path: write_pgm(path, SMALL, largest=255),
        lambda path: write_pgm(path, DEEP, largest=4095),
        lambda path: write_pgm(path, SMALL[:4, :4], largest=255, digits=True),
    )


def tiffs() -> tuple[bytes, ...]:
    picture = Image.fromarray(SMALL.astype(np.uint8))
    packed = [_saved("TIFF", picture, compression=kind) for kind in ("tiff_lzw", "tiff_deflate", "packbits")]
    written = _written(
        lambda path: write_tiff(path, SMALL.astype(np.uint8)),
        lambda path: write_tiff(path, DEEP, big_endian=True),
        lambda path: write_tiff(path, DEEP, white_is_zero=True),
    )
    return (*written, *packed, _saved("TIFF", picture, save_all=True, append_images=[picture]))


def _saved(kind: str, picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=kind, **options)
    return stream.getvalue()


def dicoms() -> tuple[bytes, ...]:
    def with_syntax(path: Path, syntax: str) -> Path:
        dataset = dicom_dataset(DEEP, bits=12)
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = DEEP.astype(">u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)
        return path

    syntaxes = gdcm.TransferSyntax
    packed = (
        syntaxes.RLELossless,
        syntaxes.JPEGLosslessProcess14_1,
        syntaxes.JPEG2000Lossless,
        syntaxes.JPEGLSLossless,
    )
    plain = (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
    return _written(
        lambda path: write_dicom(path, DEEP, bits=12),
        lambda path: write_dicom(path, SMALL, bits=8, PhotometricInterpretation="MONOCHROME1"),
        *(lambda path, syntax=syntax: with_syntax(path, syntax) for syntax in plain),
        *(lambda path, syntax=syntax: compress_dicom(write_dicom(path, DEEP, bits=12), syntax) for syntax in packed),
    )


def protocols() -> tuple[bytes, ...]:
    words = MAMMOGRAPHY.words.reading
    own = b"""\
format: 1
template: zhou2021
persons_to_unseal: 1
sessions:
  - kind: blinded
    title: {de: Lesen, en: "Reading B"}
    instructions: |
      Read.

      Slowly.
    real: 20
    adversarial: 18
    splits: [tuning, test]
    rules:
      break_every: 50
      questions: [confidence, mark, {name: own, kind: choice, text: Dense?, choices: [{value: "1", text: Yes}]}]
      verdict_labels: {real: Camera}
analysis:
  primary: auc
"""
    return (write_protocol(protocol_of_template("zhou2021", words=words)).encode(), own)


def zips() -> tuple[bytes, ...]:
    def made(method: int, *, force_zip64: bool = False) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            archive.mkdir("cohort-1")
            for name, content in (
                ("images/one.png", pngs()[0]),
                ("images/zwei-ä.pgm", pgms()[2]),
                ("t.csv", TABLES[0]),
            ):
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=force_zip64) as file:
                    file.write(content)
        return stream.getvalue()

    return made(zipfile.ZIP_STORED), made(zipfile.ZIP_DEFLATED), made(zipfile.ZIP_STORED, force_zip64=True)


# --- the study's record --------------------------------------------------------------------------------------
def record() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a record of four entries with a commitment, and a receipt for two of them, as the exports write them."""
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    public = key.public_key().public_bytes_raw().hex()
    lines, secret = ["a,real", "b,adversarial"], b"s" * 32
    items = [verifier.commit(secret, line) for line in lines]
    root = verifier.root_of_commitments(items)
    sealed = json.dumps({"reason": "x"})
    contents: list[dict[str, Any]] = [
        {"table": "truth_commitment", "content": {"root": root}},
        {
            "table": "reading_reading",
            "content": {"verdict": "real"},
            "sealed": verifier.hashlib.sha256(sealed.encode()).hexdigest(),
        },
        {"table": "reading_reading", "content": {"verdict": "not_real"}},
        {"table": "audit_event", "content": {}},
    ]
    data = [json.dumps(content) for content in contents]
    hashes = [verifier.leaf_hash(text.encode()) for text in data]
    leaves = [
        {"type": "leaf", "index": index, "hash": hashes[index].hex(), "data": text} for index, text in enumerate(data)
    ]
    leaves[1]["sealed"] = sealed
    del leaves[3]["data"]
    head = {"log": "tiny", "size": 4, "root": verifier.root_of(hashes).hex(), "at": "2026-03-02T09:00:00+00:00"}
    head["signature"] = key.sign(verifier.head_message(head)).hex()
    about = {"format": "readerstudy record 1", "log": "tiny", "size": 4, "public_key": public}
    answers = {"type": "commitment", "root": root, "items": items, "key": secret.hex(), "lines": lines}
    tree = Tree(hashes)
    proofs = [
        {"index": index, "data": data[index], "proof": [node.hex() for node in tree.inclusion_proof(index, 4)]}
        for index in (1, 2)
    ]
    receipt = {"format": "readerstudy receipt 1", "study": "tiny", "head": head, "public_key": public, "leaves": proofs}
    return [about, *leaves, {"type": "head", **head}, answers], receipt


# --- the reader's API ----------------------------------------------------------------------------------------
KEY = str(UUID(int=7, version=4))
BODIES: dict[str, dict[str, Any]] = {
    "open": {"page": KEY},
    "display": {"results": PASSING_DISPLAY},
    "verdicts": {
        "stimulus": "0" * 32,
        "verdict": "real",
        "elapsed_ms": 4000,
        "key": KEY,
        "paradata": {"zoom": [1, {"at": 2.5}]},
        "answers": {"confidence": 3, "mark": [{"x": 0.5, "y": 0.25}]},
    },
    "answers": {"answers": {"end": "Well."}, "elapsed_ms": 4000, "key": KEY},
    "problems": {"stimulus": "0" * 32, "text": "Dark.", "key": KEY},
}


# --- files that were found by damaging others ------------------------------------------------------------------
BETWEEN = b"\n\0\n"  # a record and a receipt


def png_with_significant_bits(bits: int) -> bytes:
    return _written(lambda path: write_png(path, SMALL.astype(np.uint8), significant_bits=bits))[0]


def renamed_zip(listed: bytes, before_data: bytes) -> bytes:
    """A zip file of one table, with one name in its directory and another before the data, of the same length."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("placeholder.csv", b"image")
    data = bytearray(stream.getvalue())
    long = b"placeholder.csv"
    shorter = len(long) - len(listed)
    directory = data.rindex(b"PK\1\2")
    entry, table = data[:directory], data[directory:]
    entry = entry.replace(long, before_data)
    entry[26:28] = len(listed).to_bytes(2, "little")
    table = table.replace(long, listed)
    table[28:30] = len(listed).to_bytes(2, "little")
    table[8:10] = (0x800).to_bytes(2, "little")  # names are UTF-8
    end = table.rindex(b"PK\5\6")
    table[end + 12 : end + 16] = (end).to_bytes(4, "little")
    table[end + 16 : end + 20] = (directory - shorter).to_bytes(4, "little")
    return bytes(entry + table)


def zip_that_begins_before_the_file() -> bytes:
    """A zip file cut at its front, so that its first entry would begin before it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("t.csv", b"image")
    return stream.getvalue()[10:]


def record_with_receipt_of(index: int) -> bytes:
    values, receipt = record()
    receipt["leaves"][0]["index"] = index
    lines = "\n".join(map(json.dumps, values))
    return lines.encode() + BETWEEN + json.dumps(receipt).encode()
