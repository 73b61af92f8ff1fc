// Interpreter.c - one Lua state: its memory, its runs, its clock. Whatever Swift asks for is done by `perform` inside a
// protected call on the script's own stack; the functions that Swift calls raise nothing.
#include "Interpreter.h"
#include <stdlib.h>
#include <string.h>

/// Room for the deepest nesting that Lua allows (200 C calls, some with 8 KiB buffers) and a command at its bottom.
/// Only pages that were touched exist.
static const size_t stackByteCount = 8u << 20;
/// Instructions between two looks at the clock: some tens of microseconds.
static const int instructionsPerLook = 5000;
/// An error's words beyond this are cut off.
static const size_t messageByteCountMax = 64u << 10;

// MARK: memory

/// Free blocks of one size that are kept; more go back to the heap. All classes together hold about 1 MiB at most.
static const unsigned freeBlocksMax = 512;

/// A script makes and drops the same few small blocks again and again. Every block is the heap's own, so that lists
/// may be shortened at any time. 0: too large for a list.
static size_t block_class(size_t count) {
    size_t class = (count + 15) / 16;
    return class <= FOG_BLOCK_CLASSES ? class : 0;
}

static void *take_block(fog_lua *lua, size_t count) {
    size_t class = block_class(count);
    if (class == 0) return malloc(count);
    void *block = lua->freeBlocks[class];
    if (block == NULL) return malloc(class * 16);
    memcpy(&lua->freeBlocks[class], block, sizeof(void *));
    lua->freeBlockCounts[class]--;
    return block;
}

static void give_block(fog_lua *lua, void *block, size_t count) {
    size_t class = block_class(count);
    if (class == 0 || block == NULL || lua->freeBlockCounts[class] >= freeBlocksMax) {
        free(block);
        return;
    }
    memcpy(block, &lua->freeBlocks[class], sizeof(void *));
    lua->freeBlocks[class] = block;
    lua->freeBlockCounts[class]++;
}

static void free_blocks(fog_lua *lua) {
    for (size_t class = 1; class <= FOG_BLOCK_CLASSES; class++) {
        while (lua->freeBlocks[class] != NULL) free(take_block(lua, class * 16));
    }
}

/// A block of another size with the old one's bytes; NULL, and the old block as it was, when there is none.
static void *resize_block(fog_lua *lua, void *memory, size_t oldCount, size_t newCount) {
    size_t oldClass = block_class(oldCount);
    size_t newClass = block_class(newCount);
    if (oldClass == 0 && newClass == 0) return realloc(memory, newCount);
    if (oldClass == newClass) return memory;
    void *result = take_block(lua, newCount);
    if (result == NULL) return NULL;
    memcpy(result, memory, oldCount < newCount ? oldCount : newCount);
    give_block(lua, memory, oldCount);
    return result;
}

static void *allocate(void *context, void *memory, size_t oldCount, size_t newCount) {
    fog_lua *lua = context;
    if (memory == NULL) oldCount = 0;
    if (newCount == 0) {
        give_block(lua, memory, oldCount);
        lua->byteCount -= oldCount;
        return NULL;
    }
    if (newCount > oldCount && newCount - oldCount > lua->byteCountMax - lua->byteCount) {
        lua->isOutOfMemory = 1;
        return NULL;
    }
    void *result = memory == NULL ? take_block(lua, newCount) : resize_block(lua, memory, oldCount, newCount);
    if (result == NULL && newCount <= oldCount) result = memory; // shrinking must not fail
    if (result == NULL) {
        lua->isOutOfMemory = 1;
        return NULL;
    }
    lua->byteCount = lua->byteCount - oldCount + newCount;
    return result;
}

size_t fog_lua_byte_count(const fog_lua *lua) { return lua->byteCount; }

// MARK: what a run may not outlast

static void raise_final(lua_State *L, const char *words) {
    fog_push_error(L, words, strlen(words));
    lua_error(L);
}

void fog_rethrow_final(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    if (lua->killWords != NULL || lua->isOutOfMemory) lua_error(L);
}

