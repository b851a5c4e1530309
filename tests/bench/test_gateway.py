from __future__ import annotations

from bench.gateway import Load, read_load

TOLD = """Running 4s test @ http://127.0.0.1:18080/predict/a
  1 threads and 16 connections
  Latency Distribution
     50%  648.00us
     75%    2.38ms
     99%    1.56s
  29864 requests in 4.00s, 8.23MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 20
Requests/sec:   7461.25
Transfer/sec:      2.06MB
"""


def test_what_wrk_prints_is_read() -> None:
    assert read_load(TOLD, 16) == Load(16, 7461.25, 0.648, 1560.0, 24)
