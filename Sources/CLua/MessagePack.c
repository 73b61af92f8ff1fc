// MessagePack.c - the `cmsgpack` library. Own code: every length in the input is checked against the bytes that are
// there before anything is made of it, and nesting is bounded both ways, by the Lua stack as well.
#include "Bytes.h"
#include <math.h>

/// Deeper tables are packed as nil, as the stock library does; deeper input is refused.
enum { DEPTH_MAX = 16, UNPACK_DEPTH_MAX = 128 };

// MARK: packing

static void add_head(fog_bytes *buffer, uint8_t type, uint64_t value, int byteCount) {
    char bytes[9];
    bytes[0] = (char)type;
    for (int index = 0; index < byteCount; index++) bytes[1 + index] = (char)(value >> (8 * (byteCount - 1 - index)));
    fog_bytes_add(buffer, bytes, (size_t)byteCount + 1);
}

static void add_integer(fog_bytes *buffer, int64_t value) {
    if (value >= 0) {
        if (value <= 127) return add_head(buffer, (uint8_t)value, 0, 0);
        if (value <= 0xFF) return add_head(buffer, 0xCC, (uint64_t)value, 1);
        if (value <= 0xFFFF) return add_head(buffer, 0xCD, (uint64_t)value, 2);
        if (value <= 0xFFFFFFFFLL) return add_head(buffer, 0xCE, (uint64_t)value, 4);
        return add_head(buffer, 0xCF, (uint64_t)value, 8);
    }
    if (value >= -32) return add_head(buffer, (uint8_t)value, 0, 0);
    if (value >= -128) return add_head(buffer, 0xD0, (uint64_t)value, 1);
    if (value >= -32768) return add_head(buffer, 0xD1, (uint64_t)value, 2);
    if (value >= -2147483648LL) return add_head(buffer, 0xD2, (uint64_t)value, 4);
    add_head(buffer, 0xD3, (uint64_t)value, 8);
}

static void add_number(fog_bytes *buffer, lua_Number number) {
    if (number >= -9223372036854775808.0 && number < 9223372036854775808.0 && number == floor(number)) {
        return add_integer(buffer, (int64_t)number);
    }
    float narrow = (float)number;
    if ((double)narrow == number) {
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        return add_head(buffer, 0xCA, bits, 4);
    }
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    add_head(buffer, 0xCB, bits, 8);
}

/// The string at the top.
static void add_string(lua_State *L, fog_bytes *buffer) {
    size_t count;
    const char *bytes = lua_tolstring(L, -1, &count);
    if (count < 32) {
        add_head(buffer, (uint8_t)(0xA0 | count), 0, 0);
    } else if (count <= 0xFF) {
        add_head(buffer, 0xD9, count, 1);
    } else if (count <= 0xFFFF) {
        add_head(buffer, 0xDA, count, 2);
    } else {
        add_head(buffer, 0xDB, count, 4);
    }
    fog_bytes_add(buffer, bytes, count);
}

/// A table with the keys 1...n and no others; `count` is n then, else the number of its pairs.
static int is_array(lua_State *L, int table, size_t *count) {
    size_t pairs = 0;
    lua_Number largest = 0;
    int isArray = 1;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        pairs++;
        if (!isArray) continue;
        lua_Number key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (!(key > 0) || key != floor(key) || key > 2147483647.0) {
            isArray = 0;
        } else if (key > largest) {
            largest = key;
        }
    }
    *count = pairs;
    return isArray && largest == (lua_Number)pairs;
}

static void pack_value(lua_State *L, fog_bytes *buffer, int depth);

static void pack_table(lua_State *L, fog_bytes *buffer, int depth) {
    int table = lua_gettop(L);
    luaL_checkstack(L, 5, "too deep a table");
    size_t count;
    if (is_array(L, table, &count)) {
        if (count < 16) {
            add_head(buffer, (uint8_t)(0x90 | count), 0, 0);
        } else if (count <= 0xFFFF) {
            add_head(buffer, 0xDC, count, 2);
        } else {
            add_head(buffer, 0xDD, count, 4);
        }
        for (size_t index = 1; index <= count; index++) {
            lua_rawgeti(L, table, (int)index);
            pack_value(L, buffer, depth + 1);
        }
        return;
    }
    if (count < 16) {
        add_head(buffer, (uint8_t)(0x80 | count), 0, 0);
    } else if (count <= 0xFFFF) {
        add_head(buffer, 0xDE, count, 2);
    } else {
        add_head(buffer, 0xDF, count, 4);
    }
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pushvalue(L, -2);
        pack_value(L, buffer, depth + 1);
        pack_value(L, buffer, depth + 1);
    }
}

