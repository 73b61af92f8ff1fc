// Struct.c - the `struct` library: numbers and strings to bytes and back by a format. Own code: sizes come from
// scripts, so each is bounded before it is used (the stock library read beyond its arguments for sizes near 2^31).
//   > big endian   < little endian   ! [n] alignment   x a zero byte   b/B h/H l/L T i[n]/I[n] integers
//   f d floats   s a string up to its zero   c[n] n bytes (c0: as many as the number before said)   blank: nothing
#include "Interpreter.h"
#include <string.h>

enum { INTEGER_BYTES_MAX = 32, ALIGNMENT_MAX = 8 };

typedef struct {
    const char *format;
    int isLittle;
    /// Power of two; 1 aligns nothing.
    size_t alignment;
} layout;

static void begin(layout *state, const char *format) {
    const uint16_t probe = 1;
    state->format = format;
    state->isLittle = *(const uint8_t *)&probe;
    state->alignment = 1;
}

/// The number at the format's place, `missing` when there is none.
static size_t take_number(lua_State *L, layout *state, size_t missing) {
    if (*state->format < '0' || *state->format > '9') return missing;
    size_t value = 0;
    while (*state->format >= '0' && *state->format <= '9') {
        value = value * 10 + (size_t)(*state->format++ - '0');
        if (value > INT32_MAX) luaL_error(L, "integral size overflow");
    }
    return value;
}

/// Bytes of the option `type`, whose letter was taken.
static size_t option_size(lua_State *L, char type, layout *state) {
    size_t count;
    switch (type) {
    case 'B':
    case 'b': return 1;
    case 'H':
    case 'h': return sizeof(short);
    case 'L':
    case 'l': return sizeof(long);
    case 'T': return sizeof(size_t);
    case 'f': return sizeof(float);
    case 'd': return sizeof(double);
    case 'x': return 1;
    case 'c': return take_number(L, state, 1);
    case 'i':
    case 'I':
        count = take_number(L, state, sizeof(int));
        if (count > INTEGER_BYTES_MAX) {
            luaL_error(L, "integral size %d is larger than limit of %d", (int)count, INTEGER_BYTES_MAX);
        }
        return count;
    default: return 0; // no size of its own
    }
}

/// Padding before an option of `size` bytes at `offset`.
static size_t padding(size_t offset, size_t size, char type, const layout *state) {
    if (size == 0 || type == 'c') return 0;
    size_t alignment = size > state->alignment ? state->alignment : size;
    if (alignment <= 1 || (alignment & (alignment - 1)) != 0) return 0;
    return (alignment - (offset & (alignment - 1))) & (alignment - 1);
}

/// Options that say how the others are to be read.
static void take_control(lua_State *L, char type, layout *state) {
    size_t alignment;
    switch (type) {
    case ' ': return;
    case '>': state->isLittle = 0; return;
    case '<': state->isLittle = 1; return;
    case '!':
        alignment = take_number(L, state, ALIGNMENT_MAX);
        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
            luaL_error(L, "alignment %d is not a power of 2", (int)alignment);
        }
        state->alignment = alignment;
        return;
    default: {
        char words[] = "invalid format option '?'";
        words[sizeof words - 3] = type;
        luaL_argerror(L, 1, words);
    }
    }
}

static void add_integer(lua_State *L, luaL_Buffer *buffer, int argument, int isLittle, size_t size) {
    lua_Number number = luaL_checknumber(L, argument);
    uint64_t value;
    if (number < 0) {
        value = number >= -9223372036854775808.0 ? (uint64_t)(int64_t)number : (uint64_t)INT64_MIN;
    } else {
        value = number < 18446744073709551616.0 ? (uint64_t)number : 0;
    }
    char bytes[INTEGER_BYTES_MAX];
    for (size_t index = 0; index < size; index++) {
        // Beyond eight bytes a shift would have no meaning: they are zero.
        char byte = index < 8 ? (char)(value >> (8 * index)) : 0;
        bytes[isLittle ? index : size - 1 - index] = byte;
    }
    luaL_addlstring(buffer, bytes, size);
}

static void add_float(luaL_Buffer *buffer, const void *value, size_t size, int isLittle) {
    const uint16_t probe = 1;
    char bytes[8];
    memcpy(bytes, value, size);
    if (isLittle != *(const uint8_t *)&probe) {
        for (size_t index = 0; index < size / 2; index++) {
            char byte = bytes[index];
            bytes[index] = bytes[size - 1 - index];
            bytes[size - 1 - index] = byte;
        }
    }
    luaL_addlstring(buffer, bytes, size);
}

/// Adds a string argument; the bytes it takes.
static size_t add_string(lua_State *L, luaL_Buffer *buffer, char type, size_t size, int argument) {
    size_t count;
    const char *bytes = luaL_checklstring(L, argument, &count);
    if (type == 'c' && size > 0) {
        luaL_argcheck(L, count >= size, argument + 1, "string too short");
        count = size;
    }
    luaL_addlstring(buffer, bytes, count);
    if (type != 's') return count;
    luaL_addchar(buffer, '\0');
    return count + 1;
}

