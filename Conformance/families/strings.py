"""Generated commands on strings, against Redis 7.0; and those that only Valkey 9.1 has."""
from __future__ import annotations

from families.arguments import (Family, blob, counted, either, expiration, floating, fixed, index, integer, key, many,
                                maybe, milliseconds, one, options, seconds, sequence, token, weighted, BAD_INTEGERS)

# Offsets stay small or out of range: a valid one near the limit would allocate half a gigabyte per example.
_offset = weighted((b"0", b"1", b"5", b"44", b"100", b"-1", b"536870912", b"9223372036854775807"), BAD_INTEGERS)
_set_option = either(token("NX", "XX", "GET", "KEEPTTL"), expiration)
_lcs_option = either(token("LEN", "IDX", "WITHMATCHLEN"), sequence(token("MINMATCHLEN"), integer))

_COMMON = (
    ("SET", sequence(key, blob, options(_set_option))),
    ("GET", key),
    ("GETSET", sequence(key, blob)),
    ("GETDEL", key),
    ("GETEX", sequence(key, options(token("PERSIST"), expiration, most=2))),
    ("SETNX", sequence(key, blob)),
    ("SETEX", sequence(key, seconds, blob)),
    ("PSETEX", sequence(key, milliseconds, blob)),
    ("MGET", many(key)),
    ("MSET", many(sequence(key, blob), 1, 3)),
    ("MSETNX", many(sequence(key, blob), 1, 3)),
    ("APPEND", sequence(key, blob)),
    ("STRLEN", key),
    ("SETRANGE", sequence(key, _offset, blob)),
    ("GETRANGE", sequence(key, index, index)),
    ("SUBSTR", sequence(key, index, index)),
    ("INCR", key),
    ("DECR", key),
    ("INCRBY", sequence(key, integer)),
    ("DECRBY", sequence(key, integer)),
    ("INCRBYFLOAT", sequence(key, floating)),
    ("SET", sequence(key, integer)),
    ("SET", sequence(key, floating)),
    ("LCS", sequence(key, key, options(_lcs_option))),
    ("OBJECT ENCODING", key),
    ("TTL", key),
    ("EXISTS", many(key)),
    ("DEL", many(key, 1, 2)),
)

_VALKEY_ONLY = (
    ("SET", sequence(key, blob, options(_set_option, sequence(token("IFEQ"), blob)))),
    ("SET", sequence(key, blob, token("IFEQ"), blob, maybe(token("GET")))),
    ("DELIFEQ", sequence(key, blob)),
    ("MSETEX", sequence(counted(sequence(key, blob)), options(token("NX", "XX", "KEEPTTL"), expiration))),
    ("MSETEX", sequence(one(b"1"), key, blob, options(token("NX", "XX", "KEEPTTL"), expiration, most=2))),
    ("MSETEX", sequence(one(b"2"), key, blob, key, blob, maybe(expiration))),
    ("SET", sequence(key, blob)),
    ("GET", key),
    ("TTL", key),
    ("DEL", fixed("k1")),
)

FAMILIES = (
    Family("strings", _COMMON),
    Family("strings-valkey", _VALKEY_ONLY, oracle="valkey"),
)