/// Packs the value at the top and pops it.
static void pack_value(lua_State *L, fog_bytes *buffer, int depth) {
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE && depth >= DEPTH_MAX) type = LUA_TNIL;
    switch (type) {
    case LUA_TSTRING: add_string(L, buffer); break;
    case LUA_TBOOLEAN: add_head(buffer, lua_toboolean(L, -1) ? 0xC3 : 0xC2, 0, 0); break;
    case LUA_TNUMBER: add_number(buffer, lua_tonumber(L, -1)); break;
    case LUA_TTABLE: pack_table(L, buffer, depth); break;
    default: add_head(buffer, 0xC0, 0, 0); break;
    }
    lua_pop(L, 1);
}

static int cmsgpack_pack(lua_State *L) {
    int count = lua_gettop(L);
    if (count == 0) return luaL_argerror(L, 0, "MessagePack pack needs input.");
    fog_bytes buffer;
    fog_bytes_open(&buffer, L);
    for (int index = 1; index <= count; index++) {
        luaL_checkstack(L, 1, "too many values");
        lua_pushvalue(L, index);
        pack_value(L, &buffer, 0);
    }
    fog_bytes_push(&buffer);
    return 1;
}

// MARK: unpacking

typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
} reader;

static void fail_short(lua_State *L) { luaL_error(L, "Missing bytes in input."); }

/// The next `byteCount` bytes as a number, most significant first.
static uint64_t take_number(lua_State *L, reader *input, int byteCount) {
    if (input->count - input->position < (size_t)byteCount) fail_short(L);
    uint64_t value = 0;
    for (int index = 0; index < byteCount; index++) value = value << 8 | input->bytes[input->position++];
    return value;
}

static void push_bytes(lua_State *L, reader *input, uint64_t count) {
    if (count > input->count - input->position) fail_short(L);
    lua_pushlstring(L, (const char *)input->bytes + input->position, (size_t)count);
    input->position += (size_t)count;
}

static void unpack_value(lua_State *L, reader *input, int depth);

static void unpack_array(lua_State *L, reader *input, uint64_t count, int depth) {
    // Every element takes a byte at least: what is announced beyond that cannot be there.
    if (count > input->count - input->position) fail_short(L);
    lua_newtable(L);
    for (uint64_t index = 1; index <= count; index++) {
        unpack_value(L, input, depth + 1);
        lua_rawseti(L, -2, (int)index);
    }
}

static void unpack_map(lua_State *L, reader *input, uint64_t count, int depth) {
    if (count > (input->count - input->position) / 2) fail_short(L);
    lua_newtable(L);
    for (uint64_t index = 0; index < count; index++) {
        unpack_value(L, input, depth + 1);
        unpack_value(L, input, depth + 1);
        if (lua_isnil(L, -2) || (lua_type(L, -2) == LUA_TNUMBER && isnan(lua_tonumber(L, -2)))) {
            luaL_error(L, "Bad data format in input.");
        }
        lua_rawset(L, -3);
    }
}

static void unpack_float(lua_State *L, reader *input, int byteCount) {
    uint64_t bits = take_number(L, input, byteCount);
    if (byteCount == 4) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        lua_pushnumber(L, value);
    } else {
        double value;
        memcpy(&value, &bits, sizeof value);
        lua_pushnumber(L, value);
    }
}

