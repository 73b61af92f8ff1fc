// ServerLibrary.c - `redis.*`, alias `server.*`. A command's words go to Swift as they lie in Lua's strings; its reply
// comes back as bytes and becomes Lua values here. Swift has returned before anything is raised.
#include "Interpreter.h"
#include <string.h>
#include "COpenSSL.h"

/// Words of a command that need no allocation, and numbers among them that need no string.
enum { WORDS_ON_STACK = 32, NUMBERS_ON_STACK = 8, NUMBER_BYTES = 40 };

void fog_push_error(lua_State *L, const char *words, size_t count) {
    while (count > 0 && (words[count - 1] == '\r' || words[count - 1] == '\n')) count--;
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "err");
    if (count > 0 && words[0] == '-') {
        const char *blank = memchr(words, ' ', count);
        if (blank != NULL) {
            lua_pushlstring(L, words + 1, count - 1);
        } else {
            lua_pushliteral(L, "ERR ");
            lua_pushlstring(L, words + 1, count - 1);
            lua_concat(L, 2);
        }
    } else {
        lua_pushliteral(L, "ERR ");
        lua_pushlstring(L, words, count);
        lua_concat(L, 2);
    }
    lua_rawset(L, -3);
}

static int fail(lua_State *L, const char *words, int raises) {
    fog_push_error(L, words, strlen(words));
    return raises ? lua_error(L) : 1;
}

// MARK: commands

static int run_words(lua_State *L, const fog_slice *words, int count, int raises) {
    fog_lua *lua = fog_lua_of(L);
    uint64_t endTicks = 0;
    fog_slice reply = lua->host.command(lua->host.context, words, (size_t)count, lua->protocol, &endTicks);
    size_t position = 0;
    lua_settop(L, 0);
    int isError = fog_push_reply(L, reply, &position);
    if (endTicks >= lua->deadlineTicks) fog_pause_point(L);
    if (isError && raises) return lua_error(L);
    return 1;
}

static int run_command(lua_State *L, int raises) {
    int count = lua_gettop(L);
    if (count == 0) return fail(L, "Please specify at least one argument for this redis lib call", raises);
    fog_slice onStack[WORDS_ON_STACK];
    char numbers[NUMBERS_ON_STACK][NUMBER_BYTES];
    int numberCount = 0;
    fog_slice *words = onStack;
    if (count > WORDS_ON_STACK) {
        // Lives on the Lua stack below the words, so that it goes with the call.
        words = lua_newuserdata(L, (size_t)count * sizeof *words);
        lua_insert(L, 1);
    }
    int base = count > WORDS_ON_STACK ? 2 : 1;
    for (int index = 0; index < count; index++) {
        int place = base + index;
        int type = lua_type(L, place);
        if (type == LUA_TNUMBER) {
            char text[NUMBER_BYTES];
            char *target = numberCount < NUMBERS_ON_STACK ? numbers[numberCount++] : text;
            size_t length = fog_number_text(lua_tonumber(L, place), target);
            if (target == text) {
                lua_pushlstring(L, text, length);
                lua_replace(L, place);
                target = (char *)lua_tostring(L, place);
            }
            words[index] = (fog_slice){(const uint8_t *)target, length};
        } else if (type == LUA_TSTRING) {
            words[index].base = (const uint8_t *)lua_tolstring(L, place, &words[index].count);
        } else {
            return fail(L, "Lua redis lib command arguments must be strings or integers", raises);
        }
    }
    return run_words(L, words, count, raises);
}

static int redis_call(lua_State *L) { return run_command(L, 1); }

static int redis_pcall(lua_State *L) { return run_command(L, 0); }

// MARK: small functions

