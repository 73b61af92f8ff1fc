"""Values in every form that RDB files and DUMP payloads have had since Redis 2.4, built byte by byte.

No server writes most of these any more, and files that hold them are still around. `forms()` gives for each its type
number, its bytes and who reads it: stock Redis 7.0, Valkey 9.1, or only later Redis versions of which there is no
binary here (documented forms). Used by rdb_exchange.py (compared with what stock servers load) and by
persistence_fuzz.py (as seeds). Nothing here talks to a server.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass

LATER = 4_102_444_800_000


@dataclass(frozen=True)
class Form:
    """A value: its key in a file, its type number, its bytes, and which servers know it."""

    name: str
    type: int
    data: bytes
    redis: bool = True
    valkey: bool = True
    is_valkey_dialect: bool = False


def length(value: int) -> bytes:
    if value < 64:
        return bytes([value])
    if value < 16384:
        return bytes([0x40 | value >> 8, value & 255])
    if value < 1 << 32:
        return b"\x80" + struct.pack(">I", value)
    return b"\x81" + struct.pack(">Q", value)


def string(text: bytes) -> bytes:
    return length(len(text)) + text


def integer_string(value: int) -> bytes:
    for code, kind, bits in ((0xC0, "<b", 7), (0xC1, "<h", 15), (0xC2, "<i", 31)):
        if -(1 << bits) <= value < 1 << bits:
            return bytes([code]) + struct.pack(kind, value)
    raise ValueError(value)


def lzf_string(text: bytes) -> bytes:
    """A run of one byte as LZF compresses it: a literal, then back references to it."""
    assert len(set(text)) == 1 and len(text) > 12
    out, left = bytearray([0, text[0]]), len(text) - 1
    while left > 0:
        count = min(left, 264)
        if left - count in (1, 2):
            count -= 3
        if count >= 9:
            out += bytes([7 << 5, count - 9, 0])
        elif count >= 3:
            out += bytes([(count - 2) << 5, 0])
        else:
            out += bytes([count - 1]) + text[:count]
        left -= count
    return b"\xc3" + length(len(out)) + length(len(text)) + bytes(out)


def ziplist(items: list[bytes | int]) -> bytes:
    body, previous = bytearray(), 0
    tail = 10
    for item in items:
        tail = 10 + len(body)
        entry = bytes([previous]) if previous < 254 else b"\xfe" + struct.pack("<I", previous)
        if isinstance(item, int):
            if 0 <= item <= 12:
                entry += bytes([0xF1 + item])
            elif -128 <= item <= 127:
                entry += b"\xfe" + struct.pack("<b", item)
            elif -(1 << 15) <= item < 1 << 15:
                entry += b"\xc0" + struct.pack("<h", item)
            elif -(1 << 23) <= item < 1 << 23:
                entry += b"\xf0" + struct.pack("<i", item)[:3]
            elif -(1 << 31) <= item < 1 << 31:
                entry += b"\xd0" + struct.pack("<i", item)
            else:
                entry += b"\xe0" + struct.pack("<q", item)
        elif len(item) < 64:
            entry += bytes([len(item)]) + item
        elif len(item) < 16384:
            entry += bytes([0x40 | len(item) >> 8, len(item) & 255]) + item
        else:
            entry += b"\x80" + struct.pack(">I", len(item)) + item
        body += entry
        previous = len(entry)
    return struct.pack("<IIH", 11 + len(body), tail, len(items)) + bytes(body) + b"\xff"


def zipmap(pairs: list[tuple[bytes, bytes]]) -> bytes:
    def size(count: int) -> bytes:
        return bytes([count]) if count < 254 else b"\xfe" + struct.pack("<I", count)

    body = b"".join(size(len(field)) + field + size(len(value)) + b"\x00" + value for field, value in pairs)
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def intset(values: list[int], width: int) -> bytes:
    kind = {2: "<h", 4: "<i", 8: "<q"}[width]
    return struct.pack("<II", width, len(values)) + b"".join(struct.pack(kind, value) for value in sorted(values))


def listpack(items: list[bytes | int]) -> bytes:
    body = bytearray()
    for item in items:
        if isinstance(item, int):
            if 0 <= item <= 127:
                entry = bytes([item])
            elif -4096 <= item <= 4095:
                entry = bytes([0xC0 | (item & 0x1FFF) >> 8, item & 255])
            elif -(1 << 15) <= item < 1 << 15:
                entry = b"\xf1" + struct.pack("<h", item)
            elif -(1 << 23) <= item < 1 << 23:
                entry = b"\xf2" + struct.pack("<i", item)[:3]
            elif -(1 << 31) <= item < 1 << 31:
                entry = b"\xf3" + struct.pack("<i", item)
            else:
                entry = b"\xf4" + struct.pack("<q", item)
        elif len(item) < 64:
            entry = bytes([0x80 | len(item)]) + item
        elif len(item) < 4096:
            entry = bytes([0xE0 | len(item) >> 8, len(item) & 255]) + item
        else:
            entry = b"\xf0" + struct.pack("<I", len(item)) + item
        body += entry + back_length(len(entry))
    return struct.pack("<IH", 7 + len(body), len(items)) + bytes(body) + b"\xff"


def back_length(count: int) -> bytes:
    """The length of an entry, to be read from behind: seven bits a byte, a mark on all but the first byte."""
    digits = [count & 127]
    while count := count >> 7:
        digits.append(count & 127)
    return bytes([digits[-1]]) + bytes(digit | 128 for digit in digits[-2::-1])


def stream(version: int) -> bytes:
    """Two entries of the same fields and one of others, one of them deleted, a group with a consumer."""
    identifier = struct.pack(">QQ", 1000, 1)
    entries: list[bytes | int] = [2, 1, 2, b"f", b"g", 0]
    entries += [2, 0, 0, b"v1", 17, 5]
    entries += [3, 5, 0, b"v2", b"w2", 5]
    entries += [0, 9, 3, 1, b"other", b"value", 6]
    out = length(1) + string(identifier) + string(listpack(entries))
    out += length(2) + length(1009) + length(4)
    if version >= 2:
        out += length(1000) + length(1) + length(1005) + length(1) + length(3)
    out += length(1) + string(b"group") + length(1005) + length(1)
    if version >= 2:
        out += length(2)
    out += length(1) + identifier + struct.pack("<q", LATER - 5_000_000_000) + length(3)
    out += length(1) + string(b"reader") + struct.pack("<q", 1_700_000_000_000)
    if version >= 3:
        out += struct.pack("<q", 1_700_000_000_500)
    return out + length(1) + identifier


def quicklist2(nodes: list[tuple[int, bytes]]) -> bytes:
    return length(len(nodes)) + b"".join(length(kind) + string(data) for kind, data in nodes)


MIXED: list[bytes | int] = [b"", b"text", 0, 12, 13, -1, -128, 127, 4095, -4096, 32767, -32768, 8388607, -8388608,
                            2147483647, -2147483648, 1 << 62, -(1 << 63), b"x" * 63, b"y" * 64, b"z" * 300]


def as_text(item: bytes | int) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()


def forms() -> list[Form]:
    texts = [as_text(item) for item in MIXED]
    pairs = [(b"a", b"1"), (b"long field " * 5, b"v" * 260), (b"c", b"")]
    flat: list[bytes | int] = [b"a", 1, b"b", b"text", b"c", -300]
    scored: list[bytes | int] = [b"a", -5, b"b", b"1.5", b"c", 300]
    fields = b"".join(string(field) + string(value) for field, value in pairs)
    score_texts = string(b"low") + b"\xff" + string(b"high") + b"\xfe" + string(b"mid") + b"\x031.5"
    return [
        Form("string text", 0, string(b"plain")), Form("string empty", 0, string(b"")),
        Form("string 8", 0, integer_string(-128)), Form("string 16", 0, integer_string(32767)),
        Form("string 32", 0, integer_string(-(1 << 31))), Form("string lzf", 0, lzf_string(b"a" * 1000)),
        Form("string long length", 0, b"\x80" + struct.pack(">I", 3) + b"abc"),
        Form("string longer length", 0, b"\x81" + struct.pack(">Q", 3) + b"abc"),
        Form("list plain", 1, length(len(texts)) + b"".join(map(string, texts))),
        Form("list ziplist", 10, string(ziplist(MIXED))),
        Form("list quicklist", 14, length(2) + string(ziplist([b"a", 2])) + string(ziplist(MIXED))),
        Form("list quicklist 2", 18, quicklist2([(2, listpack(MIXED)), (1, b"plain node " * 10), (2, listpack([1]))])),
        Form("set plain", 2, length(len(texts)) + b"".join(map(string, texts))),
        Form("set intset 16", 11, string(intset([-5, 0, 32767], 2))),
        Form("set intset 32", 11, string(intset([-5, 70000, 1 << 30], 4))),
        Form("set intset 64", 11, string(intset([-(1 << 63), 0, (1 << 63) - 1], 8))),
        Form("set listpack", 20, string(listpack(MIXED)), redis=False),
        Form("zset texts", 3, length(3) + score_texts),
        Form("zset doubles", 5, length(2) + string(b"a") + struct.pack("<d", -1.5) + string(b"b")
             + struct.pack("<d", float("inf"))),
        Form("zset ziplist", 12, string(ziplist(scored))), Form("zset listpack", 17, string(listpack(scored))),
        Form("hash plain", 4, length(3) + fields), Form("hash zipmap", 9, string(zipmap(pairs))),
        Form("hash ziplist", 13, string(ziplist(flat))), Form("hash listpack", 16, string(listpack(flat))),
        Form("stream 1", 15, stream(1)), Form("stream 2", 19, stream(2)), Form("stream 3", 21, stream(3), redis=False),
        Form("hash times preview", 22, length(2) + length(0) + string(b"f") + string(b"v") + length(LATER) + string(b"g")
             + string(b"w"), redis=False, valkey=False),
        Form("hash triples preview", 23, string(listpack([b"g", b"w", LATER, b"f", b"v", 0])), redis=False,
             valkey=False),
        Form("hash times", 24, struct.pack("<Q", LATER) + length(3) + length(0) + string(b"f") + string(b"v") + length(1)
             + string(b"g") + string(b"w") + length(1001) + string(b"h") + string(b"x"), redis=False, valkey=False),
        Form("hash triples", 25, struct.pack("<Q", LATER) + string(listpack([b"g", b"w", LATER, b"f", b"v", 0])),
             redis=False, valkey=False),
        Form("hash times of valkey", 22, length(2) + string(b"f") + string(b"v") + struct.pack("<q", -1) + string(b"g")
             + string(b"w") + struct.pack("<q", LATER), redis=False, is_valkey_dialect=True),
    ]


def file(chosen: list[Form], magic: bytes) -> bytes:
    """An RDB file without a checksum, every form under its name."""
    body = b"".join(bytes([form.type]) + string(form.name.encode()) + form.data for form in chosen)
    return magic + b"\xfe" + length(0) + body + b"\xff" + bytes(8)
