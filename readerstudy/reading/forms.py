"""The forms of images that the reading page can show. static/reading/forms/ and templates/reading/forms/ have a folder
for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from readerstudy.modalities.modality import Form
from readerstudy.studies.models import Study


@dataclass(frozen=True, kw_only=True)
class PageForm:
    """One form on the reading page: its folder, and the smallest display on which it can be read."""

    name: Form
    least_screen: int  # CSS pixels of the shorter side
    least_viewport: tuple[int, int]  # device pixels; an image must have room beside the two bars

    @property
    def templates(self) -> str:
        return f"reading/forms/{self.name}/"

    @property
    def scripts(self) -> str:
        return f"reading/forms/{self.name}/"

    @property
    def styles(self) -> str:
        return f"css/forms/{self.name}.css"


PAGE_FORMS: Final[Mapping[Form, PageForm]] = MappingProxyType(
    {form.name: form for form in (PageForm(name=Form.PICTURE, least_screen=600, least_viewport=(900, 600)),)}
)


def form_of(study: Study) -> PageForm:
    """Return the form of the study's images."""
    return PAGE_FORMS[study.cohort.modality.form]
