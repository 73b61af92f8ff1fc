"""Keyspace notifications: what each command publishes, in which order, and the letters that choose it.

A second connection listens to every notification channel. After each command a message of our own marks the end of
what the command published, so nothing waits for silence.
"""
from __future__ import annotations

import time

from session import Session, split_arguments

ORACLE = "redis"

EVERYTHING = "KEA"

COMMANDS = """
SET s 1
SET s 2 EX 100
SET s 3 KEEPTTL
SETNX s 9
SETNX s2 9
SETEX s 100 v
PSETEX s 100000 v
GETSET s x
GETEX s EX 50
GETEX s PERSIST
GETEX s
GETDEL s2
GETDEL s2
APPEND s abc
SETRANGE s 2 zz
INCR n
INCRBY n 5
DECR n
INCRBYFLOAT n 1.5
MSET a 1 b 2 a 3
MSETNX a 1 c 2
MSETNX c 1 d 2
SETBIT bits 7 1
BITFIELD bits SET u8 0 255 GET u8 0
BITOP NOT notbits bits
BITOP AND gone missing
BITOP AND notbits missing
PFADD hll a b c
PFADD hll a
PFMERGE hll2 hll
PFCOUNT hll
LPUSH l 1 2 3
RPUSH l 4
LPUSHX l 5
LPUSHX nolist 5
LINSERT l BEFORE 4 x
LSET l 0 y
LREM l 0 x
LTRIM l 0 1
LPOP l
RPOPLPUSH l m
LMOVE m l LEFT LEFT
LPOP l 5
RPUSH l 1
RPOP l
RPUSH l 1 2
LTRIM l 5 6
RPUSH q 1
BLPOP q 0
RPUSH q 1
BLMOVE q r LEFT RIGHT 0
LMPOP 1 r LEFT
RPUSH so 3 1 2
SORT so STORE sorted
SORT nothing STORE sorted
SADD st a b c
SADD st a
SREM st a
SMOVE st st2 b
SPOP st
SADD x1 a b
SADD x2 b c
SINTERSTORE xi x1 x2
SUNIONSTORE xu x1 x2
SDIFFSTORE xd x1 x2
SDIFFSTORE xd x1 x1
SREM xi b
HSET h f 1 g 2
HSET h f 1
HSETNX h i 1
HSETNX h i 1
HMSET h j 1
HINCRBY h f 1
HINCRBYFLOAT h f 1
HDEL h f
HDEL h nofield
HDEL h g i j
ZADD z 1 a 2 b
ZADD z 1 a
ZADD z XX 1 a
ZINCRBY z 1 a
ZREM z a
ZADD z INCR 1 b
ZPOPMIN z
ZADD z 1 a 2 b 3 c 4 d
ZREMRANGEBYRANK z 0 0
ZREMRANGEBYSCORE z 2 2
ZREMRANGEBYLEX z - [c
ZRANGESTORE z9 z 0 -1
ZUNIONSTORE zu 1 z
ZINTERSTORE zi 2 z zu
ZDIFFSTORE zd 2 z zu
ZPOPMAX z
ZADD zb 1 a
BZPOPMIN zb 0
ZADD zb 1 a 2 b
ZMPOP 1 zb MIN COUNT 5
GEOADD geo 13.361389 38.115556 Palermo
GEOSEARCHSTORE geo2 geo FROMLONLAT 15 37 BYRADIUS 400 km
XADD x 1-1 f v
XADD x 1-2 f v
XADD x 1-3 f v
XDEL x 1-1
XTRIM x MAXLEN 1
XSETID x 5-5
XGROUP CREATE x g 0
XGROUP CREATECONSUMER x g c
XREADGROUP GROUP g d COUNT 1 STREAMS x >
XGROUP SETID x g 0
XGROUP DELCONSUMER x g c
XGROUP DESTROY x g
EXPIRE a 100
PEXPIRE a 100000
EXPIREAT a 99999999999
PEXPIREAT a 99999999999999
PERSIST a
PERSIST a
EXPIRE a -1
EXPIREAT b 1
RENAME c c2
RENAMENX c2 c3
RENAMENX c3 d
RENAME c3 d
COPY d e
COPY d e
COPY d e REPLACE
COPY d e DB 3
COPY d e DB 3 REPLACE
MOVE e 2
MOVE e 2
SELECT 2
DEL e nothing
SET two 2
UNLINK two
SELECT 0
SWAPDB 0 4
SWAPDB 0 4
RESTORE r9 0 "\\x00\\xc1\\x01\\x02\\x0a\\x00\\x4c\\xbf\\x19\\xc3\\x0e\\x1f\\x53\\x8f"
GET nothing
TYPE nothing
EXISTS nothing
TTL nothing
OBJECT ENCODING nothing
STRLEN nothing
LLEN nothing
SCARD nothing
HGET nothing f
HGETALL nothing
ZSCORE nothing m
MGET nothing nothing2 d
LRANGE nothing 0 -1
DUMP nothing
LPOP nothing
SREM nothing a
APPEND grown a
DEL grown
DEL a b c d e
FLUSHDB
SET z 1
FLUSHALL
"""

TRANSACTION = ["MULTI", "SET t 1", "DEL t", "LPUSH tl 1", "RPOP tl", "EXEC"]


def stream(session: Session) -> None:
    listener = session.connection("n")
    listener.send("PSUBSCRIBE", "__key*__:*")
    listener.read_any(3)
    listener.send("SUBSCRIBE", "end")
    listener.read_any(3)
    letters = [EVERYTHING, "AKEmn", "Kg", "Eg", "K$", "E$", "Kl", "Es", "Kh", "Ez", "Kx", "Ee", "Kt", "Ed", "Km", "En",
               "Knm$", "A", "KE", "g$", ""]
    for classes in letters:
        session.command("CONFIG", "SET", "notify-keyspace-events", classes)
        if "n" not in classes:
            # Redis 7.0 forgets to print it beside A.
            session.command("CONFIG", "GET", "notify-keyspace-events")
        for line in COMMANDS.strip().splitlines():
            run(session, listener, line)
        for line in TRANSACTION:
            run(session, listener, line)
        expire(session, listener)
    session.command("CONFIG", "SET", "notify-keyspace-events", "KEx")
    # What the active expiry finds.
    session.command("SET", "gone", "1", "PX", "1")
    session.note("expired", [str(listener.read_any(5)), str(listener.read_any(5))])
    session.command("CONFIG", "SET", "notify-keyspace-events", "")


def run(session: Session, listener, line: str) -> None:
    """One command and what it published."""
    arguments = tuple(split_arguments(line))
    if session.lacks(arguments):
        return
    session.command(*arguments, policy="kind" if arguments[0] in (b"SPOP", b"DUMP", b"RESTORE") else None)
    session.note(f"events of {line}", published(session, listener), policy="exact")


def published(session: Session, listener) -> list[str]:
    # On a connection of its own: the main one may be in a transaction.
    session.connection("p").command("PUBLISH", "end", "x")
    frames: list[str] = []
    while True:
        frame = listener.read_any(3)
        if frame.kind in ("timeout", "closed"):
            return frames + [frame.kind]
        words = [item.text().decode("latin-1") for item in frame.value]
        if words[:2] == ["message", "end"]:
            return frames
        frames.append(" ".join(words[2:]))


def expire(session: Session, listener) -> None:
    """A key whose time has come, found by a command or by the server itself: one event, no matter which."""
    session.command("SET", "deadline", "1", "PX", "1")
    time.sleep(0.01)
    session.command("GET", "deadline")
    session.note("events of its life", [frame for frame in published(session, listener) if "keymiss" not in frame])
