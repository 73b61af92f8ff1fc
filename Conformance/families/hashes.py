"""Generated commands on hashes; fields that expire are compared with Valkey 9.1, which alone has them."""
from __future__ import annotations

from families.arguments import (Family, blob, counted, either, expiration, floating, integer, key, many, maybe,
                                milliseconds, one,
                                options, seconds, sequence, small, token, unix_milliseconds, unix_seconds)

_field = either(one(b"f", b"g", b"h", b"1", b""), blob)
_value = either(blob, one(b"1", b"10", b"2.5", b"9223372036854775807", b"abc"))

_COMMANDS = (
    ("HSET", sequence(key, many(sequence(_field, _value), 1, 3))),
    ("HSET", sequence(key, many(sequence(_field, one(b"v", b"1", b"2.5")), 2, 5))),
    ("HMSET", sequence(key, many(sequence(_field, _value), 1, 3))),
    ("HSETNX", sequence(key, _field, _value)),
    ("HGET", sequence(key, _field)),
    ("HMGET", sequence(key, many(_field))),
    ("HGETALL", key),
    ("HKEYS", key),
    ("HVALS", key),
    ("HLEN", key),
    ("HSTRLEN", sequence(key, _field)),
    ("HEXISTS", sequence(key, _field)),
    ("HDEL", sequence(key, many(_field, 1, 3))),
    ("HINCRBY", sequence(key, _field, integer)),
    ("HINCRBYFLOAT", sequence(key, _field, floating)),
    ("HRANDFIELD", sequence(key, maybe(sequence(small, maybe(token("WITHVALUES")))))),
    ("HSCAN", sequence(key, one(b"0"), maybe(sequence(token("MATCH"), one(b"*", b"f*"))))),
    ("OBJECT ENCODING", key),
    ("DEL", key),
)

# Counts of fields that are right, and some that are not.
_fields = sequence(token("FIELDS"), counted(_field))
_pairs = sequence(token("FIELDS"), counted(sequence(_field, _value)))
_condition = options(token("NX", "XX", "GT", "LT"), most=1)

_FIELD_EXPIRY = (
    ("HSET", sequence(key, many(sequence(_field, _value), 1, 4))),
    ("HSETEX", sequence(key, options(token("FNX", "FXX", "NX", "XX", "KEEPTTL"), expiration, most=2), _pairs)),
    ("HGETEX", sequence(key, options(token("PERSIST"), expiration, most=1), _fields)),
    ("HGETDEL", sequence(key, _fields)),
    ("HEXPIRE", sequence(key, seconds, _condition, _fields)),
    ("HPEXPIRE", sequence(key, milliseconds, _condition, _fields)),
    ("HEXPIREAT", sequence(key, unix_seconds, _condition, _fields)),
    ("HPEXPIREAT", sequence(key, unix_milliseconds, _condition, _fields)),
    ("HTTL", sequence(key, _fields)),
    ("HPTTL", sequence(key, _fields)),
    ("HEXPIRETIME", sequence(key, _fields)),
    ("HPEXPIRETIME", sequence(key, _fields)),
    ("HPERSIST", sequence(key, _fields)),
    ("HGETALL", key),
    ("HGET", sequence(key, _field)),
    ("HINCRBY", sequence(key, _field, integer)),
    ("HLEN", key),
    ("HDEL", sequence(key, _field)),
    ("DEL", key),
)

FAMILIES = (
    Family("hashes", _COMMANDS, oracle="either"),
    Family("hashes-table", _COMMANDS, oracle="either", options=("--hash-max-listpack-entries", "0")),
    Family("hashes-converting", _COMMANDS, oracle="either",
           options=("--hash-max-listpack-entries", "3", "--hash-max-listpack-value", "8")),
    Family("hashes-field-expiry", _FIELD_EXPIRY, oracle="valkey",
           beginnings=(("HSET k1 f 1 g 2 h 3", "HEXPIRE k1 100 FIELDS 1 f"),)),
)
