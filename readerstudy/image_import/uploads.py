"""Receiving files: streamed to a folder below VAR_DIR, with the folders that a browser states, within limits."""

from pathlib import Path
from typing import IO, Any, Final, NoReturn

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http.multipartparser import MultiPartParser

from readerstudy.errors import BadInput, message_of
from readerstudy.errors import Sentence as _
from readerstudy.sources.uploaded import Limits, is_left_by_system, safe_path

_UNPACKED: Final = 3  # times the bytes sent


def limits() -> Limits:
    """Return the limits that the settings state."""
    return Limits(settings.IMPORT_BYTES, _UNPACKED * settings.IMPORT_BYTES, settings.IMPORT_FILES)


class _KeepsFolders(MultiPartParser):
    """A parser that keeps the path of a file in a chosen folder. Django keeps the last part of it only."""

    def sanitize_file_name(self, file_name: str) -> str:
        return file_name


class ReceiveFiles(FileUploadHandler):
    """Write every file of a request into a folder. `error` is the first reason to refuse the request, or ""."""

    def __init__(self, folder: Path, allowed: Limits) -> None:
        super().__init__()
        self.error = ""
        self._writer = _Writer(self, folder, allowed)

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> Any:
        """Parse the request with a parser that keeps folders."""
        return _KeepsFolders(META, input_data, [self._writer], encoding).parse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


# The stubs make the class generic, which it is not at run time.
class _Received(UploadedFile):  # type: ignore[type-arg]
    """A file that is on the disk and closed."""

    def close(self) -> None:
        return None


class _Writer(FileUploadHandler):
    """Writes one file after another."""

    def __init__(self, outer: ReceiveFiles, folder: Path, allowed: Limits) -> None:
        super().__init__()
        self._outer, self._folder, self._allowed = outer, folder, allowed
        self._files = self._bytes = 0
        self._target: IO[bytes] | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if self._outer.error:
            raise SkipFile
        try:
            path = safe_path(file_name)
        except BadInput as error:
            self._refuse(message_of(error))
        self._files += 1
        if is_left_by_system(path):
            raise SkipFile
        if self._files > self._allowed.files:
            self._refuse(_("Too many files were sent: at most %(files)s.", files=self._allowed.files))
        target = self._folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._target = target.open("xb")
        except OSError:
            self._refuse(_("Two files of the name %(file_name)s were sent.", file_name=repr(file_name[:100])))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._target is not None
        self._bytes += len(raw_data)
        if self._bytes > self._allowed.bytes_sent:
            self._target.close()
            self._refuse(
                _("The files are too large: at most %(megabytes)s MB.", megabytes=self._allowed.bytes_sent // 1_000_000)
            )
        self._target.write(raw_data)

    # The stubs make the class generic, which it is not at run time.
    def file_complete(self, file_size: int) -> UploadedFile:  # type: ignore[type-arg]
        assert self._target is not None
        self._target.close()
        return _Received(name=Path(self._target.name).name, size=file_size)

    def upload_interrupted(self) -> None:
        if self._target is not None:
            self._target.close()

    def _refuse(self, sentence: str) -> NoReturn:
        self._outer.error = sentence
        raise SkipFile
