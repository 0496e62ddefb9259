"""One line of the checklist: a sentence, and where its subject is mended."""

from dataclasses import dataclass

from readerstudy.designer.form.labels import row_of
from readerstudy.designer.form.schema import Rows, Table, protocol_form


@dataclass(frozen=True)
class Line:
    """A sentence about a field, by its place, or about a page of the desk, by its name ("people", "reader").

    `number` is that of the reader, for a reader's page.
    """

    place: str
    sentence: str
    page: str = ""
    number: int = 0

    @property
    def label(self) -> str:
        """The name of the field in words: "Session 3, Real images"; empty without a field."""
        words: list[str] = []
        node: object = protocol_form()
        for part in self.place.split("-") if self.place else []:
            if isinstance(node, Rows):
                words[-1] = f"{row_of(node.owner, node.name).one} {part}"
                node = node.item
            elif isinstance(node, Table):
                label, node = str(row_of(node.kind, part).label), node.field(part)
                words.append(label)
        return ", ".join(words)
