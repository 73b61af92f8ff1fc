#include "Interpreter.h"
void fog_open_cjson(lua_State *L) { lua_newtable(L); }
void fog_open_cmsgpack(lua_State *L) { lua_newtable(L); }
void fog_open_struct(lua_State *L) { lua_newtable(L); }
void fog_open_patterns(lua_State *L) { (void)L; }