static int struct_pack(lua_State *L) {
    layout state;
    begin(&state, luaL_checkstring(L, 1));
    luaL_Buffer buffer;
    int argument = 2;
    size_t total = 0;
    lua_pushnil(L); // a mark between the arguments and the buffer's pieces
    luaL_buffinit(L, &buffer);
    while (*state.format != 0) {
        char type = *state.format++;
        size_t size = option_size(L, type, &state);
        size_t fill = padding(total, size, type, &state);
        total += fill;
        while (fill-- > 0) luaL_addchar(&buffer, '\0');
        switch (type) {
        case 'b': case 'B': case 'h': case 'H': case 'l': case 'L': case 'T': case 'i': case 'I':
            add_integer(L, &buffer, argument++, state.isLittle, size);
            break;
        case 'x': luaL_addchar(&buffer, '\0'); break;
        case 'f': {
            float value = (float)luaL_checknumber(L, argument++);
            add_float(&buffer, &value, sizeof value, state.isLittle);
            break;
        }
        case 'd': {
            double value = luaL_checknumber(L, argument++);
            add_float(&buffer, &value, sizeof value, state.isLittle);
            break;
        }
        case 'c':
        case 's': size = add_string(L, &buffer, type, size, argument++); break;
        default: take_control(L, type, &state); size = 0; break;
        }
        total += size;
    }
    luaL_pushresult(&buffer);
    return 1;
}

static lua_Number read_integer(const char *bytes, int isLittle, int isSigned, size_t size) {
    uint64_t value = 0;
    for (size_t index = 0; index < size && index < 8; index++) {
        // The low eight bytes count, wherever the order puts them.
        uint8_t byte = (uint8_t)(isLittle ? bytes[index] : bytes[size - 1 - index]);
        value |= (uint64_t)byte << (8 * index);
    }
    if (!isSigned) return (lua_Number)value;
    if (size < 8 && size > 0) {
        uint64_t sign = (uint64_t)1 << (8 * size - 1);
        return (lua_Number)(int64_t)((value ^ sign) - sign);
    }
    return (lua_Number)(int64_t)value;
}

static lua_Number read_float(const char *bytes, size_t size, int isLittle) {
    const uint16_t probe = 1;
    char copy[8];
    for (size_t index = 0; index < size; index++) {
        copy[index] = isLittle == *(const uint8_t *)&probe ? bytes[index] : bytes[size - 1 - index];
    }
    if (size == sizeof(float)) {
        float value;
        memcpy(&value, copy, sizeof value);
        return value;
    }
    double value;
    memcpy(&value, copy, sizeof value);
    return value;
}

static int struct_unpack(lua_State *L) {
    layout state;
    begin(&state, luaL_checkstring(L, 1));
    size_t byteCount;
    const char *data = luaL_checklstring(L, 2, &byteCount);
    lua_Number start = luaL_optnumber(L, 3, 1);
    luaL_argcheck(L, start != 0, 3, "offset must be 1 or greater");
    // Whatever lies outside of the data is too far.
    size_t position = start >= 1 && start - 1 <= (lua_Number)byteCount ? (size_t)start - 1 : byteCount + 1;
    int count = 0;
    while (*state.format != 0) {
        char type = *state.format++;
        size_t size = option_size(L, type, &state);
        size_t fill = padding(position, size, type, &state);
        luaL_argcheck(
            L, position <= byteCount && fill <= byteCount - position && size <= byteCount - position - fill, 2,
            "data string too short");
        position += fill;
        luaL_checkstack(L, 2, "too many results");
        switch (type) {
        case 'b': case 'B': case 'h': case 'H': case 'l': case 'L': case 'T': case 'i': case 'I':
            lua_pushnumber(L, read_integer(data + position, state.isLittle, type >= 'a', size));
            count++;
            break;
        case 'x': break;
        case 'f':
        case 'd':
            lua_pushnumber(L, read_float(data + position, size, state.isLittle));
            count++;
            break;
        case 'c':
            if (size == 0) {
                if (count == 0 || !lua_isnumber(L, -1)) luaL_error(L, "format 'c0' needs a previous size");
                lua_Number wanted = lua_tonumber(L, -1);
                lua_pop(L, 1);
                count--;
                luaL_argcheck(
                    L, wanted >= 0 && wanted <= (lua_Number)(byteCount - position), 2, "data string too short");
                size = (size_t)wanted;
            }
            lua_pushlstring(L, data + position, size);
            count++;
            break;
        case 's': {
            const char *end = memchr(data + position, 0, byteCount - position);
            if (end == NULL) luaL_error(L, "unfinished string in data");
            size = (size_t)(end - (data + position)) + 1;
            lua_pushlstring(L, data + position, size - 1);
            count++;
            break;
        }
        default: take_control(L, type, &state); size = 0; break;
        }
        position += size;
    }
    lua_pushnumber(L, (lua_Number)position + 1);
    return count + 1;
}

static int struct_size(lua_State *L) {
    layout state;
    begin(&state, luaL_checkstring(L, 1));
    size_t position = 0;
    while (*state.format != 0) {
        char type = *state.format++;
        size_t size = option_size(L, type, &state);
        if (type == 's') luaL_argerror(L, 1, "option 's' has no fixed size");
        if (type == 'c' && size == 0) luaL_argerror(L, 1, "option 'c0' has no fixed size");
        size_t fill = padding(position, size, type, &state);
        if (size == 0) take_control(L, type, &state);
        position += fill + size;
        if (position > INT32_MAX) luaL_argerror(L, 1, "format too large");
    }
    lua_pushnumber(L, (lua_Number)position);
    return 1;
}

void fog_open_struct(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, struct_pack);
    lua_setfield(L, -2, "pack");
    lua_pushcfunction(L, struct_unpack);
    lua_setfield(L, -2, "unpack");
    lua_pushcfunction(L, struct_size);
    lua_setfield(L, -2, "size");
}
