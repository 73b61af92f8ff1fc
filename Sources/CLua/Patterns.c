// Patterns.c - the string library's searching functions, over a matcher that can be stopped.
#include "Interpreter.h"

void fog_open_patterns(lua_State *L) { (void)L; }