static int redis_sha1hex(lua_State *L) {
    if (lua_gettop(L) != 1) return fail(L, "wrong number of arguments", 1);
    size_t count = 0;
    const char *text = lua_tolstring(L, 1, &count);
    uint8_t digest[20];
    char hex[40];
    fog_sha1(text != NULL ? text : "", text != NULL ? count : 0, digest);
    for (int index = 0; index < 20; index++) {
        hex[index * 2] = "0123456789abcdef"[digest[index] >> 4];
        hex[index * 2 + 1] = "0123456789abcdef"[digest[index] & 15];
    }
    lua_pushlstring(L, hex, sizeof hex);
    return 1;
}

static int redis_status_reply(lua_State *L) {
    if (lua_gettop(L) != 1 || lua_type(L, -1) != LUA_TSTRING) return fail(L, "wrong number or type of arguments", 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "ok");
    lua_pushvalue(L, 1);
    lua_rawset(L, -3);
    return 1;
}

static int redis_error_reply(lua_State *L) {
    if (lua_gettop(L) != 1 || lua_type(L, -1) != LUA_TSTRING) return fail(L, "wrong number or type of arguments", 0);
    size_t count;
    const char *words = lua_tolstring(L, 1, &count);
    if (count == 0 || words[0] != '-') {
        lua_pushliteral(L, "-");
        lua_pushvalue(L, 1);
        lua_concat(L, 2);
        words = lua_tolstring(L, -1, &count);
    }
    fog_push_error(L, words, count);
    return 1;
}

static int redis_log(lua_State *L) {
    int count = lua_gettop(L);
    if (count < 2) return fail(L, "redis.log() requires two arguments or more.", 1);
    if (!lua_isnumber(L, 1)) return fail(L, "First argument must be a number (log level).", 1);
    lua_Number level = lua_tonumber(L, 1);
    if (!(level >= 0 && level <= 3)) return fail(L, "Invalid debug level.", 1);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    int isFirst = 1;
    for (int index = 2; index <= count; index++) {
        size_t length;
        const char *text = lua_type(L, index) == LUA_TSTRING || lua_type(L, index) == LUA_TNUMBER
            ? lua_tolstring(L, index, &length) : NULL;
        if (text == NULL) continue;
        if (!isFirst) luaL_addchar(&buffer, ' ');
        isFirst = 0;
        luaL_addlstring(&buffer, text, length);
    }
    luaL_pushresult(&buffer);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    fog_lua *lua = fog_lua_of(L);
    lua->host.log(lua->host.context, (int)level, (const uint8_t *)text, length);
    return 0;
}

static int redis_setresp(lua_State *L) {
    if (lua_gettop(L) != 1) return fail(L, "redis.setresp() requires one argument.", 1);
    lua_Number version = lua_tonumber(L, 1);
    if (version != 2 && version != 3) return fail(L, "RESP version must be 2 or 3.", 1);
    fog_lua_of(L)->protocol = (int)version;
    return 0;
}

/// Effects are what is replicated, always; this asks for nothing.
static int redis_replicate_commands(lua_State *L) {
    lua_pushboolean(L, 1);
    return 1;
}

