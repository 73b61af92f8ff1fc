// CLua.h - the C edge to the Lua interpreter. Lua raises errors by longjmp, and no Swift frame may ever lie between a
// raise and its protected call; so everything that can raise lives in this target. Swift starts a script, lends it
// callbacks that return before anything is raised, and gets a plain status back.
// A script runs on a stack of its own: when it has run for too long it leaves that stack in the middle of things, and
// Swift sees a call that returned "paused", to be continued later. One thread at a time (the engine's turn).
#ifndef FOG_CLUA_H
#define FOG_CLUA_H
#include <stddef.h>
#include <stdint.h>

/// Bytes somewhere else. Laid out as RESP's `ArgumentSlice`, so that a command's words need no copy.
typedef struct {
    const uint8_t *base;
    size_t count;
} fog_slice;

/// An interpreter with its libraries.
typedef struct fog_lua fog_lua;

/// What scripts see: EVAL's world, or that of FUNCTION's libraries.
enum { FOG_LUA_SCRIPTS = 0, FOG_LUA_FUNCTIONS = 1 };

/// How running ended.
enum { FOG_LUA_DONE = 0, FOG_LUA_FAILED = 1, FOG_LUA_PAUSED = 2 };

/// Flags of scripts and functions.
enum {
    FOG_SCRIPT_NO_WRITES = 1,
    FOG_SCRIPT_ALLOW_OOM = 2,
    FOG_SCRIPT_ALLOW_STALE = 4,
    FOG_SCRIPT_NO_CLUSTER = 8,
    FOG_SCRIPT_ALLOW_CROSS_SLOT = 16
};

/// A function that a library registers.
typedef struct {
    fog_slice name;
    fog_slice description;
    int hasDescription;
    int flags;
    /// Its handle.
    int function;
} fog_function;

/// Swift's side. Every callback returns before anything can be raised.
typedef struct {
    void *context;
    /// Runs a command and answers with its reply's bytes, valid until the next call, and with the tick it ended at.
    fog_slice (*command)(
        void *context, const fog_slice *words, size_t count, int protocol, uint64_t *endTicks);
    /// Adds bytes to the script's reply.
    void (*append)(void *context, const uint8_t *bytes, size_t count);
    /// Adds a number as a RESP double to the script's reply.
    void (*appendDouble)(void *context, double value);
    void (*log)(void *context, int level, const uint8_t *bytes, size_t count);
    /// Whether the user may run the command: 1, 0, or -1 when there is no such command.
    int (*permits)(void *context, const fog_slice *words, size_t count);
    /// Registers a library's function: NULL, or the words of the refusal.
    const char *(*enlist)(void *context, const fog_function *function);
    /// redis.set_repl: 1 the append-only file, 2 replicas, 3 both, 0 neither get the commands that follow.
    void (*propagate)(void *context, int targets);
    /// A clock in ticks.
    uint64_t (*ticks)(void);
} fog_host;

/// What to run.
typedef struct {
    int function;
    const fog_slice *keys;
    size_t keyCount;
    const fog_slice *arguments;
    size_t argumentCount;
    /// Of the client: 2 or 3.
    int protocol;
} fog_run;

/// What went wrong, valid until the interpreter runs again.
typedef struct {
    fog_slice message;
    /// Chunk and line; no line when `line` is below 0.
    fog_slice source;
    int line;
    /// The error came from a command, which counted it already; also of one that a script returns.
    int isCounted;
} fog_failure;

/// A new interpreter, or NULL when memory is short. `byteCountMax` bounds what its scripts hold together.
/// `showsDeprecated`: scripts see newproxy, getfenv and setfenv as well.
fog_lua *fog_lua_new(
    const fog_host *host, int kind, size_t byteCountMax, const char *version, uint32_t versionNumber,
    int showsDeprecated);
void fog_lua_free(fog_lua *lua);

/// Compiles a script: its handle, or -1 with `failure` filled.
int fog_lua_compile(fog_lua *lua, fog_slice text, const char *chunk, fog_failure *failure);
/// Drops a compiled script or function.
void fog_lua_forget(fog_lua *lua, int function);

/// Tick counts from which a running script is slow: from `pauseTicks` after now it leaves its stack.
void fog_lua_set_pause(fog_lua *lua, uint64_t deadlineTicks);
/// Instead of pausing, the script fails with these words when its time has come. NULL: it pauses.
void fog_lua_set_timeout_error(fog_lua *lua, const char *words);

/// Runs a script, or goes on with it after FOG_LUA_PAUSED. `context` is what callbacks get.
int fog_lua_start(fog_lua *lua, const fog_run *run, void *context, fog_failure *failure);
int fog_lua_continue(fog_lua *lua, void *context, fog_failure *failure);
/// Runs a library's main chunk, in which it registers functions.
int fog_lua_load_library(fog_lua *lua, int function, void *context, fog_failure *failure);
/// The paused script fails with these words when it goes on, whatever it does to catch errors.
void fog_lua_kill(fog_lua *lua, const char *words);

/// Bytes that the interpreter holds.
size_t fog_lua_byte_count(const fog_lua *lua);
/// Collects all garbage.
void fog_lua_collect(fog_lua *lua);

#endif
