"""Attempts on the server that have broken others of its kind, each with the outcome that is safe.

Each check starts its own server ($FOG_SERVER, or the release build), attacks it as a client can, and fails with a
sentence when the server dies, hangs, grows without a bound or answers what the attacker wanted. Names of the known
holes are in the checks' first lines. `attacks.py NAME ...` runs some, `--list` shows them, `--io-threads N` sets the
number of loops (default 4).
"""
from __future__ import annotations

import argparse
import random
import re
import sys
import threading
import time
from pathlib import Path
from typing import Callable

from resp import Connection, Reply, encode, show
from servers import Server, fog_binary

MEGABYTE = 1 << 20
CHECKS: dict[str, Callable[[], None]] = {}
LOOPS = 4


class Failed(Exception):
    """An attempt had an effect that it must not have."""


def check(function: Callable[[], None]) -> Callable[[], None]:
    CHECKS[function.__name__] = function
    return function


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Failed(text)


def start(*options: str) -> Server:
    return Server(fog_binary(), "--io-threads", str(LOOPS), *options)


def connect(server: Server, seconds: float = 30.0, protocol: int = 2) -> Connection:
    connection = Connection(server.port, timeout_seconds=seconds)
    if protocol == 3:
        connection.command("HELLO", "3")
    return connection


def resident_bytes(server: Server) -> int:
    text = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def expect_alive(server: Server, what: str) -> None:
    expect(server.is_alive(), f"{what}: the server died with {server.exit_code()}: {server.log_tail()}")
    client = Connection(server.port, timeout_seconds=5)
    reply = client.command("PING")
    client.close()
    expect(reply == Reply("simple", b"PONG"), f"{what}: PING then answers {show(reply)}")


def evaluate(server: Server, script: str | bytes, *arguments: str | bytes, seconds: float = 60.0) -> Reply:
    """The script's reply; a connection of its own each time, so that a closed one is seen at once."""
    client = connect(server, seconds)
    reply = client.command("EVAL", script, "0", *arguments)
    client.close()
    expect(reply.kind not in ("closed", "timeout"), f"{script[:200]!r}: {reply.kind}: {server.log_tail()}")
    return reply


def refuses(server: Server, script: str, words: str = "") -> None:
    """The script fails with an error that says `words`, and the server goes on."""
    reply = evaluate(server, script)
    expect(reply.is_error() and words.encode() in reply.text(), f"{script[:200]}: answers {show(reply)}")
    expect_alive(server, script[:200])


def gives(server: Server, script: str, wanted: Reply) -> None:
    reply = evaluate(server, script)
    expect(reply == wanted, f"{script[:200]}: answers {show(reply)}, not {show(wanted)}")


def integer(value: int) -> Reply:
    return Reply("integer", b"%d" % value)


def bulk(value: bytes) -> Reply:
    return Reply("bulk", value)



def skip_reply(client: Connection, seconds: float, what: str) -> bytes:
    """Reads one reply of any depth without building it; its first byte."""
    stream = client.socket.makefile("rb")
    client.socket.settimeout(seconds)
    first, missing = b"", 1
    try:
        while missing:
            line = stream.readline()
            expect(line.endswith(b"\r\n"), f"{what}: the reply ends after {line[:80]!r}")
            first = first or line[:1]
            missing -= 1
            if line[:1] in b"$=!" and line[1:2] != b"-":
                stream.read(int(line[1:]) + 2)
            elif line[:1] in b"*~>%" and line[1:2] != b"-":
                missing += int(line[1:]) * (2 if line[:1] == b"%" else 1)
    except TimeoutError:
        raise Failed(f"{what}: no whole reply in {seconds} s") from None
    return first


# Scripts: the parser and the collector

@check
def collecting_while_the_parser_runs() -> None:
    """CVE-2025-49844: what the parser has not anchored yet must not be collected, the chunk's name first of all."""
    with start() as server:
        script = """
            for round = 1, 300 do
                local name = '=' .. string.rep('n', 40) .. round
                local words = {}
                for index = 1, 200 do words[index] = 'local v' .. index % 150 .. '_' .. round .. " = '" ..
                    string.rep(string.char(97 + index % 26), 60) .. round .. index .. "'" end
                words[#words] = 'error(1'
                local done, message = loadstring('do ' .. table.concat(words, ' end do ') .. ' end', name)
                if done or string.sub(message, 1, #name - 1) ~= string.sub(name, 2) then
                    return {round, message}
                end
                local step = 0
                local loaded, words = load(function()
                    step = step + 1
                    collectgarbage()
                    return ({'return ', "'" .. string.rep('z', 50) .. round .. "'"})[step]
                end, name .. 'l')
                if not loaded or loaded() ~= string.rep('z', 50) .. round then return {round, words} end
                if round % 20 == 0 then collectgarbage() end
            end
            return 'whole'"""
        gives(server, script, bulk(b"whole"))
        client = connect(server)
        for number in range(2000):
            text = f"local a{number} = '{'k' * 300}{number}' collectgarbage() return #a{number} + "
            reply = client.command("EVAL", text, "0")
            expect(b"unexpected symbol near '<eof>'" in reply.text(), f"a broken script: {show(reply)}")
        client.command("SCRIPT", "FLUSH")
        expect_alive(server, "the parser under a collector")


@check
def endless_sources() -> None:
    """Sources that nest or grow without end are refused by the compiler, not by the operating system."""
    with start() as server:
        for opening in ("(", "{", "function() ", "do ", "if x then ", "a=", "- ", "not ", "x..", "2^", "f{", "[=["):
            reply = evaluate(server, "return " + opening * 200_000)
            expect(reply.is_error(), f"{opening!r} 200,000 times: {show(reply)}")
        many = "".join(f"local a{number}=1 " for number in range(300))
        refuses(server, many, "main function has more than 200 local variables")
        refuses(server, "return " + ",".join(["..."] * 20000), "")
        refuses(server, "local function f(...) return ... end return f(" + ",".join("1" for _ in range(300)) + ")"
                * 2, "")
        gives(server, "local t = {} for i = 1, 70000 do t[i] = 'x' .. i end return #loadstring('return {\"' .. "
                      "table.concat(t, '\",\"') .. '\"}')()", integer(70000))
        expect_alive(server, "endless sources")


# Scripts: libraries

