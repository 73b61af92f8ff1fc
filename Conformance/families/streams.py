"""Generated commands on streams and consumer groups. Ids are given, so that replies are fixed."""
from __future__ import annotations

from families.arguments import (Family, blob, either, fixed, key, many, maybe, mostly, one, options, sequence, small,
                                token,
                                weighted)

_id = weighted((b"1-1", b"1-2", b"2-1", b"2-2", b"3-0", b"5-5", b"10-1", b"0-0", b"0", b"1", b"2", b"5"),
               (b"18446744073709551615-18446744073709551615", b"18446744073709551615", b"", b"abc", b"1-", b"-1",
                b"1-1-1",
                b"1-abc", b"18446744073709551616", b"-", b"+", b"$"), 8)
_new_id = mostly(one(b"1-1", b"2-1", b"3-1", b"4-1", b"5-1", b"6-1", b"7-1", b"8-1"),
                 either(_id, one(b"5-*", b"9-*", b"abc-*")), 3)
_range_id = either(_id, one(b"-", b"+", b"-", b"+", b"(1-1", b"(2-1", b"(-", b"(+", b"(0",
                            b"(18446744073709551615-18446744073709551615"))
_trim = either(sequence(token("MAXLEN"), maybe(one(b"~", b"=")), small, maybe(sequence(token("LIMIT"), small))),
               sequence(token("MINID"), maybe(one(b"~", b"=")), _id, maybe(sequence(token("LIMIT"), small))))
_pair = sequence(one(b"f", b"g", b""), blob)
_group = one(b"g1", b"g2")
_consumer = one(b"c1", b"c2", b"c3")
_count = sequence(token("COUNT"), small)
_idle = weighted((b"0", b"0", b"100000"), (b"abc", b"-1", b""), 6)
_no_wait = sequence(token("BLOCK"), one(b"1", b"abc", b"-1"))

_COMMANDS = (
    ("XADD", sequence(key, options(token("NOMKSTREAM"), _trim, most=2), _new_id, many(_pair, 1, 2))),
    ("XADD", sequence(key, _new_id, _pair)),
    ("XADD", sequence(key, _new_id, _pair)),
    ("XLEN", key),
    ("XDEL", sequence(key, many(_id, 1, 3))),
    ("XTRIM", sequence(key, _trim)),
    ("XSETID", sequence(key, _id, options(sequence(token("ENTRIESADDED"), small),
                                          sequence(token("MAXDELETEDID"), _id), most=2))),
    ("XRANGE", sequence(key, _range_id, _range_id, maybe(_count))),
    ("XREVRANGE", sequence(key, _range_id, _range_id, maybe(_count))),
    ("XREAD", sequence(options(_count, _no_wait, most=2), token("STREAMS"), key, _id)),
    ("XREAD", sequence(options(_count, most=1), token("STREAMS"), key, key, _id, _id)),
    ("XGROUP CREATE", sequence(key, _group, either(_id, one(b"$", b"0")),
                               options(token("MKSTREAM"), sequence(token("ENTRIESREAD"), small), most=2))),
    ("XGROUP CREATE", sequence(key, _group, one(b"0", b"$"), fixed("MKSTREAM"))),
    ("XGROUP SETID", sequence(key, _group, _id, maybe(sequence(token("ENTRIESREAD"), small)))),
    ("XGROUP DESTROY", sequence(key, _group)),
    ("XGROUP CREATECONSUMER", sequence(key, _group, _consumer)),
    ("XGROUP DELCONSUMER", sequence(key, _group, _consumer)),
    ("XREADGROUP", sequence(token("GROUP"), _group, _consumer, options(_count, token("NOACK"), _no_wait, most=2),
                            token("STREAMS"), key, either(one(b">"), one(b">"), _id))),
    ("XREADGROUP", sequence(fixed("GROUP", "g1", "c1", "STREAMS"), key, one(b">"))),
    ("XACK", sequence(key, _group, many(_id, 1, 3))),
    ("XPENDING", sequence(key, _group)),
    ("XPENDING", sequence(key, _group, maybe(sequence(token("IDLE"), one(b"0", b"100000", b"abc"))), one(b"-", b"1-1"),
                          one(b"+", b"5"), small, maybe(_consumer))),
    ("XCLAIM", sequence(key, _group, _consumer, _idle, many(_id, 1, 2),
                        options(token("FORCE", "JUSTID"), sequence(token("IDLE"), small),
                                sequence(token("RETRYCOUNT"), small),
                                sequence(token("LASTID"), _id)))),
    ("XAUTOCLAIM", sequence(key, _group, _consumer, _idle, _id, options(_count, token("JUSTID"), most=2))),
    ("XINFO STREAM", key),
    ("XINFO GROUPS", key),
    ("OBJECT ENCODING", key),
    ("DEL", key),
)

_ENTRIES = ("XADD k1 1-1 f v", "XADD k1 2-1 f v", "XADD k1 3-1 f v g w", "XADD k2 1-1 f v", "XGROUP CREATE k1 g1 0",
            "XGROUP CREATE k1 g2 $")
_READ = _ENTRIES + ("XREADGROUP GROUP g1 c1 COUNT 2 STREAMS k1 >", "XREADGROUP GROUP g1 c2 STREAMS k1 >")
_BEGINNINGS = (_ENTRIES, _READ, _READ)
FAMILIES = (
    Family("streams", _COMMANDS, oracle="either", longest=16, beginnings=_BEGINNINGS),
    Family("streams-small-nodes", _COMMANDS, oracle="either", longest=16, options=("--stream-node-max-entries", "2"),
           beginnings=_BEGINNINGS),
)
