"""Files of others are read in a process with limits of memory and time, which has none of our secrets.

A decoder that a damaged or hostile file makes crash, hang or fill the memory costs that file, not the import. The
process is started when the first file is read, and ends with its parent.
"""

import atexit
import io
import os
import pickle
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import is_dataclass
from enum import Enum
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, Final, TypeVar

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError
from readerstudy.imaging.image import UnreadableImage

Result = TypeVar("Result")

LARGEST_PIXELS: Final = 64_000_000  # of an image; digitised films have up to about 40 million
MEMORY: Final = 2 << 30  # bytes of address space
SECONDS: Final = 300  # for one file
_LARGEST_ANSWER: Final = 2 * LARGEST_PIXELS + (1 << 20)
# What an answer may call, beside the classes of errors and of our data.
_CALLED: Final = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("readerstudy.errors", "sentence_of"),
}
_PACKAGES: Final = {"builtins", "readerstudy", "PIL", "pydicom", "numpy", "struct", "zlib"}
_START: Final = "from readerstudy.sources.limited import serve; serve({descriptor}, {memory})"


def limited(work: Callable[[], Result], *, name: str) -> Result:
    """Return what `work` returns, called in the limited process. `name` is that of the file, for messages.

    Raises what it raises, and UnreadableImage if it needs too much memory or time, or ends the process.
    """
    with _LOCK:
        reader = _READERS.get(os.getpid())  # a forked process makes its own
        if reader is None or not reader.is_usable:
            reader = _READERS[os.getpid()] = _Reader(MEMORY)
        return reader.run(work, name=name)


class _Reader:
    """The limited process, and the connection to it."""

    def __init__(self, memory: int) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-B", "-c", _START.format(descriptor=theirs.fileno(), memory=memory)]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self.is_usable = True

    def run(self, work: Callable[[], Result], *, name: str) -> Result:
        try:
            self._connection.send(work)
            if not self._connection.poll(SECONDS):
                raise UnreadableImage(
                    _("%(name)s was not read within %(seconds)s seconds; it is refused.", name=name, seconds=SECONDS)
                )
            answer: Any = read_answer(self._connection.recv_bytes(_LARGEST_ANSWER))
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self.end()
            raise UnreadableImage(_("%(name)s is damaged: it ended the program that reads it.", name=name)) from error
        except UnreadableImage:
            self.end()
            raise
        is_good, value = answer
        if is_good:
            result: Result = value
            return result
        if isinstance(value, MemoryError):
            self.end()
            raise UnreadableImage(
                _(
                    "%(name)s needs more than %(most)s GB of memory to be read; it is refused.",
                    name=name,
                    most=MEMORY >> 30,
                )
            )
        raise value

    def end(self) -> None:
        self.is_usable = False
        self._connection.close()
        self._process.kill()
        self._process.wait()


class _Answer(pickle.Unpickler):
    """Makes arrays, our dataclasses and enumerations, and errors.

    A decoder that was taken over must not choose what is called. A name with a dot would lead from a class to what its
    module has imported.
    """

    def find_class(self, module: str, name: str) -> Any:
        package = module.partition(".")[0]
        if "." not in name and (module, name) in _CALLED:
            return super().find_class(module, name)
        if "." not in name and package in _PACKAGES:
            found = super().find_class(module, name)
            if isinstance(found, type) and (
                issubclass(found, Exception)
                or (package == "readerstudy" and (is_dataclass(found) or issubclass(found, Enum)))
            ):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer.")


def read_answer(data: bytes) -> Any:
    """Return what the limited process sent. Raises UnpicklingError if it names anything but data and errors."""
    try:
        return _Answer(io.BytesIO(data)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises many types of error
        raise pickle.UnpicklingError(str(error)) from error


def serve(descriptor: int, memory: int) -> None:
    """Read files for the process at the other end of a socket, until that ends."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):  # no dump, no file is written
        resource.setrlimit(nothing, (0, 0))
    connection = Connection(descriptor)
    with suppress(EOFError, OSError):
        while True:
            connection.send_bytes(_answer(connection.recv_bytes()))


def _answer(request: bytes) -> bytes:
    try:
        return pickle.dumps((True, pickle.loads(request)()), protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps((False, MemoryError()))
    except StudyError as error:
        return pickle.dumps((False, error))
    except Exception as error:  # decoders raise many types of error, not all of which can be sent
        try:
            return pickle.dumps((False, pickle.loads(pickle.dumps(error))))
        except Exception:  # as above
            return pickle.dumps((False, ValueError(str(error))))


def _environment() -> dict[str, str]:
    """Return what the process needs to find its modules. Passwords and keys are in none of it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    # Threads reserve memory, and other processes read other files meanwhile.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**kept, **single, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}


_LOCK = Lock()
_READERS: dict[int, _Reader] = {}


@atexit.register
def _end() -> None:
    reader = _READERS.pop(os.getpid(), None)
    if reader and reader.is_usable:
        reader.end()