static void unpack_value(lua_State *L, reader *input, int depth) {
    if (depth > UNPACK_DEPTH_MAX) luaL_error(L, "Too many nested levels in input.");
    luaL_checkstack(L, 4, "too deep an input");
    uint8_t type = (uint8_t)take_number(L, input, 1);
    switch (type) {
    case 0xC0: lua_pushnil(L); return;
    case 0xC2: lua_pushboolean(L, 0); return;
    case 0xC3: lua_pushboolean(L, 1); return;
    case 0xCA: unpack_float(L, input, 4); return;
    case 0xCB: unpack_float(L, input, 8); return;
    case 0xCC: lua_pushnumber(L, (lua_Number)take_number(L, input, 1)); return;
    case 0xCD: lua_pushnumber(L, (lua_Number)take_number(L, input, 2)); return;
    case 0xCE: lua_pushnumber(L, (lua_Number)take_number(L, input, 4)); return;
    case 0xCF: lua_pushnumber(L, (lua_Number)take_number(L, input, 8)); return;
    case 0xD0: lua_pushnumber(L, (int8_t)take_number(L, input, 1)); return;
    case 0xD1: lua_pushnumber(L, (int16_t)take_number(L, input, 2)); return;
    case 0xD2: lua_pushnumber(L, (int32_t)take_number(L, input, 4)); return;
    case 0xD3: lua_pushnumber(L, (lua_Number)(int64_t)take_number(L, input, 8)); return;
    case 0xC4:
    case 0xD9: push_bytes(L, input, take_number(L, input, 1)); return;
    case 0xC5:
    case 0xDA: push_bytes(L, input, take_number(L, input, 2)); return;
    case 0xC6:
    case 0xDB: push_bytes(L, input, take_number(L, input, 4)); return;
    case 0xDC: unpack_array(L, input, take_number(L, input, 2), depth); return;
    case 0xDD: unpack_array(L, input, take_number(L, input, 4), depth); return;
    case 0xDE: unpack_map(L, input, take_number(L, input, 2), depth); return;
    case 0xDF: unpack_map(L, input, take_number(L, input, 4), depth); return;
    }
    if (type < 0x80) return lua_pushnumber(L, type);
    if (type >= 0xE0) return lua_pushnumber(L, (int8_t)type);
    if (type < 0x90) return unpack_map(L, input, type & 15, depth);
    if (type < 0xA0) return unpack_array(L, input, type & 15, depth);
    if (type < 0xC0) return push_bytes(L, input, type & 31);
    luaL_error(L, "Bad data format in input.");
}

/// Unpacks up to `limit` values (0: all) from `offset` on; with a limit the next offset comes first, -1 at the end.
static int unpack_many(lua_State *L, lua_Number limit, lua_Number offset) {
    size_t count;
    const char *bytes = luaL_checklstring(L, 1, &count);
    if (offset < 0 || limit < 0) {
        return luaL_error(
            L, "Invalid request to unpack with offset of %d and limit of %d.", (int)offset, (int)count);
    }
    if (offset > (lua_Number)count) {
        return luaL_error(L, "Start offset %d greater than input length %d.", (int)offset, (int)count);
    }
    int isBounded = limit > 0;
    if (!isBounded) limit = INT32_MAX;
    reader input = {(const uint8_t *)bytes, count, (size_t)offset};
    int base = lua_gettop(L);
    int found = 0;
    while (input.position < input.count && found < limit) {
        luaL_checkstack(L, 2, "too many values");
        unpack_value(L, &input, 0);
        found++;
    }
    if (!isBounded) return found;
    luaL_checkstack(L, 1, "too many values");
    lua_pushnumber(L, input.position < input.count ? (lua_Number)input.position : -1);
    lua_insert(L, base + 1);
    return found + 1;
}

static int cmsgpack_unpack(lua_State *L) { return unpack_many(L, 0, 0); }

static int cmsgpack_unpack_one(lua_State *L) {
    lua_Number offset = luaL_optinteger(L, 2, 0);
    lua_settop(L, 1);
    return unpack_many(L, 1, offset);
}

static int cmsgpack_unpack_limit(lua_State *L) {
    lua_Number limit = luaL_checkinteger(L, 2);
    lua_Number offset = luaL_optinteger(L, 3, 0);
    lua_settop(L, 1);
    return unpack_many(L, limit, offset);
}

void fog_open_cmsgpack(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"pack", cmsgpack_pack},
        {"unpack", cmsgpack_unpack},
        {"unpack_one", cmsgpack_unpack_one},
        {"unpack_limit", cmsgpack_unpack_limit},
        {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, -2, entry->name);
    }
    lua_pushliteral(L, "cmsgpack");
    lua_setfield(L, -2, "_NAME");
    lua_pushliteral(L, "lua-cmsgpack 0.4.0");
    lua_setfield(L, -2, "_VERSION");
    lua_pushliteral(L, "MessagePack C implementation for Lua");
    lua_setfield(L, -2, "_DESCRIPTION");
}
