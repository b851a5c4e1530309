"""The filter of `/`: words that must all occur; `!` in front turns it round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Filter:
    """What is typed after `/`.

    >>> Filter("fraud fail").keeps("12 train fraud failed"), Filter("!fraud").keeps("tumour")
    (True, True)
    """

    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Everything passes."""
        return not self.text.strip(" !")

    @property
    def title(self) -> str:
        """How it is shown; empty when everything passes."""
        return "" if self.is_empty else f"/{self.text.strip()}"

    def keeps(self, words: str) -> bool:
        """Whether something with these words (in lower case) is shown."""
        wanted = self.text.strip().lower()
        if self.is_empty:
            return True
        if wanted.startswith("!"):
            return not all(word in words for word in wanted[1:].split())
        return all(word in words for word in wanted.split())
