"""Facts of how a stimulus is stored that must not tell real from adversarial: its key, and what lists of files show."""

from readerstudy.cohort.models import Stimulus


def storage_facts(stimulus: Stimulus) -> dict[str, float]:
    """Return the facts by name. Raises FileNotFoundError if the file is missing.

    The size of the file is not among them. It depends on the image, and readers get images of one length
    (`reading.images`).
    """
    file, folder = stimulus.path.stat(), stimulus.path.parent.stat()
    return {
        "key": float(stimulus.pk),
        "file name": float(int.from_bytes(stimulus.path.name.encode()[:6])),
        "inode": float(file.st_ino),
        "inode of the folder": float(folder.st_ino),
        "time of change": float(file.st_ctime_ns),
        "date": float(file.st_mtime_ns),
    }
