"""The base of every answer, and words of vocabularies that may grow."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Vocabulary = TypeVar("Vocabulary", bound=StrEnum)
Known = Annotated[Vocabulary | str, Field(union_mode="left_to_right")]
"""A value of a vocabulary; one that a newer gateway added is left as text."""


class View(BaseModel):
    """Is the frozen base of answers; what a newer gateway says more is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
