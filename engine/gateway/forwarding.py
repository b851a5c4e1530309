"""Which headers go from a client to a model server and back (RFC 9110, section 7.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from multidict import CIMultiDict

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

Headers = Iterable[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te")
) | {b"trailer", b"transfer-encoding", b"upgrade"}

_NOT_SENT_ON = _HOP_BY_HOP | {b"content-length", b"expect", b"x-request-id"}
_NOT_SENT_BACK = _HOP_BY_HOP | {b"content-length", b"date", b"server"}


def request_head(method: str, path: str, headers: Headers, size_bytes: int, new_id: bytes) -> bytes:
    """The head of the request to the model server, as bytes.

    The body's length is told anew, so what the client said of it cannot mislead the next reader. The client's
    `x-request-id` is kept where it is sane, else `new_id` is taken.
    """
    lines = [f"{method} {path} HTTP/1.1".encode("ascii")]
    request_id = new_id
    named: set[bytes] = set()
    for name, value in headers:
        lower = name.lower()
        if lower == b"connection":
            named = {token.strip().lower() for token in value.split(b",")}
        elif lower == b"x-request-id" and REQUEST_ID.fullmatch(value):
            request_id = value
        if lower not in _NOT_SENT_ON:
            lines.append(name + b": " + value)
    if named - {b"keep-alive", b"close"}:
        lines[1:] = [line for line in lines[1:] if line.partition(b":")[0].lower() not in named]
    lines.append(b"x-request-id: " + request_id)
    lines.append(b"content-length: %d\r\n\r\n" % size_bytes)
    return b"\r\n".join(lines)


def answer_headers(headers: Headers) -> CIMultiDict[str]:
    """The headers of the answer to the client, without length and date, which are written anew."""
    return CIMultiDict(
        [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in headers
            if name.lower() not in _NOT_SENT_BACK
        ]
    )