@check
def overflows_in_libraries() -> None:
    """CVE-2025-46817: counts, ranges and sizes beyond 32 bits."""
    with start() as server:
        for first, last in ((0, 2147483647), (-2, 2147483647), (1, 2147483647), (-2147483648, 2147483647),
                            (-2147483648, -1), (0, 1e308), (-1e308, 1e308), (1, 1e9), (2147483640, 4294967295)):
            refuses(server, f"return {{unpack({{1,2,3}}, {first}, {last})}}", "too many results to unpack")
        gives(server, "return select('#', unpack({1,2,3}, 2147483647, -2147483648))", integer(0))
        gives(server, "return select('#', unpack({1,2,3}, 2147483647, 2147483647))", integer(1))
        gives(server, "return select('#', unpack({1,2,3}, 0/0, 3))", integer(0))
        gives(server, "return #string.rep('', 2147483647)", integer(0))
        gives(server, "return #string.rep('x', -2147483648)", integer(0))
        gives(server, "return #string.sub('abc', -2147483648, 2147483647)", integer(3))
        gives(server, "return select('#', string.byte('abc', -2147483648, 2147483647))", integer(3))
        for script in ("return string.rep('abcdefgh', 536870912)", "return string.rep('x', 2^53)",
                       "return string.rep(string.rep('x', 65536), 65536)",
                       "return select(-2147483648, 1)", "return string.byte(string.rep('x', 9e6), 1, -1)",
                       "return table.concat({}, ',', 1, 2147483647)",
                       "return table.concat({}, ',', -2147483648, 2147483647)",
                       "return string.format('%99999d', 1)", "return string.format('%.99999f', 1)",
                       "return string.format('%1$s', 1)", "return string.format('%*d', 1)",
                       "return string.char(256)", "return string.char(-1)",
                       "table.sort({3,1,2,5,4,9,8,7,6,0,11,13,12}, function() return true end)"):
            refuses(server, script)
        for script in ("return table.insert({}, 2147483647, 1)", "local t = {} t[2^53] = 1 t[-2^31] = 1 return #t",
                       "return #string.format('%99d', 1)", "return tonumber('7fffffffffffffff', 16)",
                       "return bit.lshift(1, 2147483647)", "return bit.tohex(1, -2147483648)",
                       "return bit.bswap(2^52)", "return math.random(2147483647)",
                       "for i = 2147483646, 2147483648 do end return 1", "return #tostring(2^1023)",
                       "return table.getn({}) + (table.maxn({[2^31] = 1}))"):
            reply = evaluate(server, script)
            expect_alive(server, f"{script}: {show(reply)}")
        refuses(server, "return math.random(5, -5)", "interval is empty")


@check
def overflows_in_packers() -> None:
    """CVE-2018-11218, CVE-2018-11219: cmsgpack's stack, struct's sizes, cjson's nesting and numbers."""
    with start() as server:
        struct_errors = (
            "struct.pack('>I2147483648', 1)", "struct.pack('I33', 1)", "struct.pack('i0x7fffffff', 1)",
            "struct.pack('I99999999999999999999', 1)", "struct.unpack('I2147483648', 'testing')",
            "struct.unpack('>I2147483647', 'testing')", "struct.unpack('c2147483648', 'x')",
            "struct.unpack('c4294967295', 'x')", "struct.unpack('!2147483648 d', 'x')",
            "struct.unpack('i4', 'abcd', -2147483648)", "struct.unpack('i4', 'abcd', 2147483647)",
            "struct.unpack('i4', 'abcd', 2^53)", "struct.unpack('i4', 'abcd', 0/0)", "struct.unpack('s', 'abc')",
            "struct.unpack('Lc0', '\\255\\255\\255\\255\\255\\255\\255\\255x')", "struct.unpack('c0', 'x')",
            "struct.size('c2147483647c2147483647c2147483647')", "struct.size('s')", "struct.size('c0')",
            "struct.pack('c10', 'x')", "struct.pack('!3i', 1)", "struct.pack('Z', 1)",
        )
        for call in struct_errors:
            reply = evaluate(server, f"return {call}")
            expect(reply.is_error() or reply.kind == "integer", f"{call}: {show(reply)}")
            expect_alive(server, call)
        gives(server, "return #struct.pack('ddd', 1, 2, 3)", integer(24))
        refuses(server, "return cmsgpack.pack(unpack({}, 1, 7999), unpack({}, 1, 7999))", "")
        for opening, count in ((r"\145", 100_000), (r"\129", 100_000), (r"\220\0\1", 50_000), (r"\222\0\1", 50_000)):
            refuses(server, f"return cmsgpack.unpack(string.rep('{opening}', {count}))", "")
        for bytes_ in (r"\221\255\255\255\255", r"\223\255\255\255\255", r"\219\255\255\255\255x",
                       r"\198\255\255\255\255", r"\201\255\255\255\255\1", r"\220\255\255", r"\203\0\0", r"\207\1",
                       r"\193", r"\212\1"):
            refuses(server, f"return cmsgpack.unpack('{bytes_}')", "")
        for call in ("unpack_limit('\\1\\2\\3', -2147483648)", "unpack_limit('\\1\\2\\3', 1, -2147483648)",
                     "unpack_limit('\\1\\2\\3', 2147483647, 2147483647)", "unpack_one('\\1\\2\\3', 2147483647)",
                     "unpack_one('\\1', -1)", "unpack_one('', 0)", "unpack_limit('', 1)"):
            evaluate(server, f"return {{cmsgpack.{call}}}")
            expect_alive(server, call)
        refuses(server, "return cjson.decode(string.rep('[', 100000))", "nested")
        refuses(server, "return cjson.decode(string.rep('{\"a\":', 100000))", "nested")
        for call in ("encode_max_depth(2147483647)", "decode_max_depth(2147483647)"):
            reply = evaluate(server, f"cjson.{call} return cjson.decode(string.rep('[', 200000)) or "
                                     "cjson.encode((function() local t = {} for i = 1, 200000 do t = {t} end return t "
                                     "end)())")
            expect(reply.is_error(), f"{call} and then 200,000 levels: {show(reply)}")
            expect_alive(server, call)
        for call in ("encode_sparse_array(true, 0, 0) return cjson.encode({[2147483647] = 1})",
                     "encode_sparse_array(true, 1, 1) return cjson.encode({[1e15] = 1})",
                     "encode_number_precision(99) return cjson.encode(0.1)", "encode_keep_buffer('x')"):
            evaluate(server, f"cjson.{call}")
            expect_alive(server, call)


