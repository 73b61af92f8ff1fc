// Replies.c - between RESP and Lua values, both ways. A command's reply is read where Swift wrote it; a script's result
// is written piece by piece through the host's `append`. The reader trusts nothing: whatever does not parse is nil.
#include "Interpreter.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MARK: numbers

static size_t integer_text(long long value, char *text) {
    char digits[24];
    size_t count = 0;
    unsigned long long rest = value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    size_t length = 0;
    if (value < 0) text[length++] = '-';
    while (count > 0) text[length++] = digits[--count];
    return length;
}

size_t fog_number_text(lua_Number value, char *text) {
    // Most numbers are small integers, which %.17g prints digit by digit.
    if (fabs(value) < 1e15 && value == (lua_Number)(long long)value && !(value == 0 && signbit(value))) {
        return integer_text((long long)value, text);
    }
    return (size_t)snprintf(text, 32, "%.17g", value);
}

/// What a C compiler makes of a number out of range differs between machines; here it is always the smallest.
static long long to_integer(lua_Number value) {
    if (value >= -9223372036854775808.0 && value < 9223372036854775808.0) return (long long)value;
    return INT64_MIN;
}

// MARK: RESP to Lua

typedef struct {
    const char *bytes;
    size_t count;
    size_t position;
} reader;

/// The line at the position, without its end; NULL when there is none.
static const char *take_line(reader *reply, size_t *count) {
    const char *start = reply->bytes + reply->position;
    const char *end = memchr(start, '\r', reply->count - reply->position);
    if (end == NULL || (size_t)(end - reply->bytes) + 2 > reply->count) return NULL;
    *count = (size_t)(end - start);
    reply->position = (size_t)(end - reply->bytes) + 2;
    return start;
}

static long long parse_integer(const char *text, size_t count) {
    size_t index = 0;
    int isNegative = count > 0 && text[0] == '-';
    if (isNegative) index = 1;
    unsigned long long value = 0;
    for (; index < count && text[index] >= '0' && text[index] <= '9'; index++) {
        value = value * 10 + (unsigned long long)(text[index] - '0');
    }
    return (long long)(isNegative ? 0ull - value : value);
}

/// The `count` bytes of a bulk and their end; NULL when they are not all there.
static const char *take_bulk(reader *reply, long long count) {
    if (count < 0 || (unsigned long long)count + 2 > reply->count - reply->position) return NULL;
    const char *bytes = reply->bytes + reply->position;
    reply->position += (size_t)count + 2;
    return bytes;
}

static int push_value(lua_State *L, reader *reply);

static void push_named(lua_State *L, const char *name, const char *bytes, size_t count) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, name);
    lua_pushlstring(L, bytes, count);
    lua_rawset(L, -3);
}

static void push_array(lua_State *L, reader *reply, long long count) {
    luaL_checkstack(L, 4, "too deep a reply");
    lua_createtable(L, count < 1 << 20 ? (int)count : 0, 0);
    for (long long index = 1; index <= count; index++) {
        push_value(L, reply);
        lua_rawseti(L, -2, (int)index);
    }
}

static void push_map(lua_State *L, reader *reply, long long count, const char *name, int isSet) {
    luaL_checkstack(L, 6, "too deep a reply");
    lua_createtable(L, 0, 1);
    lua_pushstring(L, name);
    lua_createtable(L, 0, count < 1 << 20 ? (int)count : 0);
    for (long long index = 0; index < count; index++) {
        push_value(L, reply);
        if (isSet) {
            lua_pushboolean(L, 1);
        } else {
            push_value(L, reply);
        }
        if (lua_isnil(L, -2)) {
            lua_pop(L, 2); // null cannot be a key
        } else {
            lua_rawset(L, -3);
        }
    }
    lua_rawset(L, -3);
}

static void push_verbatim(lua_State *L, const char *bytes, size_t count) {
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "verbatim_string");
    lua_createtable(L, 0, 2);
    size_t head = count >= 4 ? 4 : count;
    lua_pushliteral(L, "string");
    lua_pushlstring(L, bytes + head, count - head);
    lua_rawset(L, -3);
    lua_pushliteral(L, "format");
    lua_pushlstring(L, bytes, count >= 3 ? 3 : count);
    lua_rawset(L, -3);
    lua_rawset(L, -3);
}

