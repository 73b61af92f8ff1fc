// JSONEncode.c - cjson.encode and the module's settings. Own code: Debian's library keeps its output outside of Lua's
// memory, where nothing bounds it, and ends the process when that runs out.
#include "JSON.h"
#include <math.h>
#include <stdio.h>

static void encode_value(lua_State *L, const json_settings *settings, fog_bytes *output, int depth);

static void refuse(lua_State *L, int index, const char *why) {
    luaL_error(L, "Cannot serialise %s: %s", luaL_typename(L, index), why);
}

static void encode_string(lua_State *L, fog_bytes *output, int index) {
    size_t count;
    const char *text = lua_tolstring(L, index, &count);
    // The worst case is six bytes for one; whatever overflows that could not be held anyway.
    if (count > ((size_t)1 << 40) / 6) luaL_error(L, "not enough memory");
    fog_bytes_reserve(output, count + 2);
    fog_bytes_byte(output, '"');
    for (size_t position = 0; position < count; position++) {
        unsigned char byte = (unsigned char)text[position];
        const char *escape = NULL;
        char code[8];
        switch (byte) {
        case '"': escape = "\\\""; break;
        case '\\': escape = "\\\\"; break;
        case '/': escape = "\\/"; break;
        case '\b': escape = "\\b"; break;
        case '\t': escape = "\\t"; break;
        case '\n': escape = "\\n"; break;
        case '\f': escape = "\\f"; break;
        case '\r': escape = "\\r"; break;
        default:
            if (byte >= 32 && byte != 127) break;
            snprintf(code, sizeof code, "\\u%04x", byte);
            escape = code;
        }
        if (escape != NULL) fog_bytes_add(output, escape, strlen(escape)); else fog_bytes_byte(output, (char)byte);
    }
    fog_bytes_byte(output, '"');
}

static void encode_number(lua_State *L, const json_settings *settings, fog_bytes *output, int index) {
    lua_Number number = lua_tonumber(L, index);
    if (!isfinite(number)) {
        if (settings->encodeInvalidNumbers == 0) refuse(L, index, "must not be NaN or Inf");
        if (settings->encodeInvalidNumbers == 2) return fog_bytes_add(output, "null", 4);
        const char *text = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        return fog_bytes_add(output, text, strlen(text));
    }
    char text[40];
    int count = snprintf(text, sizeof text, "%.*g", settings->precision, number);
    fog_bytes_add(output, text, (size_t)count);
}

/// The length of the array at the top; -1 when it is none.
static int array_length(lua_State *L, const json_settings *settings) {
    lua_Number largest = 0;
    int items = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_Number key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
        if (!(key >= 1) || key != floor(key) || key > 2147483647.0) {
            lua_pop(L, 2);
            return -1;
        }
        if (key > largest) largest = key;
        items++;
        lua_pop(L, 1);
    }
    int isSparse = settings->sparseRatio > 0 && largest > (lua_Number)items * settings->sparseRatio
        && largest > settings->sparseSafe;
    if (!isSparse) return (int)largest;
    if (!settings->sparseConverts) refuse(L, -1, "excessively sparse array");
    return -1;
}

static void encode_array(lua_State *L, const json_settings *settings, fog_bytes *output, int depth, int length) {
    fog_bytes_byte(output, '[');
    for (int index = 1; index <= length; index++) {
        if (index > 1) fog_bytes_byte(output, ',');
        lua_rawgeti(L, -1, index);
        encode_value(L, settings, output, depth);
        lua_pop(L, 1);
    }
    fog_bytes_byte(output, ']');
}

static void encode_object(lua_State *L, const json_settings *settings, fog_bytes *output, int depth) {
    int isFirst = 1;
    fog_bytes_byte(output, '{');
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (!isFirst) fog_bytes_byte(output, ',');
        isFirst = 0;
        int type = lua_type(L, -2);
        if (type == LUA_TNUMBER) {
            fog_bytes_byte(output, '"');
            encode_number(L, settings, output, -2);
            fog_bytes_byte(output, '"');
        } else if (type == LUA_TSTRING) {
            encode_string(L, output, -2);
        } else {
            refuse(L, -2, "table key must be a number or string");
        }
        fog_bytes_byte(output, ':');
        encode_value(L, settings, output, depth);
        lua_pop(L, 1);
    }
    fog_bytes_byte(output, '}');
}

/// The value at the top, which stays.
static void encode_value(lua_State *L, const json_settings *settings, fog_bytes *output, int depth) {
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: return encode_string(L, output, -1);
    case LUA_TNUMBER: return encode_number(L, settings, output, -1);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1)) return fog_bytes_add(output, "true", 4);
        return fog_bytes_add(output, "false", 5);
    case LUA_TNIL: return fog_bytes_add(output, "null", 4);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) return fog_bytes_add(output, "null", 4);
        break;
    case LUA_TTABLE:
        depth++;
        if (depth > settings->encodeDepthMax || !lua_checkstack(L, 6)) {
            luaL_error(L, "Cannot serialise, excessive nesting (%d)", depth);
        }
        int length = array_length(L, settings);
        if (length > 0) return encode_array(L, settings, output, depth, length);
        return encode_object(L, settings, output, depth);
    }
    refuse(L, -1, "type not supported");
}

