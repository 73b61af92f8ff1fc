"""Generated commands on sets; a small integer-set limit makes the encodings change."""
from __future__ import annotations

from families.arguments import (INTEGERS, Family, blob, counted, either, key, many, maybe, one, sequence, small, token)

_member = either(blob, one(*INTEGERS), one(b"1", b"2", b"3", b"4", b"a", b"b"))

_COMMANDS = (
    ("SADD", sequence(key, many(_member))),
    ("SADD", sequence(key, many(one(b"1", b"2", b"3", b"4", b"5", b"-7", b"70000", b"5000000000"), 2, 8))),
    ("SREM", sequence(key, many(_member, 1, 3))),
    ("SMEMBERS", key),
    ("SISMEMBER", sequence(key, _member)),
    ("SMISMEMBER", sequence(key, many(_member))),
    ("SCARD", key),
    ("SMOVE", sequence(key, key, _member)),
    ("SINTER", many(key, 1, 3)),
    ("SUNION", many(key, 1, 3)),
    ("SDIFF", many(key, 1, 3)),
    ("SINTERSTORE", sequence(key, many(key, 1, 3))),
    ("SUNIONSTORE", sequence(key, many(key, 1, 3))),
    ("SDIFFSTORE", sequence(key, many(key, 1, 3))),
    ("SINTERCARD", sequence(counted(key), maybe(sequence(token("LIMIT"), small)))),
    ("SRANDMEMBER", sequence(key, maybe(small))),
    # What is left after a random pop differs, so whole sets are popped, or nothing is.
    ("SPOP", sequence(key, one(b"1000", b"0", b"-1", b"abc"))),
    ("SSCAN", sequence(key, one(b"0"), one(b"MATCH", b"COUNT", b"TYPE"), one(b"*", b"1000", b"0", b"a*"))),
    ("OBJECT ENCODING", key),
    ("DEL", key),
)

FAMILIES = (
    Family("sets", _COMMANDS, oracle="either"),
    Family("sets-small-intsets", _COMMANDS, oracle="either", options=("--set-max-intset-entries", "3")),
)
