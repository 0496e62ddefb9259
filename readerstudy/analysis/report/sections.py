"""Sections of a report: tables, figures and the gallery, in order."""

from dataclasses import dataclass, field

from readerstudy.analysis.figures import Picture
from readerstudy.analysis.report.gallery import ReportGallery
from readerstudy.layout.table import Table

Item = Table | Picture | ReportGallery


@dataclass(frozen=True)
class Section:
    """One chapter. `sentences` introduce it; `hidden` tables are only in files, for programs."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    hidden: tuple[Table, ...] = field(default=())

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(item for item in self.items if isinstance(item, Table))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(item for item in self.items if isinstance(item, Picture))