/// Lua starts collecting when memory has doubled; near the bound that would be too late.
static void look_at_memory(lua_State *L, fog_lua *lua) {
    if (lua->byteCount < lua->byteCountMax / 2) return;
    if (lua->byteCount - lua->collectedByteCount < lua->byteCountMax / 8 && lua->byteCount > lua->collectedByteCount) {
        return;
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua->collectedByteCount = lua->byteCount;
}

void fog_pause_point(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    if (lua->killWords != NULL) raise_final(L, lua->killWords);
    look_at_memory(L, lua);
    if (lua->host.ticks() < lua->deadlineTicks) return;
    if (lua->timeoutWords != NULL) {
        lua->killWords = lua->timeoutWords;
        raise_final(L, lua->killWords);
    }
    lua->outcome = FOG_LUA_PAUSED;
    fog_stack_leave(&lua->stack);
    if (lua->killWords != NULL) raise_final(L, lua->killWords);
}

static void hook(lua_State *L, lua_Debug *record) {
    (void)record;
    fog_pause_point(L);
}

// MARK: errors

/// Turns whatever was raised into a table {err, source, line}.
static int handle_error(lua_State *L) {
    lua_Debug record;
    memset(&record, 0, sizeof record);
    int isKnown = lua_getstack(L, 1, &record) && lua_getinfo(L, "Sl", &record);
    if (isKnown && record.what != NULL && record.what[0] == 'C') {
        isKnown = lua_getstack(L, 2, &record) && lua_getinfo(L, "Sl", &record);
    }
    lua_settop(L, 1);
    if (!lua_istable(L, 1)) {
        // What `tostring` says, without a metamethod's help.
        if (!lua_isstring(L, 1)) {
            if (lua_isboolean(L, 1)) {
                lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
            } else if (lua_isnil(L, 1)) {
                lua_pushliteral(L, "nil");
            } else {
                lua_pushfstring(L, "%s: %p", luaL_typename(L, 1), lua_topointer(L, 1));
            }
            lua_replace(L, 1);
        }
        lua_pushliteral(L, "ERR ");
        lua_pushvalue(L, 1);
        lua_concat(L, 2);
        lua_createtable(L, 0, 3);
        lua_pushliteral(L, "err");
        lua_pushvalue(L, 2);
        lua_rawset(L, -3);
        lua_replace(L, 1);
        lua_settop(L, 1);
    }
    if (isKnown && !fog_unshield(L, 1)) {
        lua_pushliteral(L, "source");
        lua_pushstring(L, record.source != NULL ? record.source : "");
        lua_rawset(L, 1);
        lua_pushliteral(L, "line");
        lua_pushnumber(L, record.currentline);
        lua_rawset(L, 1);
    }
    lua_settop(L, 1);
    return 1;
}

/// Copies the words of an error out of Lua. Never raises: what it reads exists already.
static void keep_message(fog_lua *lua, const char *prefix, const char *words, size_t count) {
    size_t prefixCount = strlen(prefix);
    if (count > messageByteCountMax) count = messageByteCountMax;
    free(lua->message);
    lua->messageByteCount = 0;
    lua->message = malloc(prefixCount + count + 1);
    if (lua->message == NULL) return;
    memcpy(lua->message, prefix, prefixCount);
    if (count > 0) memcpy(lua->message + prefixCount, words, count);
    lua->messageByteCount = prefixCount + count;
}

static void keep_literal(fog_lua *lua, const char *words) { keep_message(lua, "", words, strlen(words)); }

/// The error value at the top of the stack becomes the run's failure.
static void keep_failure(lua_State *L, fog_lua *lua) {
    lua->outcome = FOG_LUA_FAILED;
    lua->line = -1;
    lua->source[0] = 0;
    lua->isCounted = 0;
    size_t count = 0;
    if (!lua_istable(L, -1)) {
        const char *words = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &count) : NULL;
        if (words == NULL) return keep_literal(lua, "ERR unknown error");
        return keep_message(lua, "ERR ", words, count);
    }
    int table = lua_gettop(L);
    lua_pushliteral(L, "err");
    lua_rawget(L, table);
    const char *words = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &count) : NULL;
    if (words == NULL) {
        keep_literal(lua, "ERR unknown error");
    } else {
        keep_message(lua, "", words, count);
    }
    lua_pushliteral(L, "source");
    lua_rawget(L, table);
    lua_pushliteral(L, "line");
    lua_rawget(L, table);
    if (lua_type(L, -2) == LUA_TSTRING && lua_isnumber(L, -1)) {
        strncpy(lua->source, lua_tostring(L, -2), sizeof lua->source - 1);
        lua->source[sizeof lua->source - 1] = 0;
        lua->line = (int)lua_tonumber(L, -1);
    }
    lua_pushliteral(L, "ignore_error_stats_update");
    lua_rawget(L, table);
    lua->isCounted = lua_toboolean(L, -1);
    lua_settop(L, table);
}

// MARK: tasks

