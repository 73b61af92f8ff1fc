// Bytes.h - bytes that grow while Lua values are walked. A luaL_Buffer keeps its pieces on the Lua stack, where a walk
// has its values; this keeps them in a userdata at one fixed place, so that an error frees them like everything else.
#ifndef FOG_BYTES_H
#define FOG_BYTES_H
#include <string.h>
#include "Interpreter.h"

typedef struct {
    lua_State *L;
    /// Stack index of the userdata that holds the bytes.
    int place;
    char *data;
    size_t count;
    size_t capacity;
} fog_bytes;

/// Pushes the buffer's first memory.
static inline void fog_bytes_open(fog_bytes *bytes, lua_State *L) {
    bytes->L = L;
    bytes->capacity = 256;
    bytes->count = 0;
    bytes->data = lua_newuserdata(L, bytes->capacity);
    bytes->place = lua_gettop(L);
}

/// Room for `additional` bytes.
static inline void fog_bytes_reserve(fog_bytes *bytes, size_t additional) {
    if (bytes->capacity - bytes->count >= additional) return;
    if (additional > (size_t)1 << 40) luaL_error(bytes->L, "not enough memory");
    size_t capacity = bytes->capacity * 2;
    if (capacity < bytes->count + additional) capacity = bytes->count + additional;
    luaL_checkstack(bytes->L, 1, "too deep a value");
    char *data = lua_newuserdata(bytes->L, capacity);
    memcpy(data, bytes->data, bytes->count);
    lua_replace(bytes->L, bytes->place);
    bytes->data = data;
    bytes->capacity = capacity;
}

static inline void fog_bytes_add(fog_bytes *bytes, const char *source, size_t count) {
    fog_bytes_reserve(bytes, count);
    if (count > 0) memcpy(bytes->data + bytes->count, source, count);
    bytes->count += count;
}

static inline void fog_bytes_byte(fog_bytes *bytes, char byte) {
    fog_bytes_reserve(bytes, 1);
    bytes->data[bytes->count++] = byte;
}

/// Pushes the bytes as a string.
static inline void fog_bytes_push(fog_bytes *bytes) { lua_pushlstring(bytes->L, bytes->data, bytes->count); }

#endif
