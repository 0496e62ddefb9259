"""Base class of the management commands that run a job. Their options come from the catalogue.

A command names its kinds of job and formats the result; see `train_gan.py`. The option of a field is named after it
(`spare_background`: `--spare-background`), unless the field says otherwise.
"""

from argparse import ArgumentParser, _ArgumentGroup
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.experiments.check import InvalidParameter
from readerstudy.experiments.kinds import SEVERAL, Field, FieldType, JobKind
from readerstudy.experiments.start import start_job
from readerstudy.experiments.tables.results import result_data, result_text
from readerstudy.jobs.queue import run_here

METAVARS = {
    FieldType.NAME: "NAME",
    FieldType.ATTACKS: "NAME",
    FieldType.CLASSIFIER: "RUN",
    FieldType.CLASSIFIERS: "RUN",
    FieldType.REMOVER: "RUN",
    FieldType.INSERTER: "RUN",
    FieldType.SETTINGS: "NAME=VALUE",
    FieldType.FILE: "FILE",
    FieldType.INTEGER: "N",
    FieldType.NUMBER: "X",
    FieldType.BUDGET: "BUDGET",
    FieldType.SUFFIX: "TEXT",
}


WITHOUT_HELP = "leave out a step of the post-processing (may be repeated)"


class JobCommand(StudyCommand):
    """A command whose work is a job: run here with a progress bar, or handed to a worker with --queue."""

    kinds: tuple[JobKind, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        self.help = " ".join(str(kind.text) for kind in self.kinds)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queue", action="store_true", help="hand the job to a worker and return at once")
        known: set[str] = set()
        for kind in self.kinds:
            group = parser.add_argument_group(str(kind.title)) if len(self.kinds) > 1 else parser
            for field in kind.fields:
                if _destination(field) not in known:
                    is_shared = all(field in other.fields for other in self.kinds)
                    _add_option(parser if is_shared else group, field, list(_switches(kind, field)))
                    known.add(_destination(field))

    def choose_kind(self, options: dict[str, Any]) -> JobKind:
        """Return the kind of job that the options ask for. Commands with several kinds override this."""
        (kind,) = self.kinds
        return kind

    def summary(self, result: Any) -> str:
        """Return the job's result as text for people."""
        return result_text(result)

    def handle(self, *args: Any, **options: Any) -> None:
        kind, here = self.choose_kind(options), not options["queue"]
        parameters = self._parameters(kind, options)
        try:
            job = start_job(kind=kind.key, parameters=parameters, requested_by=None, at=now(), here=here)
        except InvalidParameter as error:
            field = kind.field(error.field)
            raise BadInput(f"{_label(field) if field else error.field}: {error.message}") from error
        if not here:
            text = f"Job {job.pk} is queued; watch it at /lab/jobs/{job.pk}/ or with the command jobs."
            self.show({"job": job.pk}, text, as_json=options["json"])
            return
        with self.bar(str(kind.title)) as advance:
            result = run_here(job, watch=advance)
        self.show(result_data(result), self.summary(result), as_json=options["json"])

    def _parameters(self, kind: JobKind, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options as parameters of the kind. Raises BadInput for an option of another kind."""
        known = {_destination(field) for field in kind.fields}
        for field in (field for other in self.kinds for field in other.fields):
            if _destination(field) not in known and options[_destination(field)]:
                raise BadInput(f"{_label(field)}: not an option of “{kind.title}”.")
        return {field.name: value for field in kind.fields if (value := _option_value(field, options)) is not None}


def _option_value(field: Field, options: dict[str, Any]) -> Any:
    """Return the value of a field in the options; None without the option."""
    value = options[_destination(field)]
    if switch := _switch(field):
        return False if switch in (value or ()) else None
    if field.type is FieldType.FLAG:
        return value or None
    if field.type is FieldType.FILE and value:
        return str(Path(value).resolve())  # a worker has another working directory
    return value


def _option(field: Field) -> str:
    return field.option.partition(" ")[0] or "--" + field.name.rpartition(".")[2].replace("_", "-")


def _switch(field: Field) -> str:
    """Return the value by which the option turns a flag off: "grid" for `--without grid`; empty for other fields."""
    return field.option.partition(" ")[2]


def _switches(kind: JobKind, field: Field) -> Iterator[str]:
    """Yield all values of the option that a flag shares with others."""
    return (_switch(other) for other in kind.fields if _switch(other) and _option(other) == _option(field))


def _label(field: Field) -> str:
    return "COHORT" if field.type is FieldType.COHORT else _option(field)


def _destination(field: Field) -> str:
    """Return the name of the option's value in the parsed arguments."""
    return "cohort" if field.type is FieldType.COHORT else _option(field).lstrip("-").replace("-", "_")


def _add_option(parser: ArgumentParser | _ArgumentGroup, field: Field, switches: list[str]) -> None:
    if field.type is FieldType.COHORT:
        parser.add_argument("cohort", help=_help(field))
    elif switches:
        parser.add_argument(_option(field), action="append", choices=switches, help=WITHOUT_HELP)
    elif field.type is FieldType.FLAG:
        parser.add_argument(_option(field), action="store_true", help=_help(field))
    else:
        is_list = field.type in (*SEVERAL, FieldType.SETTINGS)
        parser.add_argument(
            _option(field),
            action="append" if is_list else "store",
            choices=[key for key, _title in field.choices] or None,
            metavar=None if field.choices else METAVARS.get(field.type),
            help=_help(field),
        )


def _help(field: Field) -> str:
    """Return the title and the help text with the default."""
    notes = []
    if field.type in (*SEVERAL, FieldType.SETTINGS):
        notes.append("may be repeated")
    if field.is_required and field.type is not FieldType.COHORT:
        notes.append("required")
    if field.derived_default:
        notes.append(f"default: {field.derived_default_text}")
    elif field.default is not None and field.type is not FieldType.FLAG:
        notes.append(f"default: {field.default}")
    text = f"{field.title}. {field.help}".strip() + (f" ({'; '.join(notes)})" if notes else "")
    return text.replace("%", "%%")
