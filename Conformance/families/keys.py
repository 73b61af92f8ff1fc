"""Generated commands on keys of any type and their expiry, against Redis 7.0."""
from __future__ import annotations

from families.arguments import (Family, blob, either, key, many, maybe, milliseconds, one, options,
                                seconds, sequence, token, unix_milliseconds, unix_seconds, weighted)

_condition = options(token("NX", "XX", "GT", "LT"), most=2)
_pattern = one(b"*", b"k?", b"k[12]", b"k[^1]", b"k[1-3]", b"\\*", b"", b"k\\1", b"[", b"k[", b"*1", b"{t}*", b"k**",
               b"?")
_database = weighted((b"0", b"1", b"2"), (b"16", b"-1", b"abc", b"99999999999999999999"))

_COMMANDS = (
    ("SET", sequence(key, blob)),
    ("SET", sequence(key, blob, token("EX"), one(b"100"))),
    ("DEL", many(key)),
    ("UNLINK", many(key)),
    ("EXISTS", many(key)),
    ("TOUCH", many(key)),
    ("TYPE", key),
    ("EXPIRE", sequence(key, seconds, _condition)),
    ("PEXPIRE", sequence(key, milliseconds, _condition)),
    ("EXPIREAT", sequence(key, unix_seconds, _condition)),
    ("PEXPIREAT", sequence(key, unix_milliseconds, _condition)),
    ("PERSIST", key),
    ("TTL", key),
    ("PTTL", key),
    ("EXPIRETIME", key),
    ("PEXPIRETIME", key),
    ("RENAME", sequence(key, key)),
    ("RENAMENX", sequence(key, key)),
    ("COPY", sequence(key, key, options(token("REPLACE"), sequence(token("DB"), _database), most=2))),
    ("MOVE", sequence(key, _database)),
    ("SWAPDB", sequence(_database, _database)),
    ("KEYS", _pattern),
    ("SCAN", sequence(weighted((b"0",), (b"abc", b"")),
                      options(sequence(token("MATCH"), _pattern),
                              sequence(token("COUNT"), one(b"10", b"100", b"0", b"-1", b"x")),
                              sequence(token("TYPE"), one(b"string", b"list", b"nosuch", b"STRING"))))),
    ("DBSIZE", maybe(one(b"x"))),
    ("RANDOMKEY", either(maybe(one(b"x")))),
    ("OBJECT ENCODING", key),
    ("OBJECT REFCOUNT", key),
    ("OBJECT IDLETIME", key),
    ("OBJECT FREQ", key),
    ("FLUSHDB", maybe(one(b"ASYNC", b"sync", b"FOO"))),
    ("LPUSH", sequence(key, blob)),
    ("SADD", sequence(key, blob)),
    ("HSET", sequence(key, blob, blob)),
    ("ZADD", sequence(key, one(b"1", b"2.5"), blob)),
    ("XADD", sequence(key, one(b"1-1", b"2-1", b"3-0"), blob, blob)),
    ("SORT", sequence(key, options(token("ALPHA", "DESC", "ASC"),
                                   sequence(token("LIMIT"), one(b"0", b"1", b"-1"), one(b"2", b"-1")),
                                   sequence(token("BY"), one(b"nosort", b"k*")),
                                   sequence(token("GET"), one(b"#", b"k*", b"k*->f")),
                                   sequence(token("STORE"), key)))),
    ("SORT_RO", sequence(key, options(token("ALPHA", "DESC"), sequence(token("STORE"), key)))),
)

FAMILIES = (Family("keys", _COMMANDS),)
