"""Generated commands on bits of strings."""
from __future__ import annotations

from families.arguments import (Family, blob, either, index, integer, key, many, maybe, mostly, one, options, sequence,
                                small, token,
                                weighted, BAD_INTEGERS)

# Large valid offsets would allocate up to half a gigabyte per example, so they are small or out of range.
_offset = weighted((b"0", b"1", b"7", b"8", b"15", b"63", b"64", b"100", b"1023", b"-1", b"4294967296",
                    b"9223372036854775807"), BAD_INTEGERS)
_bit = weighted((b"0", b"1"), (b"2", b"-1", b"", b"abc"))
_unit = token("BIT", "BYTE")
_type = weighted((b"u1", b"u4", b"u8", b"u16", b"u32", b"u63", b"i1", b"i5", b"i8", b"i16", b"i64"),
                 (b"u64", b"i65", b"u0", b"i0", b"x8", b"", b"u", b"8", b"u-1"))
_place = weighted((b"0", b"#0", b"#1", b"7", b"100", b"#3"),
                  (b"-1", b"#", b"#-1", b"abc", b"4294967296", b"#4294967296"))
_operation = either(sequence(token("GET"), _type, _place), sequence(token("SET"), _type, _place, integer),
                    sequence(token("INCRBY"), _type, _place, integer),
                    sequence(token("OVERFLOW"), mostly(token("WRAP", "SAT", "FAIL"), one(b"FOO"))))

_COMMANDS = (
    ("SET", sequence(key, blob)),
    ("SETBIT", sequence(key, _offset, _bit)),
    ("GETBIT", sequence(key, weighted((b"0", b"7", b"8", b"100", b"4294967295", b"4294967296", b"-1"), BAD_INTEGERS))),
    ("BITCOUNT", sequence(key, maybe(sequence(index, index, maybe(_unit))))),
    ("BITCOUNT", sequence(key, index)),
    ("BITPOS", sequence(key, _bit, options(index, most=2), maybe(_unit))),
    ("BITOP", sequence(mostly(token("AND", "OR", "XOR", "NOT"), one(b"FOO")), key, many(key, 1, 3))),
    ("BITFIELD", sequence(key, many(_operation, 1, 4))),
    ("BITFIELD_RO", sequence(key, many(sequence(token("GET"), _type, _place), 1, 2))),
    ("BITFIELD_RO", sequence(key, _operation)),
    ("STRLEN", key),
    ("GETRANGE", sequence(key, small, small)),
    ("DEL", key),
)

FAMILIES = (Family("bitmaps", _COMMANDS, oracle="either", beginnings=(("SET k1 hello-world-of-bits",
                                                                       "SET k2 \xff\x0f\x00"),)),)
