"""What a report consists of: sections of tables and pictures, in the order in which they are read."""

from dataclasses import dataclass, field

from readerstudy.analysis.figures import Picture
from readerstudy.analysis.report.gallery import Gallery
from readerstudy.layout.table import Table

Item = Table | Picture | Gallery


@dataclass(frozen=True)
class Section:
    """One chapter. `sentences` say in words what its numbers say; `hidden` tables are for programs only."""

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
