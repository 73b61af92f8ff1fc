#!/usr/bin/env python3
"""Compares what Fog says about its commands with what the stock servers say: COMMAND, DOCS, HELP and GETKEYS.

Usage: metadata_check.py [NAME ...]
Starts Fog ($FOG_SERVER or the release build) and the stock servers. For every command that Fog has, the answers of
COMMAND INFO, COMMAND DOCS and CONTAINER HELP must be the bytes that Valkey 9.1 sends, or Redis 7.0 where Valkey lacks
the command, in RESP2 and RESP3; only the order of subcommands is free. COMMAND LIST, COUNT, GETKEYS and
GETKEYSANDFLAGS are compared for the commands and lines below. What is meant to differ stands in MEANT.
"""
from __future__ import annotations

import sys

from resp import Connection, Reply, show
from servers import NotFound, Server, fog_binary, redis_binary, valkey_binary

# "command" or "command field" -> why Fog's answer differs.
MEANT: dict[str, str] = {
    "bitop arguments": "four operations more, as in Redis 8.2",
    "delex": "Redis 8.4's command; neither oracle has it",
    "xackdel": "Redis 8.2's command; neither oracle has it",
    "xadd arguments": "how to treat references to trimmed entries, as in Redis 8.2",
    "xadd history": "the same",
    "xdelex": "Redis 8.2's command; neither oracle has it",
    "xtrim arguments": "how to treat references to trimmed entries, as in Redis 8.2",
    "xtrim history": "the same",
    "hotkeys": "Redis 8.6's command; neither oracle has it",
    "hotkeys|get": "the same",
    "hotkeys|help": "the same",
    "hotkeys|reset": "the same",
    "hotkeys|start": "the same",
    "hotkeys|stop": "the same",
    "digest": "Redis 8.4's command; neither oracle has it",
}

# Lines whose keys are compared (COMMAND GETKEYS and GETKEYSANDFLAGS), when Fog has the command.
LINES = [
    "get a", "get", "get a b", "nosuch a", "ping", "config", "config get x", "config nope", "command", "script load a",
    "mget a b c", "mset a 1 b 2", "mset a 1 b", "del a b c", "watch a b", "getex a ex 1", "lcs a b", "object encoding k",
    "memory usage k", "subscribe a", "ssubscribe a", "pfdebug a b", "pfcount a b", "rename a b", "copy a b",
    "set a b", "set a b get", "set a b ex get", "set a b ifeq get", "setex a 1 b", "blmove a b left right 0",
    "eval x 0", "eval x a", "eval x 2 a", "eval x 2 a b c", "eval x -1 a", "eval x 99999999999999999999 a",
    "eval x 9223372036854775807 a", "eval_ro x 1 a", "fcall f 1 a", "evalsha x 2 a b",
    "sort a", "sort a store b store c", "sort a by store get x", "sort a limit store b store c", "sort a store",
    "sort a limit 1 store", "sort_ro a by store get x",
    "georadius k 1 2 3 m", "georadius k 1 2 3 m store a storedist b", "georadius k 1 2 3 m store", "geoadd k 1 2 m",
    "georadiusbymember k m 3 m store a storedist b", "georadiusbymember_ro k m 3 m", "geosearchstore a b x y z q w e r",
    "migrate h p k 0 1", "migrate h p k 0 1 keys a b", "migrate h p '' 0 1 keys a b", "migrate h p '' 0 1 keys",
    "migrate h p '' 0 1 auth keys keys a b", "migrate h p '' 0 1 auth2 keys keys keys a b", "migrate h p '' 0 1 copy",
    "bitfield k", "bitfield k get u8 0", "bitfield k get u8 0 set u8 0 1", "bitfield k overflow wrap get u8 0",
    "bitfield k get", "bitfield k incrby u8 0 1", "bitop and d a b", "bitfield_ro k get u8 0",
    "xread count 1 streams a b c d", "xread count 1 streams a b c", "xread count 1 a b c d", "xread streams streams",
    "xreadgroup group streams x streams a b", "xreadgroup group g c streams a b 1 2", "xgroup create a b c", "xadd k * a b",
    "zunionstore d 2 a b weights 1 2", "zunionstore d 3 a b", "zunionstore d 0 a b", "zunion x 0 a b", "zinter 1 a",
    "zdiff 2 a b", "zadd k 1 2", "lmpop 2 a b left", "blmpop 0 2 a b left", "bzmpop 0 1 a min", "sintercard 2 a b",
    "blpop a b 0", "brpoplpush a b 0", "lpush a b", "sunionstore d a b", "smove a b c", "hset k a b", "hgetdel k fields 1 a",
    "msetex 2 a 1 b 2 nx", "delifeq a b", "restore k 0 v", "dump k", "touch a b", "unlink a b", "exists a b", "scan 0",
]

