"""Generated commands on sorted sets, in both encodings."""
from __future__ import annotations

from families.arguments import (Family, blob, counted, either, index, key, many, maybe, mostly, one, options,
                                score,
                                sequence, small, token, weighted)

_member = either(one(b"a", b"b", b"c", b"d", b"e", b"foo", b"1"), blob)
_plain_score = one(b"0", b"1", b"2", b"3", b"1.5", b"-1", b"2.5", b"1e100", b"inf", b"-inf")
_border = weighted((b"-inf", b"+inf", b"0", b"1", b"(1", b"2.5", b"(2", b"3", b"(-inf", b"(inf"),
                   (b"", b"abc", b"(", b"((1", b"nan", b"1 ", b"[1"))
_lex = weighted((b"-", b"+", b"[a", b"(a", b"[c", b"(d", b"[", b"("), (b"a", b"", b"*", b"-a", b"++"))
# Ranges by member mean nothing where scores differ, and stock servers then answer by chance: keys of their own.
_even = weighted((b"x1", b"x2"), (b"str", b"none"), 8)
_limit = sequence(token("LIMIT"), small, small)
# One weight per key is right; the numbers of both are drawn apart, so single keys are drawn most.
_weights = sequence(token("WEIGHTS"), many(score, 1, 2))
_aggregate = sequence(token("AGGREGATE"), mostly(token("SUM", "MIN", "MAX"), one(b"AVG")))
_timeout = weighted((b"0.001", b"0.01"), (b"abc", b"-1", b""), 5)
_add_option = token("NX", "XX", "GT", "LT", "CH", "INCR")

_COMMANDS = (
    ("ZADD", sequence(key, options(_add_option), many(sequence(score, _member), 1, 3))),
    ("ZADD", sequence(key, many(sequence(_plain_score, _member), 1, 6))),
    ("ZADD", sequence(key, many(sequence(one(b"0"), _member), 2, 6))),
    ("ZADD", sequence(key, token("INCR"), score, _member)),
    ("ZINCRBY", sequence(key, score, _member)),
    ("ZREM", sequence(key, many(_member, 1, 2))),
    ("ZSCORE", sequence(key, _member)),
    ("ZMSCORE", sequence(key, many(_member, 1, 3))),
    ("ZCARD", key),
    ("ZCOUNT", sequence(key, _border, _border)),
    ("ZADD", sequence(one(b"x1", b"x2"), many(sequence(one(b"0"), _member), 1, 6))),
    ("ZREM", sequence(one(b"x1", b"x2"), _member)),
    ("ZLEXCOUNT", sequence(_even, _lex, _lex)),
    ("ZRANK", sequence(key, _member)),
    ("ZREVRANK", sequence(key, _member)),
    ("ZRANGE", sequence(key, index, index, options(token("WITHSCORES", "REV")))),
    ("ZRANGE", sequence(key, _border, _border, token("BYSCORE"), options(token("REV", "WITHSCORES"), _limit))),
    ("ZRANGE", sequence(_even, _lex, _lex, token("BYLEX"), options(token("REV", "WITHSCORES"), _limit))),
    ("ZRANGE", sequence(key, either(index, _border, _lex), either(index, _border, _lex),
                        options(token("BYSCORE", "REV", "WITHSCORES"), _limit))),
    ("ZRANGESTORE", sequence(key, key, _border, _border, token("BYSCORE"), options(token("REV"), _limit, most=2))),
    ("ZRANGESTORE", sequence(key, _even, _lex, _lex, token("BYLEX"), options(token("REV"), _limit, most=2))),
    ("ZRANGESTORE", sequence(key, key, index, index, maybe(token("REV")))),
    ("ZRANGESTORE", sequence(key, key, either(index, _border, _lex), either(index, _border, _lex),
                             options(token("BYSCORE", "REV", "WITHSCORES"), _limit))),
    ("ZREVRANGE", sequence(key, index, index, maybe(token("WITHSCORES")))),
    ("ZRANGEBYSCORE", sequence(key, _border, _border, options(token("WITHSCORES"), _limit))),
    ("ZREVRANGEBYSCORE", sequence(key, _border, _border, options(token("WITHSCORES"), _limit))),
    ("ZRANGEBYLEX", sequence(_even, _lex, _lex, options(_limit, most=1))),
    ("ZREVRANGEBYLEX", sequence(_even, _lex, _lex, options(_limit, most=1))),
    ("ZREMRANGEBYRANK", sequence(key, index, index)),
    ("ZREMRANGEBYSCORE", sequence(key, _border, _border)),
    ("ZREMRANGEBYLEX", sequence(_even, _lex, _lex)),
    ("ZPOPMIN", sequence(key, maybe(small))),
    ("ZPOPMAX", sequence(key, maybe(small))),
    ("ZMPOP", sequence(counted(key), token("MIN", "MAX"), maybe(sequence(token("COUNT"), small)))),
    ("BZPOPMIN", sequence(many(key, 1, 2), _timeout)),
    ("BZPOPMAX", sequence(many(key, 1, 2), _timeout)),
    ("BZMPOP", sequence(_timeout, counted(key), token("MIN", "MAX"), maybe(sequence(token("COUNT"), small)))),
    ("ZUNION", sequence(counted(key), options(_weights, _aggregate, token("WITHSCORES")))),
    ("ZINTER", sequence(counted(key), options(_weights, _aggregate, token("WITHSCORES")))),
    ("ZDIFF", sequence(counted(key), maybe(token("WITHSCORES")))),
    ("ZUNIONSTORE", sequence(key, counted(key), options(_weights, _aggregate))),
    ("ZINTERSTORE", sequence(key, counted(key), options(_weights, _aggregate))),
    ("ZDIFFSTORE", sequence(key, counted(key))),
    ("ZINTERCARD", sequence(counted(key), maybe(sequence(token("LIMIT"), small)))),
    ("ZRANDMEMBER", sequence(key, maybe(sequence(small, maybe(token("WITHSCORES")))))),
    ("ZSCAN", sequence(key, one(b"0"), maybe(sequence(token("MATCH"), one(b"*", b"a*"))))),
    ("SADD", sequence(key, many(_member, 1, 3))),
    ("OBJECT ENCODING", key),
    ("DEL", key),
)

# Stock servers look at blocked clients once a tick: more ticks, shorter waits.
_QUICK_TIMEOUTS = ("--hz", "500")

_BEGINNINGS = (("ZADD k1 1 a 2 b 2 c 3 d inf e", "ZADD k2 0 a 0 b 0 c 0 foo", "ZADD k3 5 a 1 c",
               "ZADD x1 0 a 0 b 0 c 0 d 0 foo", "ZADD x2 0 a 0 aa"),) * 2
FAMILIES = (
    Family("zsets", _COMMANDS, oracle="either", options=_QUICK_TIMEOUTS, beginnings=_BEGINNINGS),
    Family("zsets-skiplist", _COMMANDS, oracle="either", options=("--zset-max-listpack-entries", "0", *_QUICK_TIMEOUTS),
           beginnings=_BEGINNINGS),
    Family("zsets-converting", _COMMANDS, oracle="either", options=("--zset-max-listpack-entries", "3",
                                                                    "--zset-max-listpack-value", "8",
                                                    *_QUICK_TIMEOUTS), beginnings=_BEGINNINGS),
)