static int redis_set_repl(lua_State *L) {
    if (lua_gettop(L) != 1) return fail(L, "redis.set_repl() requires two arguments.", 1);
    lua_Number flags = lua_tonumber(L, 1);
    if (!(flags >= 0 && flags <= 3)) {
        return fail(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.", 1);
    }
    fog_lua *lua = fog_lua_of(L);
    if (lua->host.propagate != NULL) lua->host.propagate(lua->host.context, (int)flags);
    return 0;
}

/// There is no debugger to stop in.
static int redis_breakpoint(lua_State *L) {
    lua_pushboolean(L, 0);
    return 1;
}

static int redis_debug(lua_State *L) {
    (void)L;
    return 0;
}

static int redis_acl_check_cmd(lua_State *L) {
    int count = lua_gettop(L);
    if (count == 0) return fail(L, "Please specify at least one argument for this redis lib call", 1);
    fog_slice *words = lua_newuserdata(L, (size_t)count * sizeof *words);
    for (int index = 0; index < count; index++) {
        int type = lua_type(L, index + 1);
        if (type != LUA_TNUMBER && type != LUA_TSTRING) {
            return fail(L, "Lua redis lib command arguments must be strings or integers", 1);
        }
        words[index].base = (const uint8_t *)lua_tolstring(L, index + 1, &words[index].count);
    }
    fog_lua *lua = fog_lua_of(L);
    int answer = lua->host.permits(lua->host.context, words, (size_t)count);
    if (answer < 0) return fail(L, "Invalid command passed to redis.acl_check_cmd()", 1);
    lua_pushboolean(L, answer);
    return 1;
}

// MARK: register_function

static const struct {
    const char *name;
    int flag;
} functionFlags[] = {
    {"no-writes", FOG_SCRIPT_NO_WRITES},
    {"allow-oom", FOG_SCRIPT_ALLOW_OOM},
    {"allow-stale", FOG_SCRIPT_ALLOW_STALE},
    {"no-cluster", FOG_SCRIPT_NO_CLUSTER},
    {"allow-cross-slot-keys", FOG_SCRIPT_ALLOW_CROSS_SLOT},
};

static int read_flags(lua_State *L, int table) {
    int flags = 0;
    for (int index = 1;; index++) {
        lua_rawgeti(L, table, index);
        int type = lua_type(L, -1);
        if (type == LUA_TNIL) {
            lua_pop(L, 1);
            return flags;
        }
        if (type != LUA_TSTRING) fail(L, "unknown flag given", 1);
        const char *name = lua_tostring(L, -1);
        int found = 0;
        for (size_t row = 0; row < sizeof functionFlags / sizeof functionFlags[0]; row++) {
            if (strcmp(functionFlags[row].name, name) == 0) found = functionFlags[row].flag;
        }
        if (found == 0) fail(L, "unknown flag given", 1);
        flags |= found;
        lua_pop(L, 1);
    }
}

/// Leaves name, description (or nil) and callback at 2, 3 and 4 of a stack whose first value is the argument table.
static int read_named_arguments(lua_State *L) {
    int flags = 0;
    lua_settop(L, 1);
    lua_settop(L, 4);
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            fail(L, "named argument key given to redis.register_function is not a string", 1);
        }
        const char *key = lua_tostring(L, -2);
        if (strcasecmp(key, "function_name") == 0) {
            if (lua_type(L, -1) != LUA_TSTRING) {
                fail(L, "function_name argument given to redis.register_function must be a string", 1);
            }
            lua_pushvalue(L, -1);
            lua_replace(L, 2);
        } else if (strcasecmp(key, "description") == 0) {
            if (lua_type(L, -1) != LUA_TSTRING) {
                fail(L, "description argument given to redis.register_function must be a string", 1);
            }
            lua_pushvalue(L, -1);
            lua_replace(L, 3);
        } else if (strcasecmp(key, "callback") == 0) {
            if (!lua_isfunction(L, -1)) {
                fail(L, "callback argument given to redis.register_function must be a function", 1);
            }
            lua_pushvalue(L, -1);
            lua_replace(L, 4);
        } else if (strcasecmp(key, "flags") == 0) {
            if (!lua_istable(L, -1)) {
                fail(L, "flags argument to redis.register_function must be a table representing function flags", 1);
            }
            flags = read_flags(L, lua_gettop(L));
        } else {
            fail(L, "unknown argument given to redis.register_function", 1);
        }
        lua_pop(L, 1);
    }
    if (lua_isnil(L, 2)) fail(L, "redis.register_function must get a function name argument", 1);
    if (lua_isnil(L, 4)) fail(L, "redis.register_function must get a callback argument", 1);
    return flags;
}

