"""Numbers in addresses and queries, within what the registry can hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_LARGEST = 2**63 - 1

RowId = Annotated[int, Field(ge=1, le=_LARGEST)]
Position = Annotated[int, Field(ge=0, le=_LARGEST)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
PageSize = Annotated[int, Field(ge=1, le=1000)]
