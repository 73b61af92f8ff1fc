// Bits.c - the `bit` library: 32-bit integers in Lua's numbers, as BitOp defines it. Own code because the library that
// Debian ships (1.0.2) copies beyond its buffer for bit.tohex(x, -2147483648).
#include "Interpreter.h"

/// Adding 2^52 + 2^51 leaves the number's low 32 bits, rounded, in the low bits of its mantissa.
static int32_t to_bits(lua_State *L, int index) {
    union {
        double number;
        uint64_t bits;
    } value;
    value.number = luaL_checknumber(L, index) + 6755399441055744.0;
    return (int32_t)(uint32_t)value.bits;
}

static int push_bits(lua_State *L, uint32_t value) {
    lua_pushnumber(L, (lua_Number)(int32_t)value);
    return 1;
}

static int bit_tobit(lua_State *L) { return push_bits(L, (uint32_t)to_bits(L, 1)); }

static int bit_bnot(lua_State *L) { return push_bits(L, ~(uint32_t)to_bits(L, 1)); }

static int bit_bswap(lua_State *L) { return push_bits(L, __builtin_bswap32((uint32_t)to_bits(L, 1))); }

static int bit_band(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    for (int index = lua_gettop(L); index > 1; index--) value &= (uint32_t)to_bits(L, index);
    return push_bits(L, value);
}

static int bit_bor(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    for (int index = lua_gettop(L); index > 1; index--) value |= (uint32_t)to_bits(L, index);
    return push_bits(L, value);
}

static int bit_bxor(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    for (int index = lua_gettop(L); index > 1; index--) value ^= (uint32_t)to_bits(L, index);
    return push_bits(L, value);
}

static int bit_lshift(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    return push_bits(L, value << (to_bits(L, 2) & 31));
}

static int bit_rshift(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    return push_bits(L, value >> (to_bits(L, 2) & 31));
}

static int bit_arshift(lua_State *L) {
    int32_t value = to_bits(L, 1);
    return push_bits(L, (uint32_t)(value >> (to_bits(L, 2) & 31)));
}

static uint32_t rotate_left(uint32_t value, int32_t count) {
    count &= 31;
    return count == 0 ? value : value << count | value >> (32 - count);
}

static int bit_rol(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    return push_bits(L, rotate_left(value, to_bits(L, 2)));
}

static int bit_ror(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    return push_bits(L, rotate_left(value, 32 - (to_bits(L, 2) & 31)));
}

static int bit_tohex(lua_State *L) {
    uint32_t value = (uint32_t)to_bits(L, 1);
    int32_t count = lua_isnone(L, 2) ? 8 : to_bits(L, 2);
    const char *digits = "0123456789abcdef";
    if (count < 0) {
        digits = "0123456789ABCDEF";
        count = count <= -8 ? 8 : -count;
    }
    if (count > 8) count = 8;
    char text[8];
    for (int32_t index = count - 1; index >= 0; index--) {
        text[index] = digits[value & 15];
        value >>= 4;
    }
    lua_pushlstring(L, text, (size_t)count);
    return 1;
}

void fog_open_bit(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"tobit", bit_tobit}, {"bnot", bit_bnot}, {"band", bit_band}, {"bor", bit_bor},
        {"bxor", bit_bxor}, {"lshift", bit_lshift}, {"rshift", bit_rshift}, {"arshift", bit_arshift},
        {"rol", bit_rol}, {"ror", bit_ror}, {"bswap", bit_bswap}, {"tohex", bit_tohex}, {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, -2, entry->name);
    }
}