static void push_double(lua_State *L, const char *text, size_t count) {
    char copy[64];
    if (count >= sizeof copy) count = sizeof copy - 1;
    memcpy(copy, text, count);
    copy[count] = 0;
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "double");
    lua_pushnumber(L, strtod(copy, NULL));
    lua_rawset(L, -3);
}

static void push_error_reply(lua_State *L, const char *line, size_t count) {
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "err");
    if (memchr(line, ' ', count) != NULL) {
        lua_pushlstring(L, line, count);
    } else {
        lua_pushliteral(L, "ERR ");
        lua_pushlstring(L, line, count);
        lua_concat(L, 2);
    }
    lua_rawset(L, -3);
    // Dispatch counted it when the command answered.
    lua_pushliteral(L, "ignore_error_stats_update");
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
}

/// Pushes one value whose line was `line`; 1 when it is an error.
static int push_line(lua_State *L, reader *reply, const char *line, size_t count) {
    char type = line[0];
    const char *rest = line + 1;
    size_t restCount = count - 1;
    long long number;
    const char *bytes;
    switch (type) {
    case '+': push_named(L, "ok", rest, restCount); return 0;
    case '-': push_error_reply(L, rest, restCount); return 1;
    case ':': lua_pushnumber(L, (lua_Number)parse_integer(rest, restCount)); return 0;
    case '$':
        number = parse_integer(rest, restCount);
        bytes = take_bulk(reply, number);
        if (bytes != NULL) lua_pushlstring(L, bytes, (size_t)number); else lua_pushboolean(L, 0);
        return 0;
    case '=':
        number = parse_integer(rest, restCount);
        bytes = take_bulk(reply, number);
        if (bytes != NULL) push_verbatim(L, bytes, (size_t)number); else lua_pushnil(L);
        return 0;
    case '*':
    case '>':
        number = parse_integer(rest, restCount);
        if (number < 0) lua_pushboolean(L, 0); else push_array(L, reply, number);
        return 0;
    case '%': push_map(L, reply, parse_integer(rest, restCount), "map", 0); return 0;
    case '~': push_map(L, reply, parse_integer(rest, restCount), "set", 1); return 0;
    case '#': lua_pushboolean(L, restCount > 0 && rest[0] == 't'); return 0;
    case ',': push_double(L, rest, restCount); return 0;
    case '(': push_named(L, "big_number", rest, restCount); return 0;
    default: lua_pushnil(L); return 0;
    }
}

static int push_value(lua_State *L, reader *reply) {
    for (;;) {
        size_t count = 0;
        const char *line = take_line(reply, &count);
        if (line == NULL || count == 0) {
            reply->position = reply->count;
            lua_pushnil(L);
            return 0;
        }
        if (line[0] != '|') return push_line(L, reply, line, count);
        // Attributes stand before the value that they describe; scripts do not see them.
        long long pairs = parse_integer(line + 1, count - 1);
        for (long long index = 0; index < pairs * 2; index++) {
            push_value(L, reply);
            lua_pop(L, 1);
        }
    }
}

int fog_push_reply(lua_State *L, fog_slice reply, size_t *position) {
    reader source = {(const char *)reply.base, reply.count, *position};
    int isError = push_value(L, &source);
    *position = source.position;
    return isError;
}

// MARK: Lua to RESP

/// A small table can refer to one text, or to itself twice, again and again: what it expands to has a bound of its own.
static const size_t replyCostMax = 512u << 20;
/// What a value costs beyond its bytes, in time above all.
static const size_t valueCost = 64;

/// Counts what is about to be written; raises when the reply has become too large. Swift drops what there is of it.
static void charge(fog_lua *lua, size_t cost) {
    if (cost > replyCostMax - lua->replyCost) luaL_error(lua->state, "the script's reply is too large");
    lua->replyCost += cost;
}