@check
def random_bytes_for_the_unpackers() -> None:
    """Whatever bytes are unpacked, the answer is a value or an error; the same two each time."""
    generator = random.Random(20181121)
    kinds = (b"\x80\x90\xa0\xc0\xc4\xc7\xca\xcb\xcc\xd0\xd4\xd9\xda\xdb\xdc\xdd\xde\xdf\xff\x00", b'{}[]",:0123eE+-.tfnu\\')
    script = b"""local done, value = pcall(function()
        if KEYS[1] == 'm' then return cmsgpack.pack(cmsgpack.unpack(ARGV[1])) end
        if KEYS[1] == 'j' then return cjson.encode(cjson.decode(ARGV[1])) end
        if KEYS[1] == 's' then return cjson.encode({struct.unpack(ARGV[1], ARGV[2])}) end
        return cjson.encode({string.find(ARGV[2], ARGV[1])})
    end) return {done and 1 or 0, value}"""
    with start() as server:
        client = connect(server)
        for round_ in range(6000):
            kind = "mjsp"[round_ % 4]
            alphabet = kinds[0] if kind == "m" else kinds[1] if kind == "j" else \
                b"bBhHiIlLdfsc0123456789<>! x" if kind == "s" else b"%.*+-?^$()[]abfw1"
            text = bytes(generator.choice(alphabet) for _ in range(generator.randint(0, 24)))
            if kind == "m":
                text += generator.randbytes(generator.randint(0, 12))
            reply = client.command("EVAL", script, "1", kind, text, generator.randbytes(generator.randint(0, 40)))
            expect(reply.kind == "array", f"{kind} {text!r}: {show(reply)} {server.log_tail()}")
        client.close()
        expect_alive(server, "random bytes")


@check
def long_patterns() -> None:
    """A pattern of 200,000 items overflows the C stack of other servers."""
    with start() as server:
        for number, item in enumerate(("a?", "a*", "a-", "(a)", "(", "%b()", "%f[a]", "[a]?", "()", ".")):
            for function in ("find", "gsub") if number % 2 else ("match", "gmatch"):
                tail = ", ''" if function == "gsub" else ""
                call = f"string.{function}(string.rep('a', 300000), string.rep('{item}', 200000){tail})"
                reply = evaluate(server, f"return {call}{'()' if function == 'gmatch' else ''}")
                # Plain items need no depth, and 200,000 of them match.
                expect(reply.is_error() or item in (".", "%f[a]", "%b()"), f"{call}: {show(reply)}")
        refuses(server, "return string.find(string.rep('a', 100000), string.rep('a?', 200000) .. 'b')", "too complex")
        # At the bottom of the deepest call chain that Lua allows.
        refuses(server, """
            local function f(n) return (string.gsub('a', 'a', function() return f(n + 1) end)) end
            return f(1)""", "")
        refuses(server, """
            local function f(n) return (string.gsub('a', 'a', function()
                local done, words = pcall(string.find, string.rep('a', 9000), string.rep('a?', 7990))
                return f(n + 1) end)) end
            return f(1)""", "")
        refuses(server, "local function f() return coroutine.wrap(function() return f() end)() end return f()", "")
        expect_alive(server, "long patterns")


# Scripts: the sandbox

