// Sandbox.c - what scripts see: an allow-list of Lua's own functions, and tables that nobody can change. A stock Lua
// has no read-only tables, so each library lies behind a shield: an empty table whose metatable finds everything in the
// real one and refuses every assignment. Functions that reach around metatables (next, rawget, rawset, setmetatable,
// the writers of `table`) are replaced here by ones that know shields.
#include "Interpreter.h"
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

/// Its address is the key under which a shield's metatable keeps the real table.
static const char shieldKey = 0;

static const char readOnlyText[] = "Attempt to modify a readonly table";

static int refuse_change(lua_State *L) { return luaL_error(L, readOnlyText); }

static void push_shield_metatable(lua_State *L, int real) {
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "__index");
    lua_pushvalue(L, real);
    lua_rawset(L, -3);
    lua_pushliteral(L, "__newindex");
    lua_pushcfunction(L, refuse_change);
    lua_rawset(L, -3);
    lua_pushlightuserdata(L, (void *)&shieldKey);
    lua_pushvalue(L, real);
    lua_rawset(L, -3);
}

/// What getmetatable shows of something protected: a table that is a shield itself and holds nothing.
static void hide_metatable(lua_State *L, int metatable) {
    lua_pushliteral(L, "__metatable");
    lua_newtable(L);
    lua_newtable(L);
    push_shield_metatable(L, lua_gettop(L));
    lua_remove(L, -2);
    lua_setmetatable(L, -2);
    lua_rawset(L, metatable);
}

void fog_shield(lua_State *L) {
    int real = lua_gettop(L);
    lua_newtable(L);
    push_shield_metatable(L, real);
    hide_metatable(L, lua_gettop(L));
    lua_setmetatable(L, -2);
    lua_replace(L, real);
}

int fog_unshield(lua_State *L, int index) {
    if (!lua_getmetatable(L, index)) return 0;
    lua_pushlightuserdata(L, (void *)&shieldKey);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (lua_istable(L, -1)) return 1;
    lua_pop(L, 1);
    return 0;
}

static void refuse_shield(lua_State *L, int index) {
    if (!lua_istable(L, index) || !fog_unshield(L, index)) return;
    lua_pushstring(L, readOnlyText);
    lua_error(L);
}

// MARK: the base library

static int base_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (fog_unshield(L, 1)) lua_replace(L, 1);
    if (lua_next(L, 1)) return 2;
    lua_pushnil(L);
    return 1;
}