static void read_positional_arguments(lua_State *L) {
    if (!lua_isstring(L, 1)) fail(L, "first argument to redis.register_function must be a string", 1);
    if (!lua_isfunction(L, 2)) fail(L, "second argument to redis.register_function must be a function", 1);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_pushvalue(L, 2);
    lua_remove(L, 2);
}

static int redis_register_function(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    if (!lua->isLoadingLibrary) {
        return fail(L, "redis.register_function can only be called on FUNCTION LOAD command", 1);
    }
    int count = lua_gettop(L);
    if (count < 1 || count > 2) return fail(L, "wrong number of arguments to redis.register_function", 1);
    int flags = 0;
    if (count == 1) {
        if (!lua_istable(L, 1)) {
            return fail(L, "calling redis.register_function with a single argument is only applicable to Lua table "
                           "(representing named arguments).", 1);
        }
        flags = read_named_arguments(L);
    } else {
        read_positional_arguments(L);
    }
    fog_function function;
    memset(&function, 0, sizeof function);
    function.flags = flags;
    function.name.base = (const uint8_t *)lua_tolstring(L, 2, &function.name.count);
    if (!lua_isnil(L, 3)) {
        function.description.base = (const uint8_t *)lua_tolstring(L, 3, &function.description.count);
        function.hasDescription = 1;
    }
    lua_pushvalue(L, 4);
    function.function = luaL_ref(L, LUA_REGISTRYINDEX);
    const char *refusal = lua->host.enlist(lua->host.context, &function);
    if (refusal == NULL) return 0;
    luaL_unref(L, LUA_REGISTRYINDEX, function.function);
    return fail(L, refusal, 1);
}

// MARK: the table

static void set_constants(lua_State *L, const char *version, uint32_t versionNumber) {
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        {"LOG_DEBUG", 0}, {"LOG_VERBOSE", 1}, {"LOG_NOTICE", 2}, {"LOG_WARNING", 3},
    };
    for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; index++) {
        lua_pushnumber(L, numbers[index].value);
        lua_setfield(L, -2, numbers[index].name);
    }
    lua_pushstring(L, version);
    lua_setfield(L, -2, "REDIS_VERSION");
    lua_pushnumber(L, versionNumber);
    lua_setfield(L, -2, "REDIS_VERSION_NUM");
    lua_pushliteral(L, "fog");
    lua_setfield(L, -2, "SERVER_NAME");
}

static void set_replication_constants(lua_State *L) {
    static const struct {
        const char *name;
        int value;
    } numbers[] = {{"REPL_NONE", 0}, {"REPL_AOF", 1}, {"REPL_SLAVE", 2}, {"REPL_REPLICA", 2}, {"REPL_ALL", 3}};
    for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; index++) {
        lua_pushnumber(L, numbers[index].value);
        lua_setfield(L, -2, numbers[index].name);
    }
}

void fog_server_library(lua_State *L, const char *version, uint32_t versionNumber, int isLoading) {
    static const luaL_Reg functions[] = {
        {"call", redis_call},
        {"pcall", redis_pcall},
        {"setresp", redis_setresp},
        {"set_repl", redis_set_repl},
        {"acl_check_cmd", redis_acl_check_cmd},
        {"replicate_commands", redis_replicate_commands},
        {"breakpoint", redis_breakpoint},
        {"debug", redis_debug},
        {NULL, NULL},
    };
    static const luaL_Reg always[] = {
        {"log", redis_log},
        {"sha1hex", redis_sha1hex},
        {"status_reply", redis_status_reply},
        {"error_reply", redis_error_reply},
        {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *entry = always; entry->name != NULL; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, -2, entry->name);
    }
    for (const luaL_Reg *entry = functions; entry->name != NULL && !isLoading; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, -2, entry->name);
    }
    if (isLoading) {
        lua_pushcfunction(L, redis_register_function);
        lua_setfield(L, -2, "register_function");
    }
    set_constants(L, version, versionNumber);
    if (!isLoading) set_replication_constants(L);
}
