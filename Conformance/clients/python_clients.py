"""redis-py and valkey-py as applications use them: pools, pipelines, iteration, locks, transactions, async, hiredis."""
from __future__ import annotations

import asyncio
import importlib
import threading
import time
from types import ModuleType
from typing import Any, Iterator

import hiredis

from clients.checks import Context, check

MODULES = ("redis", "valkey")


def connect(module: ModuleType, context: Context, protocol: int, **options: Any) -> Any:
    """A client of either library."""
    kind = module.Redis if module.__name__ == "redis" else module.Valkey
    return kind(port=context.server.port, protocol=protocol, **options)


def clients(context: Context, **options: Any) -> Iterator[Any]:
    """Each library in each protocol, with an empty server."""
    for name in MODULES:
        module = importlib.import_module(name)
        for protocol in (2, 3):
            client = connect(module, context, protocol, **options)
            client.flushall()
            yield client
            client.close()


@check("set", "get")
def connects_and_stores(context: Context) -> None:
    """A client connects, names itself, stores and reads back, in both protocols."""
    for client in clients(context, client_name="acceptance"):
        assert client.ping()
        assert client.set("key", b"\x00\xff\r\n value", ex=100)
        assert client.get("key") == b"\x00\xff\r\n value"
        assert 0 < client.ttl("key") <= 100
        assert client.client_getname() in (b"acceptance", "acceptance")
        assert client.get("nothing") is None
        assert client.incrby("number", 41) == 41 and client.incrbyfloat("number", 0.5) == 41.5
        assert client.mset({"a": 1, "b": 2}) and client.mget("a", "b", "c") == [b"1", b"2", None]
        assert client.delete("a", "b", "c") == 2


@check("set", "get")
def connects_by_url(context: Context) -> None:
    """A URL with a database number and decoded replies."""
    for name in MODULES:
        module = importlib.import_module(name)
        client = module.from_url(f"{name}://127.0.0.1:{context.server.port}/5?decode_responses=True")
        client.set("in five", "ü")
        assert client.get("in five") == "ü"
        assert client.info("keyspace")["db5"]["keys"] == 1
        client.flushall()


@check("set", "incr", "mget")
def pipelines(context: Context) -> None:
    """A pipeline of thousands, with an error amid it that spoils nothing else."""
    for client in clients(context):
        with client.pipeline(transaction=False) as pipe:
            for number in range(5000):
                pipe.set(f"key:{number}", number)
            assert all(pipe.execute())
        with client.pipeline(transaction=False) as pipe:
            pipe.set("text", "words").incr("text").get("text")
            replies = pipe.execute(raise_on_error=False)
        assert replies[0] is True and replies[2] == b"words"
        assert "not an integer" in str(replies[1])
        assert client.dbsize() == 5001


@check("multi", "exec", "watch")
def transactions(context: Context) -> None:
    """WATCH, MULTI and EXEC: the check-and-set recipe, with a rival."""
    for client in clients(context):
        module = importlib.import_module(type(client).__module__.partition(".")[0])
        client.set("counter", 1)
        with client.pipeline() as pipe:
            pipe.watch("counter")
            value = int(pipe.get("counter"))
            client.incr("counter")
            pipe.multi()
            pipe.set("counter", value + 10)
            try:
                pipe.execute()
                raise AssertionError("EXEC went through though a watched key had changed")
            except module.WatchError:
                pass
        def add(pipe: Any) -> None:
            value = int(pipe.get("counter"))
            pipe.multi()
            pipe.set("counter", value + 1)
        assert client.transaction(add, "counter") == [True] and client.get("counter") == b"3"


@check("scan", "mset")
def iterates(context: Context) -> None:
    """scan_iter finds every key exactly as many times as there are, with a pattern and with a type."""
    for client in clients(context):
        client.mset({f"user:{number}": number for number in range(3000)})
        client.mset({f"other:{number}": number for number in range(200)})
        assert set(client.scan_iter("user:*", count=100)) == {b"user:%d" % number for number in range(3000)}
        assert len(set(client.scan_iter(_type="string"))) == 3200
        assert not list(client.scan_iter(_type="list"))


@check("eval", "evalsha", "script|load")
def locks(context: Context) -> None:
    """The lock recipe: taken once, refused to others, extended, released."""
    for client in clients(context):
        lock = client.lock("lock", timeout=5)
        assert lock.acquire(blocking=False)
        assert not client.lock("lock", timeout=5).acquire(blocking=False)
        assert lock.extend(5) and lock.owned()
        lock.release()
        with client.lock("lock", timeout=5, blocking_timeout=2):
            assert client.exists("lock")
        assert not client.exists("lock")