int fog_json_encode(lua_State *L) {
    luaL_argcheck(L, lua_gettop(L) == 1, 1, "expected 1 argument");
    fog_bytes output;
    fog_bytes_open(&output, L);
    lua_pushvalue(L, 1);
    encode_value(L, json_settings_of(L), &output, 0);
    fog_bytes_push(&output);
    return 1;
}

// MARK: settings

static int integer_option(lua_State *L, int index, int *setting, int least, int most) {
    if (!lua_isnil(L, index)) {
        char message[64];
        lua_Integer value = luaL_checkinteger(L, index);
        snprintf(message, sizeof message, "expected integer between %d and %d", least, most);
        luaL_argcheck(L, least <= value && value <= most, 1, message);
        *setting = (int)value;
    }
    lua_pushinteger(L, *setting);
    return 1;
}

/// false, true, and further words for 2 and more.
static int choice_option(lua_State *L, int index, int *setting, const char *const *names) {
    if (!lua_isnil(L, index)) {
        *setting = names != NULL && lua_isstring(L, index) ? luaL_checkoption(L, index, NULL, names)
                                                            : (luaL_checktype(L, index, LUA_TBOOLEAN),
                                                               lua_toboolean(L, index));
    }
    if (*setting == 2) lua_pushstring(L, names[2]); else lua_pushboolean(L, *setting);
    return 1;
}

static void settle_arguments(lua_State *L, int count) {
    luaL_argcheck(L, lua_gettop(L) <= count, count + 1, "found too many arguments");
    lua_settop(L, count);
}

static int encode_sparse_array(lua_State *L) {
    json_settings *settings = json_settings_of(L);
    settle_arguments(L, 3);
    choice_option(L, 1, &settings->sparseConverts, NULL);
    integer_option(L, 2, &settings->sparseRatio, 0, INT32_MAX);
    integer_option(L, 3, &settings->sparseSafe, 0, INT32_MAX);
    return 3;
}

static int encode_max_depth(lua_State *L) {
    settle_arguments(L, 1);
    return integer_option(L, 1, &json_settings_of(L)->encodeDepthMax, 1, INT32_MAX);
}

static int decode_max_depth(lua_State *L) {
    settle_arguments(L, 1);
    return integer_option(L, 1, &json_settings_of(L)->decodeDepthMax, 1, INT32_MAX);
}

static int encode_number_precision(lua_State *L) {
    settle_arguments(L, 1);
    return integer_option(L, 1, &json_settings_of(L)->precision, 1, 14);
}

static int encode_keep_buffer(lua_State *L) {
    settle_arguments(L, 1);
    return choice_option(L, 1, &json_settings_of(L)->keepsBuffer, NULL);
}

static const char *const invalidNumberNames[] = {"off", "on", "null", NULL};

static int encode_invalid_numbers(lua_State *L) {
    settle_arguments(L, 1);
    return choice_option(L, 1, &json_settings_of(L)->encodeInvalidNumbers, invalidNumberNames);
}

static int decode_invalid_numbers(lua_State *L) {
    settle_arguments(L, 1);
    return choice_option(L, 1, &json_settings_of(L)->decodeInvalidNumbers, NULL);
}

static int json_new(lua_State *L) {
    fog_open_cjson(L);
    return 1;
}

void fog_open_cjson(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"encode", fog_json_encode},
        {"decode", fog_json_decode},
        {"encode_sparse_array", encode_sparse_array},
        {"encode_max_depth", encode_max_depth},
        {"decode_max_depth", decode_max_depth},
        {"encode_number_precision", encode_number_precision},
        {"encode_keep_buffer", encode_keep_buffer},
        {"encode_invalid_numbers", encode_invalid_numbers},
        {"decode_invalid_numbers", decode_invalid_numbers},
        {"new", json_new},
        {NULL, NULL},
    };
    lua_newtable(L);
    json_settings *settings = lua_newuserdata(L, sizeof *settings);
    *settings = (json_settings){0, 2, 10, 1000, 1000, 14, 1, 0, 1};
    for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
        lua_pushvalue(L, -1);
        lua_pushcclosure(L, entry->func, 1);
        lua_setfield(L, -3, entry->name);
    }
    lua_pop(L, 1);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pushliteral(L, "cjson");
    lua_setfield(L, -2, "_NAME");
    lua_pushliteral(L, "2.1.0");
    lua_setfield(L, -2, "_VERSION");
}
