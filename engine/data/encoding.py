"""From a file's bytes to UTF-8 text, or one sentence on why they are no text."""

from __future__ import annotations

import codecs

from engine.errors import BadData, InvalidConfig

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet (.xlsx)", "Unpack it, or save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "Save the sheet as CSV."),
    (b"\x1f\x8b", "compressed (gzip)", "Unpack it first."),
    (b"BZh", "compressed (bzip2)", "Unpack it first."),
    (b"\xfd7zXZ", "compressed (xz)", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "compressed (zstandard)", "Unpack it first."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"%PDF", "a PDF document", "Export the table as CSV."),
    (b"ARROW1", "an Arrow file", "Write it as Parquet."),
    (b"ORC", "an ORC file", "Write it as Parquet."),
    (b"\x89HDF", "an HDF5 file", "Write it as Parquet or CSV."),
    (b"\x89PNG", "an image", "Give a CSV, Parquet or JSON lines file."),
)
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SNIFF_BYTES = 1 << 20


def to_utf8(raw: bytes, encoding: str, shown: str) -> bytes:
    """The text of a file as UTF-8 without a byte order mark; `shown` names the file in messages.

    Raises:
        BadData: not text at all, or not in that encoding; names byte and line and an encoding that reads.
        InvalidConfig: nobody knows that encoding.
    """
    refuse_known_binary(raw, shown)
    known = _codec(encoding)
    if known in ("utf-8", "ascii") and raw[:2] in _UTF16_BOMS:
        raise BadData(f"{shown} is not {known}: it is UTF-16.", 'Set `encoding = "utf-16"` under [data].', file=shown)
    if known == "utf-8" or (known == "ascii" and raw.isascii()):
        text = _checked_utf8(raw.removeprefix(codecs.BOM_UTF8), shown)
    else:
        text = _recoded(raw, encoding, shown)
    if b"\x00" in text:
        line = text.count(b"\n", 0, text.index(b"\x00")) + 1
        raise BadData(
            f"{shown} is not text: line {line} holds a zero byte.",
            "Give a CSV, Parquet or JSON lines file.",
            file=shown,
        )
    return text


def refuse_known_binary(raw: bytes, shown: str) -> None:
    """Raise `BadData` where the first bytes are those of a known format that is no text."""
    for magic, what, hint in _MAGIC:
        if raw.startswith(magic):
            raise BadData(f"{shown} is {what}.", hint, file=shown)


def guess_encoding(raw: bytes) -> str | None:
    """The encoding to try first: utf-8 where it reads, else utf-16, cp1252 or latin-1; None: it is no text."""
    head = raw[:_SNIFF_BYTES]
    if raw[:2] in _UTF16_BOMS:
        return "utf-16"
    if b"\x00" in head:
        return _utf16_without_mark(head)
    if _reads(raw, "utf-8"):
        return "utf-8"
    if _control_share(head) > 0.01:
        return None
    return "cp1252" if _reads(raw, "cp1252") else "latin-1"


def _codec(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
        if not found._is_text_encoding:  # bytes-to-bytes codecs such as zip or base64 share the registry
            raise LookupError(encoding)
    except LookupError as error:
        raise InvalidConfig(
            f"{encoding[:40]!r} is no text encoding.", "Use utf-8, latin-1, cp1252 or utf-16.", key="data.encoding"
        ) from error
    return "utf-8" if found.name == "utf-8-sig" else found.name


def _checked_utf8(raw: bytes, shown: str) -> bytes:
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _wrong_encoding(raw, error, "utf-8", shown) from error
    return raw


def _recoded(raw: bytes, encoding: str, shown: str) -> bytes:
    try:
        return raw.decode(encoding).removeprefix("\ufeff").encode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(raw, error, encoding, shown) from error
    except UnicodeError as error:
        raise BadData(f"{shown} is not {encoding}: {error}.", "Set another `encoding` under [data].") from error


def _wrong_encoding(raw: bytes, error: UnicodeDecodeError, encoding: str, shown: str) -> BadData:
    line = raw.count(b"\n", 0, error.start) + 1
    better = guess_encoding(raw)
    if better is None:
        return BadData(f"{shown} is not text.", "Give a CSV, Parquet or JSON lines file.", file=shown)
    return BadData(
        f"{shown} is not {encoding}: line {line}, byte {error.start + 1} of the file is 0x{raw[error.start]:02x}.",
        f'It reads as {better}: set `encoding = "{better}"` under [data].',
        file=shown,
        line=line,
        encoding=better,
    )


def _reads(raw: bytes, encoding: str) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if odd / half > 0.4 and even / half < 0.1:
        return "utf-16-le"
    if even / half > 0.4 and odd / half < 0.1:
        return "utf-16-be"
    return None


def _control_share(head: bytes) -> float:
    printable = head.translate(None, bytes(set(range(32)) - {9, 10, 12, 13}))
    return 1 - len(printable) / max(1, len(head))