static void append(fog_lua *lua, const char *bytes, size_t count) {
    charge(lua, count);
    lua->host.append(lua->host.context, (const uint8_t *)bytes, count);
}

/// Room for the longest header: a type, a number and the end of the line.
enum { HEADER_BYTES = 32 };

static size_t header_text(char type, long long value, char *text) {
    text[0] = type;
    size_t count = 1 + integer_text(value, text + 1);
    text[count++] = '\r';
    text[count++] = '\n';
    return count;
}

static void append_header(fog_lua *lua, char type, long long value) {
    char text[HEADER_BYTES];
    append(lua, text, header_text(type, value, text));
}

/// A short text travels to Swift in one piece with what surrounds it.
static void append_bulk(fog_lua *lua, const char *bytes, size_t count) {
    enum { SHORT_BYTES = 256 };
    if (count <= SHORT_BYTES) {
        char text[HEADER_BYTES + SHORT_BYTES + 2];
        size_t end = header_text('$', (long long)count, text);
        memcpy(text + end, bytes, count);
        memcpy(text + end + count, "\r\n", 2);
        return append(lua, text, end + count + 2);
    }
    append_header(lua, '$', (long long)count);
    append(lua, bytes, count);
    append(lua, "\r\n", 2);
}

/// One line after `type`: an end of line inside would be the beginning of somebody's next reply.
static void append_line(fog_lua *lua, char type, const char *bytes, size_t count) {
    append(lua, &type, 1);
    size_t start = 0;
    for (size_t index = 0; index < count; index++) {
        if (bytes[index] != '\r' && bytes[index] != '\n') continue;
        append(lua, bytes + start, index - start);
        append(lua, " ", 1);
        start = index + 1;
    }
    append(lua, bytes + start, count - start);
    append(lua, "\r\n", 2);
}

/// A number is one line, in RESP2 as well, where it is a bulk.
static void append_big_number(lua_State *L, fog_lua *lua, const char *bytes, size_t count) {
    if (lua->clientProtocol >= 3) return append_line(lua, '(', bytes, count);
    char *copy = lua_newuserdata(L, count + 1);
    for (size_t index = 0; index < count; index++) {
        copy[index] = bytes[index] == '\r' || bytes[index] == '\n' ? ' ' : bytes[index];
    }
    append_bulk(lua, copy, count);
    lua_pop(L, 1);
}

static void append_null(fog_lua *lua) {
    if (lua->clientProtocol >= 3) append(lua, "_\r\n", 3); else append(lua, "$-1\r\n", 5);
}

static void write_value(lua_State *L, fog_lua *lua);

/// Pushes table[name] of the table at the top.
static int push_field(lua_State *L, const char *name) {
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    return lua_type(L, -1);
}

/// The table at the top as a map or, its keys, as a set; pops it.
static void write_pairs(lua_State *L, fog_lua *lua, int isSet) {
    int table = lua_gettop(L);
    long long count = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        count++;
    }
    int isPlain = lua->clientProtocol < 3;
    append_header(lua, isPlain ? '*' : isSet ? '~' : '%', isPlain && !isSet ? count * 2 : count);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (isSet) {
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            write_value(L, lua);
        } else {
            lua_pushvalue(L, -2);
            write_value(L, lua);
            write_value(L, lua);
        }
    }
    lua_pop(L, 1);
}

static void write_array(lua_State *L, fog_lua *lua) {
    int count = 0;
    for (;;) {
        lua_rawgeti(L, -1, count + 1);
        int isEnd = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (isEnd) break;
        count++;
    }
    append_header(lua, '*', count);
    for (int index = 1; index <= count; index++) {
        lua_rawgeti(L, -1, index);
        write_value(L, lua);
    }
    lua_pop(L, 1);
}