static void push_words(lua_State *L, const fog_slice *words, size_t count) {
    lua_createtable(L, count < 1 << 20 ? (int)count : 0, 0);
    for (size_t index = 0; index < count; index++) {
        lua_pushlstring(L, (const char *)words[index].base, words[index].count);
        lua_rawseti(L, -2, (int)index + 1);
    }
}

static void run_script(lua_State *L, fog_lua *lua) {
    const fog_run *run = lua->run;
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->errorHandler);
    int handler = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->function);
    int argumentCount = 0;
    if (lua->kind == FOG_LUA_SCRIPTS) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, lua->globals);
        lua_pushliteral(L, "KEYS");
        push_words(L, run->keys, run->keyCount);
        lua_rawset(L, -3);
        lua_pushliteral(L, "ARGV");
        push_words(L, run->arguments, run->argumentCount);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    } else {
        push_words(L, run->keys, run->keyCount);
        push_words(L, run->arguments, run->argumentCount);
        argumentCount = 2;
    }
    if (lua_pcall(L, argumentCount, 1, handler) != 0) return keep_failure(L, lua);
    if (lua_istable(L, -1)) {
        // The error of a command that redis.pcall caught and the script hands on.
        lua_pushliteral(L, "ignore_error_stats_update");
        lua_rawget(L, -2);
        lua->isCounted = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    fog_write_reply(L);
    lua->outcome = FOG_LUA_DONE;
}

/// Which `redis` table the library's globals show.
static void show_globals(lua_State *L, fog_lua *lua, int reference) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->globalsShieldMeta);
    lua_pushliteral(L, "__index");
    lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void load_library(lua_State *L, fog_lua *lua) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->errorHandler);
    int handler = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lua->function);
    show_globals(L, lua, lua->loadGlobals);
    lua->isLoadingLibrary = 1;
    int status = lua_pcall(L, 0, 0, handler);
    lua->isLoadingLibrary = 0;
    show_globals(L, lua, lua->runGlobals);
    if (status != 0) return keep_failure(L, lua);
    lua->outcome = FOG_LUA_DONE;
}

static void compile(lua_State *L, fog_lua *lua) {
    const char *text = (const char *)lua->text.base;
    lua->function = LUA_NOREF;
    if (lua->text.count > 0 && text[0] == LUA_SIGNATURE[0]) {
        lua->outcome = FOG_LUA_FAILED;
        lua_pushfstring(L, "%s:1: unexpected symbol near 'char(27)'", lua->chunk + 1);
        return keep_message(lua, "", lua_tostring(L, -1), lua_objlen(L, -1));
    }
    // Nothing may be collected while the parser holds what it has not anchored yet.
    lua_gc(L, LUA_GCSTOP, 0);
    int status = luaL_loadbuffer(L, text, lua->text.count, lua->chunk);
    lua_gc(L, LUA_GCRESTART, 0);
    if (status != 0) {
        lua->outcome = FOG_LUA_FAILED;
        size_t count = 0;
        const char *words = lua_tolstring(L, -1, &count);
        return keep_message(lua, "", words != NULL ? words : "unknown error", words != NULL ? count : 13);
    }
    lua->function = luaL_ref(L, LUA_REGISTRYINDEX);
    lua->outcome = FOG_LUA_DONE;
}

static int perform(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    switch (lua->task) {
    case FOG_TASK_SCRIPT: run_script(L, lua); break;
    case FOG_TASK_LIBRARY: load_library(L, lua); break;
    case FOG_TASK_COMPILE: compile(L, lua); break;
    case FOG_TASK_FORGET: luaL_unref(L, LUA_REGISTRYINDEX, lua->function); break;
    case FOG_TASK_COLLECT: lua_gc(L, LUA_GCCOLLECT, 0); break;
    }
    return 0;
}

/// The first frame on the script's stack.
static void enter(void *argument) {
    fog_lua *lua = argument;
    lua_State *L = lua->state;
    // `perform` lies at the bottom of the Lua stack, so that calling it allocates nothing.
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 0, 0) != 0) {
        keep_failure(L, lua);
        // Memory ran out outside of the script itself, say while its reply was written.
        if (lua->isLoadingLibrary) lua->isLoadingLibrary = 0;
    }
    lua_settop(L, 1);
    fog_stack_leave(&lua->stack);
}