@check
def other_scripts_metatables() -> None:
    """CVE-2025-46818: what one user's script leaves behind must not run with another one's rights."""
    with start() as server:
        admin = connect(server)
        admin.command("ACL", "SETUSER", "low", "on", ">low", "+eval", "+ping", "~low:*")
        low = connect(server)
        expect(low.command("AUTH", "low", "low").text() == b"OK", "AUTH")
        attempts = (
            "getmetatable('').__index = function() redis.call('set', 'stolen', 1) end",
            "getmetatable('').__index.upper = 1", "getmetatable('x').__add = 1", "getmetatable(1).__index = 1",
            "getmetatable(nil).__index = 1", "getmetatable(print).__index = 1", "getmetatable(true).__index = 1",
            "getmetatable(redis.call).__index = 1", "string.upper = 1", "rawset(string, 'upper', 1)",
            "setmetatable(string, {})", "setmetatable(getmetatable(''), {})", "rawset(getmetatable(''), 'x', 1)",
            "debug.setmetatable(1, {})", "getmetatable(_G).__index = 1", "getmetatable(redis).__index = 1",
            "for k, v in pairs(getmetatable(_G)) do v.x = 1 end x = 1", "_G.pairs = 1", "_G['redis'] = 1",
            "redis.call = 1", "server.call = 1", "rawset(redis, 'call', 1)", "redis.sha1hex = 1",
            "table.insert(redis, 1)", "table.insert(cjson, 1)", "table.remove(_G)", "cjson.null.x = 1",
            "getfenv(0).x = 1", "setfenv(0, {})", "getfenv(1).redis = 1", "KEYS = 1",
            "getfenv(redis.call).x = 1", "load = 1", "math.pi = 4", "bit.tobit = 1", "coroutine.wrap = 1",
            "os.clock = 1", "struct.pack = 1", "cmsgpack.pack = 1",
        )
        for attempt in attempts:
            reply = low.command("EVAL", attempt, "0")
            expect(reply.is_error(), f"{attempt}: {show(reply)}")
        # KEYS and ARGV are a run's own.
        low.command("EVAL", "KEYS[1] = 'x' setmetatable(KEYS, {__index = function() return 'y' end}) "
                            "setmetatable(ARGV, {__index = function() return 'y' end})", "0")
        reply = admin.command("EVAL", "return {('x'):upper(), KEYS[1] or 'none', ARGV[1] or 'none', math.floor(math.pi), "
                                      "type(redis.call), redis.sha1hex('')}", "0")
        expect([item.text() for item in reply.items()] == [
            b"X", b"none", b"none", b"3", b"function", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"],
            f"the next script sees {show(reply)}")
        expect(admin.command("EXISTS", "stolen") == integer(0), "a script ran with another one's rights")
        expect_alive(server, "metatables")


@check
def deprecated_functions() -> None:
    """`lua-enable-deprecated-api` gives getfenv, setfenv and newproxy, and no way out of the sandbox by them."""
    with start("--lua-enable-deprecated-api", "yes") as server:
        probes = (
            "getfenv(string.find)", "getfenv(redis.call)", "getfenv(pairs)", "getfenv(0)", "getfenv(1)",
            "getfenv(coroutine.wrap(function() end))", "getfenv(getmetatable)", "getfenv(cjson.encode)",
        )
        for probe in probes:
            reply = evaluate(server, f"local e = {probe} local found = {{}} for _, name in ipairs({{'dofile', 'loadfile', "
                                     "'io', 'package', 'debug', 'require', 'module'}) do "
                                     "local known, value = pcall(function() return e[name] end) "
                                     "if known and value ~= nil then found[#found + 1] = name end end return found")
            expect(reply.is_error() or reply == Reply("array", ()), f"{probe}: shows {show(reply)}")
            reply = evaluate(server, f"local e = {probe} local made = pcall(function() e.leaked = 1 end) "
                                     f"local raw = pcall(rawset, e, 'leaked', 1) "
                                     "return {made and 1 or 0, raw and 1 or 0, pcall(function() return leaked end) and 1 or 0}")
            expect(reply.is_error() or reply.items()[2] == integer(0), f"{probe}: could be written: {show(reply)}")
        evaluate(server, "setfenv(0, {}) return 1")
        evaluate(server, "setfenv(1, {}) return 1")
        evaluate(server, "pcall(setfenv, string.find, {}) pcall(setfenv, redis.call, {}) return 1")
        gives(server, "return redis.call('ping').ok .. tostring(string.find('ab', 'b'))", bulk(b"PONG2"))
        for body in ("error('x')", "error({})", "while true do end", "redis.call('set', 'x', 1)",
                     "local function f() return f() + 1 end f()", "string.rep('x', 1e9)"):
            client = connect(server, 4)
            client.command("EVAL", "local ok, p = pcall(newproxy, true) if ok then local m = getmetatable(p) "
                                   f"m.__gc = function() {body} end end p = nil collectgarbage() return 1", "0")
            client.command("SCRIPT", "KILL")
            client.close()
            other = connect(server, 4)
            other.command("SCRIPT", "KILL")
            for _ in range(50):
                other.command("EVAL", "return #string.rep('x', 1e6)", "0")
            other.command("SCRIPT", "FLUSH")
            other.close()
            expect_alive(server, f"a collector's metamethod that does {body}")


@check
def bytecode() -> None:
    """Only text is compiled; what dumps make or forges cannot be loaded by any door."""
    with start() as server:
        for prefix in (r"\27Lua", r"\27LuaQ\0\1\4\8\4\8\0", r"\27LJ\2", r"\27"):
            gives(server, f"return loadstring('{prefix}') == nil and 'refused'", bulk(b"refused"))
            gives(server, f"local n = 0 return load(function() n = n + 1 return ({{'{prefix}'}})[n] end) == nil and "
                          "'refused'", bulk(b"refused"))
            # A first byte that comes alone.
            gives(server, "local n = 0 return load(function() n = n + 1 return ({'\\27', 'Lua', 'Q'})[n] end) == nil "
                          "and 'refused'", bulk(b"refused"))
        for text in (b"\x1bLua", b"\x1bLJ\x02", b"#!lua\n\x1bLua"):
            reply = evaluate(server, text)
            expect(reply.is_error(), f"{text!r}: {show(reply)}")
        client = connect(server)
        reply = client.command("FUNCTION", "LOAD", b"#!lua name=x\n\x1bLua")
        expect(reply.is_error(), f"FUNCTION LOAD of bytecode: {show(reply)}")
        expect_alive(server, "bytecode")


@check
def damaged_libraries() -> None:
    """FUNCTION RESTORE of forged payloads."""
    with start() as server:
        client = connect(server)
        client.command("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
        payload = client.command("FUNCTION", "DUMP").text()
        generator = random.Random(7)
        for _ in range(1000):
            forged = bytearray(payload)
            for _ in range(generator.randint(1, 4)):
                forged[generator.randrange(len(forged))] = generator.randrange(256)
            forged = forged[:generator.randint(0, len(forged))] if generator.random() < 0.3 else forged
            if bytes(forged) == payload:
                continue
            reply = client.command("FUNCTION", "RESTORE", bytes(forged), "REPLACE")
            expect(reply.is_error(), f"FUNCTION RESTORE of {bytes(forged)!r}: {show(reply)}")
        expect(client.command("FCALL", "f", "0") == integer(1), "the library is whole")
        expect_alive(server, "forged libraries")


# Scripts: replies

@check
def injected_replies() -> None:
    """CVE-2025-67733: line ends in errors and states must not become another reply."""
    with start() as server:
        scripts = (
            "error('a\\r\\n+X')", "error('a\\n+X')", "error('a\\r+X')", "error({err = 'a\\r\\n+X'})",
            "return redis.error_reply('a\\r\\n+X')", "return redis.status_reply('a\\r\\n+X')",
            "return {ok = 'a\\r\\n+X'}", "return {err = 'a\\r\\n+X'}", "return {{ok = 'a\\r\\n+X'}, {err = 'b\\r\\n:1'}}",
            "return redis.pcall('no\\r\\n+X')", "return redis.call('no\\r\\n+X')",
            "return {big_number = '1\\r\\n+X'}", "return {verbatim_string = {string = 'a', format = '\\r\\n+'}}",
            "return {map = {[{ok = 'k\\r\\n+X'}] = 1}}", "return {set = {[{ok = 'k\\r\\n+X'}] = true}}",
            "return redis.pcall('set', 'a\\r\\n+X')", "redis.call('eval', 'x', 0, 'a\\r\\n+X')",
            "local x = nil + 1 --\\r\\n+X", "return error('\\r\\n\\r\\n\\r\\n')", "error(setmetatable({}, {__tostring = "
            "function() return 'a\\r\\n+X' end}))", "return {double = 0/0}", "return {err = '\\r\\n'}",
            "loadstring('x x', 'n\\r\\n+X')()", "return {err = 'a\\0b\\r\\n'}",
        )
        for protocol in (2, 3):
            for script in scripts:
                client = connect(server, 5, protocol)
                client.send_raw(encode("EVAL", script, "0") + encode("ECHO", "mark"))
                first, second = client.read_any(), client.read_any()
                expect(second == bulk(b"mark"), f"RESP{protocol} {script}: {show(first)} then {show(second)}")
                client.close()
        client = connect(server)
        library = "#!lua name=l\nredis.register_function('f', function() error('a\\r\\n+X') end)"
        client.command("FUNCTION", "LOAD", library)
        for command in (("FCALL", "f", "0"), ("FCALL", "a\r\n+X", "0"), ("FUNCTION", "LOAD", "#!lua name=x\r\n+X\nx x"),
                        ("FUNCTION", "LOAD", "#!a\r\n+X name=y\n"), ("SCRIPT", "LOAD", "x\r\n+X x"),
                        ("EVALSHA", "a\r\n+X", "0"), ("NO\r\n+X",), ("CLIENT", "NO\r\n+X"), ("GET", "a", "\r\n+X"),
                        ("CONFIG", "SET", "no\r\n+X", "1"), ("CONFIG", "SET", "save", "\r\n+X"),
                        ("ACL", "SETUSER", "u", "+no\r\n+X"), ("ACL", "SETUSER", "u", "\r\n+X"),
                        ("ACL", "DRYRUN", "no\r\n+X", "GET"), ("ACL", "DRYRUN", "default", "no\r\n+X"),
                        ("CLIENT", "SETNAME", "\r\n+X"), ("XADD", "k", "\r\n+X", "a", "b"), ("AUTH", "a\r\n+X", "b"),
                        ("XREADGROUP", "GROUP", "g\r\n+X", "c", "STREAMS", "k", ">"), ("OBJECT", "\r\n+X", "k"),
                        ("SENTINEL", "\r\n+X"), ("DEBUG", "no\r\n+X"), ("HELLO", "3", "AUTH", "\r\n", "\r\n+X")):
            client.send_raw(encode(*command) + encode("ECHO", "mark"))
            first, second = client.read_any(), client.read_any()
            expect(second == bulk(b"mark"), f"{command}: {show(first)} then {show(second)}")
        expect_alive(server, "line ends")


@check
def odd_values_as_replies() -> None:
    """Nested 10,000 deep, a cycle, metatables, empty errors: a reply each, within bounds."""
    with start() as server:
        refuses(server, "return error({})", "ERR unknown error")
        refuses(server, "return error()", "")
        refuses(server, "error(nil)", "")
        refuses(server, "error(error)", "")
        refuses(server, "error({err = {}})", "")
        refuses(server, "error({err = 5})", "")
        refuses(server, "error(setmetatable({}, {__index = function() error({}) end}))", "")
        deep = "local t = {} for i = 1, %d do t = {%s} end return %s"
        for body in ("t", "map = {t}", "set = {[t] = true}", "t, t"):
            for protocol in (2, 3):
                client = connect(server, 20, protocol)
                client.send("EVAL", deep % (10_000, body, "t"), "0")
                skip_reply(client, 20, f"10,000 levels of {body}")
                expect_alive(server, f"10,000 levels of {body}")
                client.close()
        for call in ("cjson.encode(t)", "cmsgpack.pack(t)", "#cmsgpack.pack(t)"):
            evaluate(server, deep % (10_000, "t", call))
            expect_alive(server, f"10,000 levels in {call}")
        reply = evaluate(server, "return cjson.decode(string.rep('[', 10000) .. string.rep(']', 10000))")
        expect(reply.is_error(), f"10,000 levels in cjson.decode: {show(reply)}")
        evaluate(server, "return cmsgpack.unpack(string.rep('\\145', 10000) .. '\\1')")
        expect_alive(server, "10,000 levels in cmsgpack.unpack")
        for cycle in ("local t = {} t[1] = t return t", "local t = {} t[1] = {t} return {t, t}",
                      "local t = {} t.map = t return t", "local t = {} t.set = {[t] = true} return t",
                      "local t = {} t.map = {[t] = t} return t", "local t = {} t.verbatim_string = t return t"):
            for protocol in (2, 3):
                client = connect(server, 20, protocol)
                client.send("EVAL", cycle, "0")
                skip_reply(client, 20, cycle)
                client.close()
                expect_alive(server, cycle)
        for call in ("cjson.encode(t)", "cmsgpack.pack(t)"):
            evaluate(server, f"local t = {{}} t[1] = t return #{call}")
            expect_alive(server, f"a cycle in {call}")
        for metatable in ("__index = function() return 1 end", "__index = function() error('x') end",
                          "__index = function() while true do end end", "__len = function() return 1e9 end",
                          "__index = function(t, k) return t end", "__tostring = function() error({}) end",
                          "__metatable = 5", "__mode = 'kv'", "__eq = error, __lt = error, __concat = error"):
            reply = evaluate(server, f"return setmetatable({{1, 2}}, {{{metatable}}})", seconds=5)
            expect(reply == Reply("array", (integer(1), integer(2))), f"{metatable}: {show(reply)}")
            expect_alive(server, metatable)
        reply = evaluate(server, "return setmetatable({}, {__index = function(t, k) return k end})", seconds=5)
        expect(reply == Reply("array", ()), f"a metatable that finds everything: {show(reply)}")


@check
def replies_that_multiply() -> None:
    """A small table that refers to one text, or to itself twice, a million times: the reply has a bound."""
    with start() as server:
        before = resident_bytes(server)
        for script in ("local s = string.rep('x', 1e6) local t = {} for i = 1, 1e6 do t[i] = s end return t",
                       "local t = {1} for i = 1, 28 do t = {t, t} end return t",
                       "local t = {1} for i = 1, 40 do t = {t, t} end return cjson.encode(t)",
                       "local t = {1} for i = 1, 14 do t = {t, t, t, t, t} end return cmsgpack.pack(t)",
                       "local s = string.rep('x', 1e6) local t = {} for i = 1, 1e5 do t[i] = s end "
                       "return table.concat(t)",
                       "local s = string.rep('x', 1e6) local t = {} for i = 1, 1e5 do t[i] = s end "
                       "return cjson.encode(t)",
                       "local s = string.rep('a', 1e6) return (string.gsub(s, 'a', s))",
                       "local s = string.rep('\\1', 4e8) return cjson.encode(s)",
                       "return string.format(string.rep('%s', 200), unpack((function() local t, s = {}, "
                       "string.rep('x', 1e7) for i = 1, 200 do t[i] = s end return t end)()))"):
            client = Connection(server.port, timeout_seconds=90)
            client.send_raw(encode("EVAL", script, "0"))
            most = 0
            done = threading.Event()
            replies: list[Reply] = []

            def wait() -> None:
                replies.append(client.read_any(90))
                done.set()

            reader = threading.Thread(target=wait)
            reader.start()
            while not done.wait(0.02) and server.is_alive():
                most = max(most, resident_bytes(server))
            reader.join()
            expect(server.is_alive(), f"{script}: the server died: {server.log_tail()}")
            expect(most - before < 3000 * MEGABYTE, f"{script}: {(most - before) >> 20} MB")
            expect(replies[0].is_error(), f"{script}: {show(replies[0])}")
            expect(client.command("ECHO", "x") == bulk(b"x"), f"{script}: what follows the error is out of step")
            client.close()
            expect_alive(server, script)
        client = connect(server)
        client.command("SCRIPT", "FLUSH")
        growth = resident_bytes(server) - before
        expect(growth < 200 * MEGABYTE, f"{growth >> 20} MB stay")


@check
def scripts_that_fill_the_memory() -> None:
    """A script that allocates without end is stopped with an error; the memory comes back."""
    with start() as server:
        for script in ("local t = {} while true do t[#t + 1] = {} end",
                       "local t = {} local i = 0 while true do i = i + 1 t[i .. ''] = i end",
                       "local s = 'x' while true do s = s .. s end",
                       "local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end",
                       "local t = {} while true do pcall(function() t[#t + 1] = string.rep('x', 1e7) .. #t end) end",
                       "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
                       "local t = {} while true do t[#t + 1] = function() return t end end",
                       "local t = {} while true do t[#t + 1] = loadstring('return ' .. #t) end",
                       "local t = {} while true do t[#t + 1] = redis.call('echo', string.rep('x', 1e6) .. #t) end",
                       "local function f() return 1 + f() end return f()",
                       "local t = {} for i = 1, 1e9 do t[i] = i end"):
            reply = evaluate(server, script, seconds=120)
            expect(reply.is_error(), f"{script}: {show(reply)}")
            expect_alive(server, script)
        expect(resident_bytes(server) < 400 * MEGABYTE, f"{resident_bytes(server) >> 20} MB stay")


@check
def endless_scripts_are_killed() -> None:
    """SCRIPT KILL inside a long gsub, sort, concat, find, rep, encode: busy, then over."""
    scripts = (
        "local s = string.rep('a', 3e5) while true do string.gsub(s, 'a', 'b') end",
        "return (string.gsub(string.rep('a', 1e6), '(.-)b', ''))",
        "return string.find(string.rep('a', 1e5), '.-.-.-.-.-b')",
        "string.gsub(string.rep('a', 1e7), 'a', function() while true do end end)",
        "local t = {} for i = 1, 1e6 do t[i] = i % 7 end while true do table.sort(t) end",
        "while true do pcall(error, 'x') end",
        "while true do local ok = pcall(function() redis.call('nothing') end) end",
        "repeat until false", "local function f() return f() end f()",
        "local function f(...) return f(1, ...) end return f()",
        "while true do redis.pcall('get') end",
        "while true do xpcall(error, function() while true do end end) end",
        "while true do cjson.encode({1, 2, 3}) end",
    )
    with start("--busy-reply-threshold", "50") as server:
        for script in scripts:
            runner = connect(server, 30)
            runner.send("EVAL", script, "0")
            other = connect(server, 30)
            deadline = time.monotonic() + 15
            while not other.command("GET", "x").text().startswith(b"BUSY"):
                expect(time.monotonic() < deadline, f"{script}: others never get BUSY")
                time.sleep(0.01)
            started = time.monotonic()
            reply = other.command("SCRIPT", "KILL")
            expect(reply.text() == b"OK", f"{script}: SCRIPT KILL answers {show(reply)}")
            end = runner.read_any(20)
            expect(end.is_error() and b"Script killed by user" in end.text(), f"{script}: ends with {show(end)}")
            expect(time.monotonic() - started < 5, f"{script}: took {time.monotonic() - started:.1f} s to die")
            runner.close()
            other.close()
            expect_alive(server, script)


# Commands

@check
def unread_output_before_authentication() -> None:
    """CVE-2025-21605: a client that has not said who it is and reads nothing cannot make the server hold its replies."""
    with start("--requirepass", "secret") as server:
        before = resident_bytes(server)
        client = connect(server, 3)
        payload = b"".join(encode("GET", "x" * 10) for _ in range(10_000))
        sent = 0
        try:
            for _ in range(200):
                client.socket.sendall(payload)
                sent += len(payload)
        except OSError:
            pass
        growth = resident_bytes(server) - before
        expect(growth < 16 * MEGABYTE, f"{sent >> 20} MB of refused commands hold {growth >> 20} MB")
        reply = connect(server).command("AUTH", "secret")
        expect(reply.text() == b"OK", "the server answers others")


@check
def malformed_selectors() -> None:
    """CVE-2024-51741 and its relatives: rules of users cut short, nested, unbalanced."""
    rules = ["(", ")", "()", "(()", "(+@all", "+@all)", "(%", "(%R", "(%R~", "(%R~)", "%", "%R", "%~", "%RW", "%R~", "%W~",
             "%RWX~a", "%RW~", "(~a (b) c)", "((+get))", "(+get", "clearselectors", "(allkeys +get)(", "~", "&", "+", "-",
             "+@", "-@", "+|", "+get|", "+|get", "+config|", "+config|get|", "+config|no", ">", "<", "#", "!", "#abc",
             "!abc", "(#" + "0" * 64 + ")", "(on)", "(off)", "(nopass)", "(>a)", "( +get ~a )", "(+get  ~a)", "(\t)", "",
             " ", "+@all|get", "+" + "a" * 5000, "%" + "R" * 5000 + "~x", "(" * 3000, "(" + "+get " * 3000 + ")",
             "db=", "db=x", "db=99999", "alldbs", "resetdbs", "(db=1 +get)"]
    with start() as server:
        client = connect(server)
        for index, rule in enumerate(rules):
            for following in ((), ("+get",), ("(+set ~b)",), (")",)):
                reply = client.command("ACL", "SETUSER", f"user{index}", rule, *following)
                expect(reply.kind in ("simple", "error"), f"ACL SETUSER {rule!r} {following}: {show(reply)}")
            client.command("ACL", "GETUSER", f"user{index}")
        generator = random.Random(51741)
        for _ in range(5000):
            rule = "".join(generator.choice("()%RW~&+-@| getall#<>!\0x") for _ in range(generator.randint(0, 14)))
            reply = client.command("ACL", "SETUSER", "random", rule)
            expect(reply.kind in ("simple", "error"), f"ACL SETUSER {rule!r}: {show(reply)} {server.log_tail()}")
            if generator.random() < 0.05:
                client.command("ACL", "DELUSER", "random")
        listed = client.command("ACL", "LIST")
        expect(listed.kind == "array", f"ACL LIST: {show(listed)}")
        expect_alive(server, "malformed selectors")


@check
def forged_sketches() -> None:
    """CVE-2025-32023: run lengths of a HyperLogLog that add up beyond its registers, and other forged ones."""
    head = b"HYLL\x01\0\0\0" + b"\0" * 8
    sketches = [
        head + b"\x7f\xff" * 131073 + b"\x80" * 8, head + b"\x7f\xff" * 131072 + b"\x83" * 100,
        head + b"\x7f\xff\x7f\xff", head + b"\x7f\xff\x80", head + b"\x7f\xff\xff", head + b"\x7f", head + b"\x40",
        head + b"\x3f" * 300, head, head[:10], b"HYLL\x00\0\0\0" + b"\0" * 8 + b"\0" * 12288,
        b"HYLL\x00\0\0\0" + b"\0" * 8 + b"\xff" * 12288, b"HYLL\x00\0\0\0" + b"\0" * 8 + b"\xff" * 12287,
        b"HYLL\x02\0\0\0" + b"\0" * 8, b"HYLL\x01\0\0\0" + b"\0" * 7 + b"\x80" + b"\x7f\xff" * 131073,
        head + b"\x7f\xfe\x80\x80" * 40, b"HYLL\x01" + b"\xff" * 11 + b"\x7f\xff",
    ]
    with start() as server:
        client = connect(server)
        generator = random.Random(32023)
        real = []
        for count in (1, 20, 400):
            client.command("DEL", "real")
            client.command("PFADD", "real", *[f"{count}:{number}" for number in range(count)])
            real.append(client.command("GET", "real").text())
        for _ in range(500):
            forged = bytearray(generator.choice(real))
            for _ in range(generator.randint(1, 6)):
                forged[generator.randrange(len(forged))] = generator.randrange(256)
            sketches.append(bytes(forged[:generator.randint(1, len(forged))] if generator.random() < 0.3 else forged))
        for sketch in sketches:
            for command in (("PFCOUNT", "h"), ("PFADD", "h", "a", "b", "c"), ("PFCOUNT", "h", "other"),
                            ("PFMERGE", "h2", "h", "other"), ("PFMERGE", "h", "other"),
                            ("PFDEBUG", "GETREG", "h"), ("PFDEBUG", "DECODE", "h")):
                client.command("SET", "h", sketch)
                reply = client.command(*command)
                expect(reply.kind not in ("closed", "timeout"), f"{command} on {sketch[:60]!r}: {reply.kind} "
                                                                f"{server.log_tail()}")
        expect_alive(server, "forged sketches")


@check
def patterns_that_explode() -> None:
    """CVE-2022-36021: `*a*a*a*...b` against a long run of `a`, at every door that takes a pattern."""
    with start() as server:
        client = connect(server, 20)
        name = "a" * 4000
        pattern = "*a" * 900 + "b"
        client.command("SET", name, "1")
        client.command("HSET", "hash", name, "1")
        client.command("SADD", "set", name)
        subscriber = connect(server)
        subscriber.command("PSUBSCRIBE", pattern)
        client.command("ACL", "SETUSER", "low", "on", "nopass", "+@all", f"~{pattern}", f"&{pattern}")
        for command in (("KEYS", pattern), ("SCAN", "0", "MATCH", pattern, "COUNT", "1000"),
                        ("HSCAN", "hash", "0", "MATCH", pattern), ("SSCAN", "set", "0", "MATCH", pattern),
                        ("CONFIG", "GET", pattern), ("PUBLISH", name, "x"), ("PUBSUB", "CHANNELS", pattern),
                        ("ACL", "DRYRUN", "low", "GET", name), ("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern),
                        ("FUNCTION", "LIST", "LIBRARYNAME", pattern),
                        ("DEBUG", "STRINGMATCH-LEN", "4000", pattern)):
            started = time.monotonic()
            reply = client.command(*command)
            expect(reply.kind not in ("closed", "timeout"), f"{command[0]}: {reply.kind}")
            expect(time.monotonic() - started < 1.0, f"{command[0]}: {time.monotonic() - started:.2f} s")
        expect_alive(server, "patterns that explode")


@check
def clients_that_end_while_they_wait() -> None:
    """CVE-2026-23479: clients freed while blocked, while served, by their own command, in transactions and scripts."""
    waits = (("BLPOP", "l", "0"), ("BLMOVE", "l", "m", "LEFT", "RIGHT", "0"), ("BZPOPMIN", "z", "0"),
             ("BRPOPLPUSH", "l", "l", "0"), ("XREAD", "BLOCK", "0", "STREAMS", "s", "$"),
             ("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"), ("WAITAOF", "0", "0", "100000"),
             ("BLMPOP", "0", "2", "l", "k", "LEFT"), ("BZMPOP", "0", "1", "z", "MIN"))
    with start() as server:
        admin = connect(server, 20)
        admin.command("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        generator = random.Random(23479)
        for round_ in range(400):
            client = connect(server, 20)
            identifier = client.command("CLIENT", "ID").text()
            wait = generator.choice(waits)
            if generator.random() < 0.3:
                client.command("CLIENT", "TRACKING", "ON", "BCAST" if generator.random() < 0.5 else "NOLOOP")
                client.command("WATCH", "l", "z")
            client.send_raw(encode(*wait) + encode("PING") * generator.randint(0, 3))
            kill = encode("CLIENT", "KILL", "ID", identifier)
            serve = [encode("RPUSH", "l", "1", "2"), encode("ZADD", "z", "1", "a"), encode("XADD", "s", "*", "a", "b"),
                     encode("DEL", "s"), encode("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"), encode("DEL", "l", "z"),
                     encode("CLIENT", "UNBLOCK", identifier, "ERROR"), encode("CLIENT", "UNBLOCK", identifier),
                     encode("FLUSHALL"), encode("EVAL", "redis.call('rpush', 'l', 1) redis.call('zadd', 'z', 1, 'b')", "0")]
            generator.shuffle(serve)
            ways = [encode("MULTI") + serve[0] + kill + serve[1] + encode("EXEC"), kill + serve[0], serve[0] + kill,
                    b"".join(serve[:4]) + kill, serve[0] + serve[1]]
            way = generator.choice(ways)
            admin.send_raw(way + encode("ECHO", "mark"))
            while (reply := admin.read_any(20)) != bulk(b"mark"):
                expect(reply.kind not in ("closed", "timeout"), f"{wait} then {way!r}: {reply.kind} {server.log_tail()}")
            client.close()
        # A client that kills itself, at every place.
        for commands in ((("CLIENT", "KILL", "ID", "self"), ("PING",)),
                         (("MULTI",), ("SET", "x", "1"), ("CLIENT", "KILL", "ID", "self"), ("EXEC",), ("PING",)),
                         (("SUBSCRIBE", "c"), ("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "no")),
                         (("MONITOR",), ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")),
                         (("ACL", "SETUSER", "own", "on", "nopass", "+@all", "~*"), ("AUTH", "own", "x"),
                          ("ACL", "DELUSER", "own"), ("PING",)),
                         (("ACL", "SETUSER", "own", "on", "nopass", "+@all", "~*", "&*"), ("AUTH", "own", "x"),
                          ("MULTI",), ("ACL", "DELUSER", "own"), ("SET", "y", "1"), ("EXEC",), ("PING",)),
                         (("CLIENT", "TRACKING", "ON", "REDIRECT", "self"), ("GET", "x"),
                          ("CLIENT", "KILL", "ID", "self"), ("SET", "x", "1"))):
            client = connect(server, 3)
            own = client.command("CLIENT", "ID").text()
            client.send_raw(b"".join(encode(*[own if part == "self" else part for part in command])
                                     for command in commands))
            for _ in range(len(commands) + 3):
                if client.read_any(0.3).kind in ("closed", "timeout"):
                    break
            client.close()
            expect_alive(server, f"{commands}")
        # Clients that are paused, and that run a script, when they are killed.
        admin.command("CLIENT", "PAUSE", "300")
        paused = connect(server, 20)
        paused.send("SET", "x", "1")
        time.sleep(0.05)
        admin.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        paused.close()
        time.sleep(0.4)
        expect_alive(server, "clients that end")


@check
def random_ends_under_load() -> None:
    """The same with many clients at once on all loops: whoever ends whom, the server stays whole."""
    with start("--maxmemory-clients", "2mb") as server:
        stop = time.monotonic() + 6

        def disturb(seed: int) -> None:
            generator = random.Random(seed)
            while time.monotonic() < stop:
                try:
                    client = Connection(server.port, timeout_seconds=1)
                    for _ in range(generator.randint(1, 12)):
                        command = generator.choice((
                            ("BLPOP", "l", "0.05"), ("RPUSH", "l", "x" * generator.randint(1, 5000)), ("SUBSCRIBE", "c"),
                            ("PUBLISH", "c", "x" * 2000), ("SSUBSCRIBE", "c"), ("SPUBLISH", "c", "m"), ("MULTI",), ("EXEC",),
                            ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), ("CLIENT", "KILL", "TYPE", "pubsub"),
                            ("CLIENT", "TRACKING", "ON"), ("GET", "k"), ("SET", "k", "v"), ("WATCH", "k"),
                            ("BZPOPMIN", "z", "0.02"), ("ZADD", "z", "1", "a"), ("FLUSHALL",), ("MONITOR",),
                            ("EVAL", "redis.call('publish', 'c', 'x') return redis.call('rpush', 'l', 1)", "0"),
                            ("CLIENT", "LIST"), ("CLIENT", "REPLY", "SKIP"), ("RESET",), ("HELLO", "3"),
                            ("CLIENT", "UNBLOCK", str(generator.randint(1, 500))), ("QUIT",)))
                        client.send(*command)
                        if generator.random() < 0.6:
                            client.read_any(0.05)
                    client.close()
                except OSError:
                    pass

        threads = [threading.Thread(target=disturb, args=(seed,)) for seed in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect_alive(server, "random ends")


@check
def secrets_stay_secret() -> None:
    """Passwords are in no MONITOR line, no slow log entry, no latency or error text, no CLIENT LIST."""
    with start("--slowlog-log-slower-than", "0", "--slowlog-max-len", "1000") as server:
        monitor = connect(server, 2)
        monitor.command("MONITOR")
        client = connect(server)
        secret = "s3cr3t-word"
        digest = "d" * 64
        commands = (
            ("AUTH", secret), ("AUTH", "user", secret), ("HELLO", "3", "AUTH", "default", secret),
            ("HELLO", "2", "SETNAME", "n", "AUTH", "default", secret),
            ("ACL", "SETUSER", "a", "on", f">{secret}"), ("ACL", "SETUSER", "a", f"<{secret}"),
            ("ACL", "SETUSER", "a", f"#{digest}"), ("ACL", "SETUSER", "a", f"(>{secret})"),
            ("CONFIG", "SET", "requirepass", secret), ("AUTH", secret), ("CONFIG", "SET", "masterauth", secret),
            ("CONFIG", "SET", "maxclients", "5000", "masterauth", secret),
            ("CONFIG", "SET", "tls-key-file-pass", secret), ("MIGRATE", "h", "1", "k", "0", "1", "AUTH", secret),
            ("MIGRATE", "h", "1", "k", "0", "1", "AUTH2", "u", secret), ("auth", secret), ("Acl", "SetUser", "b", f">{secret}"),
            ("MULTI",), ("ACL", "SETUSER", "d", f">{secret}"), ("CONFIG", "SET", "masteruser", "u"), ("EXEC",),
            ("CONFIG", "SET", "requirepass", ""),
        )
        for command in commands:
            client.command(*command)
        client.command("ECHO", "the-end")
        seen = b""
        while b"the-end" not in seen:
            reply = monitor.read_any(2)
            expect(reply.kind == "simple", f"MONITOR: {reply.kind}")
            seen += reply.text() + b"\n"
        for word in (secret.encode(), digest.encode()):
            for where, text in (("MONITOR", seen),
                                ("SLOWLOG GET", show(client.command("SLOWLOG", "GET", "-1"), 10_000).encode()),
                                ("COMMANDLOG GET", show(client.command("COMMANDLOG", "GET", "-1", "slow"), 9999).encode()),
                                ("COMMANDLOG GET", show(client.command("COMMANDLOG", "GET", "-1", "large-request"),
                                                        9999).encode()),
                                ("ACL LOG", show(client.command("ACL", "LOG"), 9999).encode()),
                                ("INFO", client.command("INFO", "everything").text()),
                                ("CLIENT LIST", client.command("CLIENT", "LIST").text()),
                                ("the log", server.log_path.read_bytes())):
                expect(word not in text, f"{where} shows {word.decode()}: {text[max(0, text.find(word) - 100):][:200]!r}")


# The command line

def main() -> int:
    global LOOPS
    parser = argparse.ArgumentParser(description="Attack the server; it must stay whole.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--io-threads", type=int, default=LOOPS)
    options = parser.parse_args()
    LOOPS = options.io_threads
    if options.list:
        print("\n".join(f"{name}: {(function.__doc__ or '').splitlines()[0]}" for name, function in CHECKS.items()))
        return 0
    chosen = {name: function for name, function in CHECKS.items()
              if not options.names or any(word in name for word in options.names)}
    if not chosen:
        sys.exit(f"no check is called {' '.join(options.names)}")
    failed = 0
    for name, function in chosen.items():
        started = time.monotonic()
        try:
            function()
            verdict = "ok"
        except Failed as problem:
            verdict = f"FAILED: {problem}"
            failed += 1
        print(f"{name:<40} {time.monotonic() - started:5.1f} s  {verdict}", flush=True)
    print(f"{len(chosen) - failed} ok, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