/// {verbatim_string = {string, format}}; the inner table is at the top. 1 when it was one.
static int write_verbatim(lua_State *L, fog_lua *lua) {
    if (push_field(L, "format") != LUA_TSTRING) {
        lua_pop(L, 1);
        return 0;
    }
    size_t formatCount, count;
    const char *format = lua_tolstring(L, -1, &formatCount);
    lua_pushliteral(L, "string");
    lua_rawget(L, -3);
    if (lua_type(L, -1) != LUA_TSTRING) {
        lua_pop(L, 2);
        return 0;
    }
    const char *bytes = lua_tolstring(L, -1, &count);
    if (lua->clientProtocol < 3) {
        append_bulk(lua, bytes, count);
    } else {
        char head[4] = {' ', ' ', ' ', ':'};
        memcpy(head, format, formatCount > 3 ? 3 : formatCount);
        append_header(lua, '=', (long long)count + 4);
        append(lua, head, 4);
        append(lua, bytes, count);
        append(lua, "\r\n", 2);
    }
    lua_pop(L, 2);
    return 1;
}

/// The special shapes of a table, in the order in which Redis looks for them; 1 when it was one (and was popped).
static int write_special(lua_State *L, fog_lua *lua) {
    size_t count;
    const char *bytes;
    if (push_field(L, "err") == LUA_TSTRING) {
        bytes = lua_tolstring(L, -1, &count);
        append_line(lua, '-', bytes, count);
        goto written;
    }
    lua_pop(L, 1);
    if (push_field(L, "ok") == LUA_TSTRING) {
        bytes = lua_tolstring(L, -1, &count);
        append_line(lua, '+', bytes, count);
        goto written;
    }
    lua_pop(L, 1);
    if (push_field(L, "double") == LUA_TNUMBER) {
        lua->host.appendDouble(lua->host.context, lua_tonumber(L, -1));
        goto written;
    }
    lua_pop(L, 1);
    if (push_field(L, "map") == LUA_TTABLE || (lua_pop(L, 1), 0)) {
        write_pairs(L, lua, 0);
        lua_pop(L, 1);
        return 1;
    }
    if (push_field(L, "set") == LUA_TTABLE || (lua_pop(L, 1), 0)) {
        write_pairs(L, lua, 1);
        lua_pop(L, 1);
        return 1;
    }
    if (push_field(L, "big_number") == LUA_TSTRING) {
        bytes = lua_tolstring(L, -1, &count);
        append_big_number(L, lua, bytes, count);
        goto written;
    }
    lua_pop(L, 1);
    if (push_field(L, "verbatim_string") == LUA_TTABLE && write_verbatim(L, lua)) goto written;
    lua_pop(L, 1);
    return 0;
written:
    lua_pop(L, 2);
    return 1;
}

static void write_table(lua_State *L, fog_lua *lua) {
    if (fog_unshield(L, -1)) {
        // A library is no result; behind its shield it would show functions only.
        lua_pop(L, 2);
        append(lua, "*0\r\n", 4);
    } else if (!write_special(L, lua)) {
        write_array(L, lua);
    }
}

static void write_value(lua_State *L, fog_lua *lua) {
    if (!lua_checkstack(L, 6)) {
        static const char words[] = "-ERR reached lua stack limit\r\n";
        append(lua, words, sizeof words - 1);
        lua_pop(L, 1);
        return;
    }
    charge(lua, valueCost);
    size_t count;
    const char *bytes;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        bytes = lua_tolstring(L, -1, &count);
        append_bulk(lua, bytes, count);
        break;
    case LUA_TBOOLEAN:
        if (lua->protocol >= 3 && lua->clientProtocol >= 3) {
            append(lua, lua_toboolean(L, -1) ? "#t\r\n" : "#f\r\n", 4);
        } else if (lua->protocol >= 3) {
            append(lua, lua_toboolean(L, -1) ? ":1\r\n" : ":0\r\n", 4);
        } else if (lua_toboolean(L, -1)) {
            append(lua, ":1\r\n", 4);
        } else {
            append_null(lua);
        }
        break;
    case LUA_TNUMBER: append_header(lua, ':', to_integer(lua_tonumber(L, -1))); break;
    case LUA_TTABLE: write_table(L, lua); return;
    default: append_null(lua); break;
    }
    lua_pop(L, 1);
}

void fog_write_reply(lua_State *L) {
    fog_lua *lua = fog_lua_of(L);
    lua->replyCost = 0;
    write_value(L, lua);
}
