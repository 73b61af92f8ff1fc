#include "Interpreter.h"
void fog_open_patterns(lua_State *L) { (void)L; }
