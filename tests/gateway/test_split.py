from __future__ import annotations

import pytest

from engine.gateway.split import bucket_of, choose


def test_the_bucket_is_that_of_the_common_crc32() -> None:
    # The check value of CRC-32/ISO-HDLC, which HAProxy's converter gives too.
    assert bucket_of(b"123456789") == 0xCBF43926 % 10_000


def test_without_a_key_requests_spread_over_the_buckets() -> None:
    share = sum(bucket_of(None) < 1_000 for _ in range(20_000)) / 20_000
    assert share == pytest.approx(0.1, abs=0.02)


def test_each_bucket_has_one_owner_and_weights_are_exact() -> None:
    weights = [7_000, 0, 2_999, 1]
    owners = [choose(weights, bucket) for bucket in range(10_000)]
    assert [owners.count(index) for index in range(4)] == weights


def test_nobody_is_chosen_where_nobody_has_a_weight() -> None:
    with pytest.raises(LookupError):
        choose([0, 0], 0)