OTHERS = ["command count x", "command foo", "command list foo", "command list filterby", "command list filterby foo bar",
          "command list filterby aclcat nope", "command list filterby module x", "command list filterby pattern",
          "command getkeys", "command getkeysandflags", "command help x", "command docs nosuch", "command info nosuch",
          "command info config|nope", "command docs config|nope", "command info |", "command info get|x",
          "command docs CONFIG|GET", "command info GeT"]
CATEGORIES = ("keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow "
              "blocking dangerous connection transaction scripting").split()
PATTERNS = ["*", "config|*", "x*r", "GET*", "[a-c]*", "nosuch"]


def words(line: str) -> list[str]:
    return ["" if word == "''" else word for word in line.split(" ")]


class Report:
    def __init__(self) -> None:
        self.compared = 0
        self.wrong = 0
        self.meant: set[str] = set()

    def compare(self, what: str, stock: Reply, fog: Reply, *exceptions: str) -> None:
        self.compared += 1
        if stock == fog:
            return
        for name in exceptions:
            if name in MEANT:
                self.meant.add(name)
                return
        self.wrong += 1
        print(f"{what}\n    stock {show(stock, 1500)[:1500]}\n    fog   {show(fog, 1500)[:1500]}")


def strings(reply: Reply) -> list[str]:
    return [item.text().decode() for item in reply.items()]


def pairs(reply: Reply) -> dict[str, Reply]:
    """A map's fields, also when RESP2 made an array of it; other replies have none."""
    items = reply.items()
    if reply.kind not in ("map", "array") or len(items) % 2:
        return {}
    return {items[index].text().decode(): items[index + 1] for index in range(0, len(items), 2)}


