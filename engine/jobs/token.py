"""A job's token: made for one attempt, handed to its worker by pipe, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Token:
    """256 bits that nobody can guess."""

    text: str = field(repr=False)
    """For the worker alone: never logged, never stored."""

    @property
    def sha256(self) -> str:
        """What the registry keeps, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def make_token() -> Token:
    """A new one."""
    return Token(secrets.token_urlsafe(32))