static int base_pairs(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int base_rawget(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    if (fog_unshield(L, 1)) lua_replace(L, 1);
    lua_rawget(L, 1);
    return 1;
}

static int base_rawset(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    refuse_shield(L, 1);
    lua_rawset(L, 1);
    return 1;
}

static int base_setmetatable(lua_State *L) {
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
    refuse_shield(L, 1);
    if (luaL_getmetafield(L, 1, "__metatable")) luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/// An error's table becomes its words, so that scripts written for servers whose errors were strings go on working.
static void flatten_error(lua_State *L) {
    if (!lua_istable(L, -1)) return;
    lua_pushliteral(L, "err");
    lua_rawget(L, -2);
    if (lua_isstring(L, -1)) {
        lua_replace(L, -2);
    } else {
        lua_pop(L, 1);
    }
}

static int base_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    if (lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) == 0) return lua_gettop(L);
    fog_rethrow_final(L);
    flatten_error(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/// The handler runs after the stack was unwound, not before: Lua would run it inside of the hook that killed a script,
/// where no further hook can stop it. Without `debug` a handler cannot tell the difference.
static int base_xpcall(lua_State *L) {
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, LUA_MULTRET, 0) == 0) return lua_gettop(L) - 2;
    fog_rethrow_final(L);
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) != 0) fog_rethrow_final(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/// coroutine.resume, whose original is the upvalue: an error that must not be caught goes on.
static int coroutine_resume(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    fog_lua *lua = fog_lua_of(L);
    if (!lua_toboolean(L, 1) && (lua->killWords != NULL || lua->isOutOfMemory)) lua_error(L);
    return lua_gettop(L);
}

/// Text only: bytecode can forge any value.
static int load_text(lua_State *L, const char *text, size_t count, const char *chunk) {
    if (count > 0 && text[0] == LUA_SIGNATURE[0]) {
        lua_pushnil(L);
        if (*chunk == '=' || *chunk == '@') {
            lua_pushfstring(L, "%s:1: unexpected symbol near 'char(27)'", chunk + 1);
        } else {
            char line[32];
            strncpy(line, chunk, sizeof line - 1);
            line[sizeof line - 1] = 0;
            line[strcspn(line, "\r\n")] = 0;
            lua_pushfstring(L, "[string \"%s\"]:1: unexpected symbol near 'char(27)'", line);
        }
        return 2;
    }
    lua_gc(L, LUA_GCSTOP, 0);
    int status = luaL_loadbuffer(L, text, count, chunk);
    lua_gc(L, LUA_GCRESTART, 0);
    if (status == 0) return 1;
    fog_rethrow_final(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int base_loadstring(lua_State *L) {
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    return load_text(L, text, count, luaL_optstring(L, 2, text));
}

/// The pieces are gathered before the parser begins, so that nothing of the script runs inside of it.
static int base_load(lua_State *L) {
    const char *chunk = luaL_optstring(L, 2, "=(load)");
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 2);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (;;) {
        lua_pushvalue(L, 1);
        lua_call(L, 0, 1);
        if (lua_isnil(L, -1)) break;
        if (!lua_isstring(L, -1)) luaL_error(L, "reader function must return a string");
        if (lua_objlen(L, -1) == 0) break;
        luaL_addvalue(&buffer);
    }
    lua_pop(L, 1);
    luaL_pushresult(&buffer);
    size_t count;
    const char *text = lua_tolstring(L, -1, &count);
    return load_text(L, text, count, chunk);
}

/// Collecting is the interpreter's business; scripts may ask how much there is and for a collection.
static int base_collectgarbage(lua_State *L) {
    static const char *const options[] = {
        "stop", "restart", "collect", "count", "step", "setpause", "setstepmul", NULL,
    };
    int option = luaL_checkoption(L, 1, "collect", options);
    switch (option) {
    case 2: lua_gc(L, LUA_GCCOLLECT, 0); break;
    case 3: lua_pushnumber(L, (lua_Number)fog_lua_of(L)->byteCount / 1024); return 1;
    case 4: lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0)); return 1;
    case 5:
    case 6: lua_pushnumber(L, 200); return 1;
    }
    lua_pushnumber(L, 0);
    return 1;
}

