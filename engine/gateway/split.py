"""The sticky split: the same key always reaches the same version, as long as the weights stay.

HAProxy's `crc32` converter gives the same number, so a change of gateway moves nobody.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from zlib import crc32

BUCKETS = 10_000


def bucket_of(key: bytes | None) -> int:
    """The bucket of a request, 0 to 9,999; without a key a random one.

    >>> bucket_of(b"customer-7")
    520
    """
    return random.randrange(BUCKETS) if key is None else crc32(key) % BUCKETS  # noqa: S311  # a share, no secret


def choose(weights: Sequence[int], bucket: int) -> int:
    """Index of the backend that owns a bucket; weights are parts of 10,000, in order.

    Raises:
        LookupError: no backend has any weight.

    >>> [choose([9_000, 1_000], bucket) for bucket in (0, 8_999, 9_000, 9_999)]
    [0, 0, 1, 1]
    """
    for index, weight in enumerate(weights):
        if bucket < weight:
            return index
        bucket -= weight
    raise LookupError("no backend takes traffic")
