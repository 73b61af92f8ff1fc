"""Generated commands on lists; small listpack limits make both encodings turn up."""
from __future__ import annotations

from families.arguments import (Family, blob, counted, either, fixed, index, key, many, maybe, one, options, sequence,
                                mostly, small, token, weighted)

_end = token("LEFT", "RIGHT")
_item = either(blob, one(b"a", b"b", b"c", b"1", b"2"))
# Blocking forms only with a time-out that ends at once when the list is empty.
_timeout = weighted((b"0.001", b"0.01"), (b"abc", b"-1", b"", b"1e400", b"0.001x"), 5)

_COMMANDS = (
    ("LPUSH", sequence(key, many(_item))),
    ("RPUSH", sequence(key, many(_item))),
    ("RPUSH", sequence(key, many(one(b"a", b"b", b"c", b"a", b"1"), 2, 8))),
    ("LPUSHX", sequence(key, many(_item, 1, 2))),
    ("RPUSHX", sequence(key, many(_item, 1, 2))),
    ("LPOP", sequence(key, maybe(small))),
    ("RPOP", sequence(key, maybe(small))),
    ("LLEN", key),
    ("LINDEX", sequence(key, index)),
    ("LSET", sequence(key, index, _item)),
    ("LRANGE", sequence(key, index, index)),
    ("LTRIM", sequence(key, index, index)),
    ("LREM", sequence(key, small, _item)),
    ("LINSERT", sequence(key, mostly(token("BEFORE", "AFTER"), one(b"FOO")), _item, _item)),
    ("LPOS", sequence(key, _item, options(sequence(token("RANK"), small), sequence(token("COUNT"), small),
                                          sequence(token("MAXLEN"), small)))),
    ("LPOS", sequence(key, _item, token("RANK"), one(b"-9223372036854775808", b"9223372036854775807"))),
    ("RPOPLPUSH", sequence(key, key)),
    ("LMOVE", sequence(key, key, _end, _end)),
    ("LMPOP", sequence(counted(key), _end, maybe(sequence(token("COUNT"), small)))),
    ("BLPOP", sequence(many(key, 1, 2), _timeout)),
    ("BRPOP", sequence(many(key, 1, 2), _timeout)),
    ("BLMOVE", sequence(key, key, _end, _end, _timeout)),
    ("BRPOPLPUSH", sequence(key, key, _timeout)),
    ("BLMPOP", sequence(_timeout, counted(key), _end, maybe(sequence(token("COUNT"), small)))),
    ("OBJECT ENCODING", key),
    ("DEL", key),
    ("SORT", sequence(key, options(token("ALPHA", "DESC"), sequence(token("LIMIT"), small, small),
                                   sequence(token("STORE"), key), fixed("GET", "#"), fixed("BY", "nosort")))),
    ("EXISTS", key),
)

# Stock servers look at blocked clients once a tick: more ticks, shorter waits.
_QUICK_TIMEOUTS = ("--hz", "500")

_BEGINNINGS = (("RPUSH k1 a b c a 1", "RPUSH k2 1 2"),)
FAMILIES = (
    Family("lists", _COMMANDS, oracle="either", options=_QUICK_TIMEOUTS, beginnings=_BEGINNINGS),
    Family("lists-small-nodes", _COMMANDS, oracle="either", options=("--list-max-listpack-size", "4", *_QUICK_TIMEOUTS),
           beginnings=_BEGINNINGS),
    Family("lists-compressed", _COMMANDS, oracle="either", beginnings=_BEGINNINGS,
           options=("--list-max-listpack-size", "2", "--list-compress-depth", "1", *_QUICK_TIMEOUTS)),
)
