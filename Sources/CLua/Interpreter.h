// Interpreter.h - what the files of this target share. Everything declared here may raise Lua errors unless it says
// otherwise, and so runs inside a protected call only.
#ifndef FOG_INTERPRETER_H
#define FOG_INTERPRETER_H
#include <lua5.1/lauxlib.h>
#include <lua5.1/lua.h>
#include <lua5.1/lualib.h>
#include <stdint.h>
#include "Stack.h"
#include "include/CLua.h"

enum { FOG_TASK_SCRIPT, FOG_TASK_LIBRARY, FOG_TASK_COMPILE, FOG_TASK_FORGET, FOG_TASK_COLLECT };

/// Blocks of up to 16 times so many bytes are kept for the next one who wants their size.
enum { FOG_BLOCK_CLASSES = 16 };

struct fog_lua {
    lua_State *state;
    fog_host host;
    fog_stack stack;
    int kind;
    size_t byteCount;
    size_t byteCountMax;
    /// Free blocks by size class, each pointing at the next; class 0 is unused.
    void *freeBlocks[FOG_BLOCK_CLASSES + 1];
    unsigned freeBlockCounts[FOG_BLOCK_CLASSES + 1];
    /// Memory after the last collection that running low made necessary.
    size_t collectedByteCount;
    uint64_t random;
    int showsDeprecated;

    // What runs.
    int task;
    int outcome;
    const fog_run *run;
    fog_slice text;
    const char *chunk;
    int function;
    uint64_t deadlineTicks;
    const char *timeoutWords;
    /// Not NULL: nothing may catch the error with these words.
    const char *killWords;
    /// The memory bound was hit: nothing may catch that error either.
    int isOutOfMemory;
    /// Of nested commands: 2 or 3.
    int protocol;
    int clientProtocol;
    /// Of the script's reply so far.
    size_t replyCost;
    int isLoadingLibrary;

    // What went wrong; the bytes are on the C heap.
    char *message;
    size_t messageByteCount;
    char source[64];
    int line;
    int isCounted;

    // References in the registry.
    int errorHandler;
    int globals;
    int globalsShieldMeta;
    int loadGlobals;
    int runGlobals;
};

/// The interpreter that runs `L`. Never raises.
static inline fog_lua *fog_lua_of(lua_State *L) {
    void *context;
    lua_getallocf(L, &context);
    return context;
}

// Interpreter.c
/// Looks at the clock and at the memory, and pauses or fails the script when it is time.
void fog_pause_point(lua_State *L);
/// Raises again when the error at hand (at the top) must not be caught.
void fog_rethrow_final(lua_State *L);

// Sandbox.c
/// Fills a new interpreter with its globals.
void fog_sandbox_open(lua_State *L, const char *version, uint32_t versionNumber);
/// Replaces the table at the top by a view of it that cannot be changed.
void fog_shield(lua_State *L);
/// Pushes the table behind a shield and answers 1, or answers 0.
int fog_unshield(lua_State *L, int index);

// ServerLibrary.c
/// Pushes the table of `redis.*`; `isLoading`: as a library's main chunk sees it.
void fog_server_library(lua_State *L, const char *version, uint32_t versionNumber, int isLoading);
/// Pushes the error table {err = "CODE words"} of the words given, a leading "-CODE " taken as their code.
void fog_push_error(lua_State *L, const char *words, size_t count);

// Replies.c
/// Pushes the Lua value of the reply at `*position`; 1 when it is an error.
int fog_push_reply(lua_State *L, fog_slice reply, size_t *position);
/// Writes the Lua value at the top as the script's reply and pops it.
void fog_write_reply(lua_State *L);
/// A number as commands and replies show it: %.17g, at most 32 bytes. Never raises.
size_t fog_number_text(lua_Number value, char *text);

// Libraries; each pushes its table.
void fog_open_bit(lua_State *L);
void fog_open_cjson(lua_State *L);
void fog_open_cmsgpack(lua_State *L);
void fog_open_struct(lua_State *L);
/// Puts this target's versions over those of the string library at the top.
void fog_open_patterns(lua_State *L);

#endif
