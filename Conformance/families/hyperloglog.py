"""Generated commands on HyperLogLogs; the state check compares the stored bytes."""
from __future__ import annotations

from families.arguments import Family, either, fixed, key, many, one, sequence

_element = one(*[b"element%d" % number for number in range(40)], b"", b"\x00\xff")

_COMMANDS = (
    ("PFADD", sequence(key, many(_element, 0, 12))),
    ("PFADD", sequence(key, many(_element, 1, 3))),
    ("PFCOUNT", many(key, 1, 3)),
    ("PFMERGE", sequence(key, many(key, 0, 3))),
    ("PFDEBUG ENCODING", key),
    ("PFDEBUG TODENSE", key),
    ("PFDEBUG DECODE", key),
    ("GET", key),
    ("STRLEN", key),
    ("APPEND", sequence(key, one(b"x"))),
    ("SET", sequence(key, either(one(b"HYLL", b"HYLL\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"short",
                                     b"")))),
    ("SETRANGE", sequence(key, one(b"0", b"4", b"15", b"16", b"18"), one(b"\xff", b"X", b"\x00"))),
    ("DEL", key),
    ("EXPIRE", sequence(key, fixed("100"))),
)

FAMILIES = (
    Family("hyperloglog", _COMMANDS, oracle="either"),
    Family("hyperloglog-dense", _COMMANDS, oracle="either", options=("--hll-sparse-max-bytes", "40")),
)
