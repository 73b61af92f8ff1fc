// JSON.h - what the two directions of the `cjson` library share: the settings of one module (`cjson.new` makes more).
#ifndef FOG_JSON_H
#define FOG_JSON_H
#include "Bytes.h"

typedef struct {
    int sparseConverts;
    int sparseRatio;
    int sparseSafe;
    int encodeDepthMax;
    int decodeDepthMax;
    int precision;
    int keepsBuffer;
    /// 0 refused, 1 written as they are, 2 written as null.
    int encodeInvalidNumbers;
    int decodeInvalidNumbers;
} json_settings;

/// Settings of the function that runs.
static inline json_settings *json_settings_of(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

int fog_json_encode(lua_State *L);
int fog_json_decode(lua_State *L);

#endif