@check("set", "getdel")
def locks_without_scripts(context: Context) -> None:
    """The lock by SET NX PX that many applications write themselves."""
    for client in clients(context):
        assert client.set("lock", "me", nx=True, px=5000)
        assert client.set("lock", "you", nx=True, px=5000) is None
        assert client.getdel("lock") == b"me"
        assert client.set("lock", "you", nx=True, px=30)
        time.sleep(0.06)
        assert client.set("lock", "me", nx=True, px=5000)


@check("info", "config|get", "client|list", "command|docs")
def parses_server_replies(context: Context) -> None:
    """INFO, CONFIG, CLIENT LIST, SLOWLOG, MEMORY, COMMAND: what the libraries turn into dictionaries."""
    for client in clients(context, decode_responses=True):
        client.set("k", "v")
        info = client.info()
        assert info["redis_version"] and info["process_id"] == context.server.pid and info["db0"]["keys"] == 1
        assert client.config_get("maxmemory*")["maxmemory-policy"] == "noeviction"
        assert client.config_set("timeout", 0)
        assert client.client_list()[0]["addr"] and client.client_info()["name"] is not None
        assert isinstance(client.client_id(), int)
        assert client.command_count() > 50 and "get" in client.command()
        assert client.object("encoding", "k") == "embstr" and client.memory_usage("k") > 0
        assert len(client.time()) == 2 and client.lastsave() is not None
        assert isinstance(client.slowlog_get(), list) and client.echo("x") == "x"


@check("set", "get")
def many_threads(context: Context) -> None:
    """Sixteen threads share a pool of connections and lose nothing."""
    for client in clients(context, max_connections=16):
        def work(client: Any = client) -> None:
            for _ in range(200):
                client.incr("shared")
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.get("shared") == b"3200"


@check("set", "get")
def asynchronous(context: Context) -> None:
    """The asyncio clients, with a hundred requests under way at once."""
    async def work(name: str, protocol: int) -> None:
        module = importlib.import_module(f"{name}.asyncio")
        kind = module.Redis if name == "redis" else module.Valkey
        client = kind(port=context.server.port, protocol=protocol)
        await client.flushall()
        await asyncio.gather(*[client.set(f"key:{number}", number) for number in range(100)])
        assert await client.get("key:42") == b"42"
        assert len([key async for key in client.scan_iter("key:*")]) == 100
        await client.aclose()
    for name in MODULES:
        for protocol in (2, 3):
            asyncio.run(work(name, protocol))


@check("set", "get")
def big_values(context: Context) -> None:
    """A value of 20 MB goes there and back."""
    for client in clients(context):
        value = bytes(range(256)) * 80_000
        client.set("big", value)
        assert client.strlen("big") == len(value) and client.get("big") == value


@check("set", "get")
def wrong_use_raises(context: Context) -> None:
    """Errors arrive as the exceptions that applications catch."""
    for client in clients(context):
        module = importlib.import_module(type(client).__module__.partition(".")[0])
        for line in (("NOSUCHCOMMAND",), ("GET",), ("SET", "k", "v", "EX", "abc"), ("SELECT", "99")):
            try:
                client.execute_command(*line)
                raise AssertionError(f"{line} was accepted")
            except module.ResponseError:
                pass
        try:
            connect(module, context, 2, password="wrong").ping()
            raise AssertionError("a password was accepted where none is set")
        except (module.AuthenticationError, module.ResponseError):
            pass


@check("set", "get")
def hiredis_reader(context: Context) -> None:
    """The hiredis parser reads raw replies fed to it in pieces."""
    connection = context.server.connect(3)
    connection.send_raw(b"SET k v\r\nGET k\r\nGET none\r\nPING\r\nNOSUCH\r\nMGET k none\r\n"
                        b"CONFIG GET maxmemory\r\nINFO server\r\n")
    data, _ = connection.read_to_end(0.5)
    connection.close()
    reader = hiredis.Reader()
    replies = []
    for index in range(0, len(data), 7):
        reader.feed(data[index:index + 7])
        while True:
            reply = reader.gets()
            if reply is False:
                break
            replies.append(reply)
    assert replies[0] == b"OK" and replies[1] == b"v" and replies[2] is None and replies[3] == b"PONG"
    assert isinstance(replies[4], hiredis.ReplyError) and replies[5] == [b"v", None]
    assert len(replies) == 8 and b"redis_version" in bytes(replies[7])