/// setfenv, whose original is the upvalue. Level 0 is the interpreter itself: it would change the globals of all
/// scripts to come, other users' ones among them. The wrapper is one more level.
static int base_setfenv(lua_State *L) {
    if (lua_isnumber(L, 1)) {
        int level = luaL_checkint(L, 1);
        if (level == 0) return refuse_change(L);
        luaL_argcheck(L, level > 0 && level < INT_MAX, 1, "level must be non-negative");
        lua_pushinteger(L, level + 1);
        lua_replace(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int base_unpack(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Number first = luaL_optnumber(L, 2, 1);
    lua_Number last = lua_isnoneornil(L, 3) ? (lua_Number)lua_objlen(L, 1) : luaL_checknumber(L, 3);
    if (!(first <= last)) return 0;
    lua_Number count = last - first + 1;
    if (!(count < LUAI_MAXCSTACK) || !(fabs(first) < 1e15) || !lua_checkstack(L, (int)count)) {
        return luaL_error(L, "too many results to unpack");
    }
    for (int step = 0; step < (int)count; step++) {
        lua_pushnumber(L, floor(first) + step);
        lua_rawget(L, 1);
    }
    return (int)count;
}

// MARK: table and math

/// A function of `table` that writes into its first argument; the original is the upvalue.
static int table_writer(lua_State *L) {
    refuse_shield(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/// Arrays from this size on are sorted by a comparison that can be stopped; the bad case of smaller ones ends soon.
static const size_t longSortCount = 10000;

/// `<`, with a look at the clock now and then; the counter is an upvalue.
static int less_with_looks(lua_State *L) {
    int calls = (int)lua_tointeger(L, lua_upvalueindex(1)) + 1;
    if (calls % 4096 == 0) fog_pause_point(L);
    lua_pushinteger(L, calls % 4096);
    lua_replace(L, lua_upvalueindex(1));
    lua_pushboolean(L, lua_lessthan(L, 1, 2));
    return 1;
}

static int table_sort(lua_State *L) {
    refuse_shield(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_isnil(L, 2) && lua_objlen(L, 1) >= longSortCount) {
        lua_pushinteger(L, 0);
        lua_pushcclosure(L, less_with_looks, 1);
        lua_replace(L, 2);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 0);
    return 0;
}

/// The generator of Redis' scripts: a given seed gives the same numbers everywhere.
static int32_t next_random(fog_lua *lua) {
    lua->random = (lua->random * 0x5DEECE66Du + 0xB) & 0xFFFFFFFFFFFFu;
    return (int32_t)(lua->random >> 17);
}

static int math_random(lua_State *L) {
    lua_Number number = (lua_Number)(next_random(fog_lua_of(L)) % INT32_MAX) / (lua_Number)INT32_MAX;
    lua_Number low = 1, high;
    switch (lua_gettop(L)) {
    case 0: lua_pushnumber(L, number); return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        luaL_argcheck(L, 1 <= high, 1, "interval is empty");
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        luaL_argcheck(L, low <= high, 2, "interval is empty");
        break;
    default: return luaL_error(L, "wrong number of arguments");
    }
    lua_pushnumber(L, floor(number * (high - low + 1)) + low);
    return 1;
}

static int math_randomseed(lua_State *L) {
    fog_lua_of(L)->random = ((uint64_t)(uint32_t)luaL_checkinteger(L, 1) << 16) + 0x330E;
    return 0;
}

static int os_clock(lua_State *L) {
    lua_pushnumber(L, (lua_Number)clock() / (lua_Number)CLOCKS_PER_SEC);
    return 1;
}

// MARK: putting it together

static void open_library(lua_State *L, lua_CFunction opener, const char *name) {
    lua_pushcfunction(L, opener);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

/// newproxy of stock Lua, whose metatables are nobody's to change: the collector runs `__gc` where no hook can stop it.
static int base_newproxy(lua_State *L) {
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    if (lua_getmetatable(L, -1)) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pop(L, 1);
    }
    return 1;
}

/// real[name] = the global `name` of a stock Lua.
static void copy_globals(lua_State *L, int real) {
    static const char *const names[] = {
        "_VERSION", "assert", "error", "gcinfo", "getmetatable", "ipairs", "rawequal", "select", "tonumber", "tostring",
        "type", NULL,
    };
    for (int index = 0; names[index] != NULL; index++) {
        lua_getglobal(L, names[index]);
        lua_setfield(L, real, names[index]);
    }
    static const char *const deprecated[] = {"newproxy", "getfenv", "setfenv", NULL};
    for (int index = 0; deprecated[index] != NULL && fog_lua_of(L)->showsDeprecated; index++) {
        lua_getglobal(L, deprecated[index]);
        if (strcmp(deprecated[index], "setfenv") == 0) lua_pushcclosure(L, base_setfenv, 1);
        if (strcmp(deprecated[index], "newproxy") == 0) lua_pushcclosure(L, base_newproxy, 1);
        lua_setfield(L, real, deprecated[index]);
    }
}

static void set_base_functions(lua_State *L, int real) {
    static const luaL_Reg functions[] = {
        {"next", base_next},
        {"rawget", base_rawget},
        {"rawset", base_rawset},
        {"setmetatable", base_setmetatable},
        {"pcall", base_pcall},
        {"xpcall", base_xpcall},
        {"loadstring", base_loadstring},
        {"load", base_load},
        {"collectgarbage", base_collectgarbage},
        {"unpack", base_unpack},
        {NULL, NULL},
    };
    for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, real, entry->name);
    }
    lua_getfield(L, real, "next");
    lua_pushcclosure(L, base_pairs, 1);
    lua_setfield(L, real, "pairs");
}

/// Wraps `names` of the library at the top by `wrapper`, the original as its upvalue.
static void wrap(lua_State *L, const char *const *names, lua_CFunction wrapper) {
    for (; *names != NULL; names++) {
        lua_getfield(L, -1, *names);
        lua_pushcclosure(L, wrapper, 1);
        lua_setfield(L, -2, *names);
    }
}

static void set_lua_libraries(lua_State *L, int real) {
    static const char *const tableWriters[] = {"insert", "remove", "setn", NULL};
    static const char *const sorts[] = {"sort", NULL};
    static const char *const resumers[] = {"resume", NULL};
    lua_getglobal(L, "table");
    wrap(L, tableWriters, table_writer);
    wrap(L, sorts, table_sort);
    fog_shield(L);
    lua_setfield(L, real, "table");

    lua_getglobal(L, "coroutine");
    wrap(L, resumers, coroutine_resume);
    fog_shield(L);
    lua_setfield(L, real, "coroutine");

    lua_getglobal(L, "math");
    lua_pushcfunction(L, math_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, math_randomseed);
    lua_setfield(L, -2, "randomseed");
    fog_shield(L);
    lua_setfield(L, real, "math");

    lua_newtable(L);
    lua_pushcfunction(L, os_clock);
    lua_setfield(L, -2, "clock");
    fog_shield(L);
    lua_setfield(L, real, "os");

    lua_getglobal(L, "string");
    fog_open_patterns(L);
    fog_shield(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, real, "string");
    // Strings find their methods behind the shield, and their metatable is out of reach.
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    hide_metatable(L, lua_gettop(L));
    lua_setmetatable(L, -2);
    lua_pop(L, 2);
}

static void set_own_libraries(lua_State *L, int real) {
    static const struct {
        const char *name;
        void (*open)(lua_State *);
    } libraries[] = {
        {"bit", fog_open_bit}, {"cjson", fog_open_cjson}, {"cmsgpack", fog_open_cmsgpack}, {"struct", fog_open_struct},
    };
    for (size_t index = 0; index < sizeof libraries / sizeof libraries[0]; index++) {
        libraries[index].open(L);
        fog_shield(L);
        lua_setfield(L, real, libraries[index].name);
    }
}

static int missing_global(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    return luaL_error(L, "Script attempted to access nonexistent global variable '%s'", name);
}

/// The table at the top refuses to be asked for what it does not have.
static void refuse_missing(lua_State *L) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, missing_global);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

static void set_redis(lua_State *L, int real, const char *version, uint32_t versionNumber, int isLoading) {
    fog_server_library(L, version, versionNumber, isLoading);
    if (isLoading) refuse_missing(L);
    fog_shield(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, real, "redis");
    lua_setfield(L, real, "server");
}

void fog_sandbox_open(lua_State *L, const char *version, uint32_t versionNumber) {
    fog_lua *lua = fog_lua_of(L);
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    lua_newtable(L);
    int real = lua_gettop(L);
    copy_globals(L, real);
    set_base_functions(L, real);
    set_lua_libraries(L, real);
    set_own_libraries(L, real);
    set_redis(L, real, version, versionNumber, 0);
    refuse_missing(L);

    // The globals that code sees: one shield, for good. What it shows can be exchanged behind it.
    lua_pushvalue(L, real);
    fog_shield(L);
    int shield = lua_gettop(L);
    lua_pushvalue(L, shield);
    lua_setfield(L, real, "_G");
    lua_getmetatable(L, shield);
    lua->globalsShieldMeta = luaL_ref(L, LUA_REGISTRYINDEX);
    if (lua->kind == FOG_LUA_FUNCTIONS) {
        // A library's main chunk sees nothing but the means to register functions.
        lua_newtable(L);
        set_redis(L, lua_gettop(L), version, versionNumber, 1);
        refuse_missing(L);
        lua->loadGlobals = luaL_ref(L, LUA_REGISTRYINDEX);
        lua_pushvalue(L, real);
        lua->runGlobals = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pushvalue(L, shield);
    lua_replace(L, LUA_GLOBALSINDEX);
    lua_pushvalue(L, real);
    lua->globals = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_settop(L, 0);
}