static int finish(fog_lua *lua, fog_failure *failure) {
    if (lua->outcome == FOG_LUA_FAILED && failure != NULL) {
        failure->message = (fog_slice){(const uint8_t *)lua->message, lua->messageByteCount};
        failure->source = (fog_slice){(const uint8_t *)lua->source, strlen(lua->source)};
        failure->line = lua->line;
    }
    if (failure != NULL) failure->isCounted = lua->isCounted;
    if (lua->outcome != FOG_LUA_PAUSED && lua->isOutOfMemory) {
        // Garbage of the script that filled the memory must not be the next one's burden.
        lua->isOutOfMemory = 0;
        lua_gc(lua->state, LUA_GCCOLLECT, 0);
    }
    return lua->outcome;
}

static int begin(fog_lua *lua, int task, fog_failure *failure) {
    lua->task = task;
    lua->outcome = FOG_LUA_DONE;
    lua->line = -1;
    lua->source[0] = 0;
    lua->isCounted = 0;
    lua->killWords = NULL;
    lua->isOutOfMemory = 0;
    fog_stack_enter(&lua->stack, enter, lua);
    return finish(lua, failure);
}

// MARK: Swift's doors

int fog_lua_start(fog_lua *lua, const fog_run *run, void *context, fog_failure *failure) {
    lua->host.context = context;
    lua->run = run;
    lua->protocol = 2;
    lua->clientProtocol = run->protocol;
    return begin(lua, FOG_TASK_SCRIPT, failure);
}

int fog_lua_continue(fog_lua *lua, void *context, fog_failure *failure) {
    lua->host.context = context;
    lua->outcome = FOG_LUA_DONE;
    fog_stack_resume(&lua->stack);
    return finish(lua, failure);
}

int fog_lua_load_library(fog_lua *lua, int function, void *context, fog_failure *failure) {
    lua->host.context = context;
    lua->function = function;
    return begin(lua, FOG_TASK_LIBRARY, failure);
}

int fog_lua_compile(fog_lua *lua, fog_slice text, const char *chunk, fog_failure *failure) {
    lua->text = text;
    lua->chunk = chunk;
    return begin(lua, FOG_TASK_COMPILE, failure) == FOG_LUA_DONE ? lua->function : -1;
}

void fog_lua_forget(fog_lua *lua, int function) {
    lua->function = function;
    begin(lua, FOG_TASK_FORGET, NULL);
}

void fog_lua_collect(fog_lua *lua) { begin(lua, FOG_TASK_COLLECT, NULL); }

void fog_lua_kill(fog_lua *lua, const char *words) { lua->killWords = words; }

void fog_lua_set_pause(fog_lua *lua, uint64_t deadlineTicks) { lua->deadlineTicks = deadlineTicks; }

void fog_lua_set_timeout_error(fog_lua *lua, const char *words) { lua->timeoutWords = words; }

// MARK: beginning and end

struct birth {
    const char *version;
    uint32_t versionNumber;
};

static int open(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    const struct birth *birth = lua_touserdata(L, 1);
    lua_settop(L, 0);
    fog_sandbox_open(L, birth->version, birth->versionNumber);
    lua_pushcfunction(L, handle_error);
    lua->errorHandler = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_sethook(L, hook, LUA_MASKCOUNT, instructionsPerLook);
    return 0;
}

static int push_perform(lua_State *L) {
    lua_pushcfunction(L, perform);
    return 1;
}

fog_lua *fog_lua_new(
    const fog_host *host, int kind, size_t byteCountMax, const char *version, uint32_t versionNumber,
    int showsDeprecated
) {
    fog_lua *lua = calloc(1, sizeof *lua);
    if (lua == NULL) return NULL;
    lua->host = *host;
    lua->kind = kind;
    lua->byteCountMax = byteCountMax;
    lua->showsDeprecated = showsDeprecated;
    lua->deadlineTicks = UINT64_MAX;
    lua->random = host->ticks() * 0x5DEECE66Du + 0xB;
    if (fog_stack_create(&lua->stack, stackByteCount) != 0) {
        free(lua);
        return NULL;
    }
    lua->state = lua_newstate(allocate, lua);
    struct birth birth = {version, versionNumber};
    if (lua->state == NULL || lua_cpcall(lua->state, open, &birth) != 0) {
        fog_lua_free(lua);
        return NULL;
    }
    lua_State *L = lua->state;
    lua_settop(L, 0);
    lua_pushcfunction(L, push_perform);
    if (lua_pcall(L, 0, 1, 0) != 0) {
        fog_lua_free(lua);
        return NULL;
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
    return lua;
}

void fog_lua_free(fog_lua *lua) {
    if (lua == NULL) return;
    if (lua->state != NULL) lua_close(lua->state);
    free_blocks(lua);
    fog_stack_destroy(&lua->stack);
    free(lua->message);
    free(lua);
}