class Check:
    """One protocol version of one comparison."""

    def __init__(self, fog: Connection, stocks: list[tuple[str, Connection]], names: list[str], report: Report) -> None:
        self.fog = fog
        self.stocks = stocks
        self.report = report
        self.known = [(label, link, set(strings(link.command("COMMAND", "LIST")))) for label, link in stocks]
        self.names = [name for name in strings(fog.command("COMMAND", "LIST")) if not names or name in names]

    def oracle(self, name: str) -> tuple[str, Connection] | None:
        for label, link, known in self.known:
            if name in known:
                return label, link
        return None

    def run(self) -> None:
        for name in self.names:
            found = self.oracle(name)
            if found is None:
                if name in MEANT or name.startswith("fog."):
                    self.report.meant.add(name)
                else:
                    self.report.wrong += 1
                    print(f"{name}: no stock server has it; say why in MEANT")
                continue
            self.command(name, *found)
        self.keys()
        self.lists()

    def command(self, name: str, label: str, stock: Connection) -> None:
        fields = ["name", "arity", "flags", "first key", "last key", "step", "categories", "hints", "key specs"]
        theirs = stock.command("COMMAND", "INFO", name).items()[0].items()
        ours = self.fog.command("COMMAND", "INFO", name).items()[0].items()
        for index, field in enumerate(fields):
            self.report.compare(f"{name}: {field} ({label})", theirs[index], ours[index], name, f"{name} {field}")
        theirs_docs = pairs(pairs(stock.command("COMMAND", "DOCS", name))[name])
        ours_docs = pairs(pairs(self.fog.command("COMMAND", "DOCS", name))[name])
        for reply in (theirs_docs, ours_docs):
            reply.pop("subcommands", None)
        for field in {**theirs_docs, **ours_docs}:
            nothing = Reply("null", None)
            self.report.compare(f"{name}: docs {field} ({label})", theirs_docs.get(field, nothing),
                                ours_docs.get(field, nothing), name, f"{name} {field}")
        if list(theirs_docs) != list(ours_docs):
            self.report.wrong += 1
            print(f"{name}: docs fields in another order: {list(theirs_docs)} {list(ours_docs)}")
        if name.endswith("|help"):
            self.help(name.removesuffix("|help"), label, stock)

    def help(self, container: str, label: str, stock: Connection) -> None:
        """Fog may lack subcommands, so the stock text is cut down to those that it has."""
        has = {name.split("|")[1] for name in self.names if name.startswith(container + "|")}
        wanted: list[Reply] = []
        is_wanted = True
        for line in stock.command(container, "HELP").items():
            text = line.text().decode()
            if not text.startswith(" "):
                first = text.replace("(", " ").replace("|", " ").split(" ")[0].lower()
                is_wanted = not first or first == container or first in has
            if is_wanted:
                wanted.append(line)
        self.report.compare(f"{container}: HELP ({label})", Reply("array", tuple(wanted)),
                            self.fog.command(container, "HELP"), f"{container} help")

    def keys(self) -> None:
        for line in LINES:
            name = line.split(" ")[0]
            found = self.oracle(name) or self.stocks[0]
            if name in self.names or name == "nosuch":
                for verb in ("GETKEYS", "GETKEYSANDFLAGS"):
                    self.report.compare(f"{verb} {line}", found[1].command("COMMAND", verb, *words(line)),
                                        self.fog.command("COMMAND", verb, *words(line)), f"{name} keys")

    def lists(self) -> None:
        if "command" not in self.names:
            return
        _, stock, known = self.known[0]
        for line in OTHERS:
            self.report.compare(line, stock.command(*words(line)), self.fog.command(*words(line)), line)
        both = known & set(self.names)
        filters = [("ACLCAT", name) for name in CATEGORIES + ["StrinG"]] + [("PATTERN", text) for text in PATTERNS]
        for verb, value in filters:
            theirs, ours = (link.command("COMMAND", "LIST", "FILTERBY", verb, value) for link in (stock, self.fog))
            chosen = [Reply(reply.kind, tuple(sorted(item for item in reply.items() if item.text().decode() in both)))
                      for reply in (theirs, ours)]
            self.report.compare(f"COMMAND LIST FILTERBY {verb} {value}", *chosen)
        whole = self.fog.command("COMMAND")
        self.report.compare("COMMAND COUNT", Reply("integer", str(len(whole.items())).encode()),
                            self.fog.command("COMMAND", "COUNT"))
        self.report.compare("COMMAND INFO without names", whole, self.fog.command("COMMAND", "INFO"))


def main() -> int:
    report = Report()
    with Server(fog_binary()) as fog, Server(valkey_binary()) as valkey, Server(redis_binary()) as redis:
        for protocol in (2, 3):
            stocks = [("Valkey", valkey.connect(protocol)), ("Redis", redis.connect(protocol))]
            Check(fog.connect(protocol), stocks, [name.lower() for name in sys.argv[1:]], report).run()
    if not sys.argv[1:]:
        for name in sorted(set(MEANT) - report.meant):
            report.wrong += 1
            print(f"MEANT has {name}, but nothing differs")
    print(f"metadata: {report.compared} answers compared, {report.wrong} wrong, {len(report.meant)} meant to differ")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotFound as missing:
        sys.exit(str(missing))
