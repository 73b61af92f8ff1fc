// Patterns.c - find, match, gmatch and gsub over a matcher of our own. Lua's recurses once per pattern item without a
// bound, which a long pattern turns into an overflow of the C stack, and nothing stops it while it backtracks. This one
// counts its steps and its depth: a slow search pauses like any script, and one that nests too deep is an error.
// Patterns are those of Lua 5.1: they end at a zero byte, and %f is known.
// memmem is glibc's own.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "Bytes.h"
#include <ctype.h>
#include <stddef.h>

enum {
    CAPTURES_MAX = 32,
    /// Nested items; a level takes some 200 bytes of the script's stack.
    DEPTH_MAX = 8000,
    /// Steps between two looks at the clock.
    STEPS_PER_LOOK = 1 << 15,
    UNFINISHED = -1,
    POSITION = -2,
};

typedef struct {
    lua_State *L;
    const char *source;
    const char *sourceEnd;
    const char *patternEnd;
    int depth;
    int steps;
    int captureCount;
    struct {
        const char *start;
        ptrdiff_t count;
    } captures[CAPTURES_MAX];
} matcher;

static void begin(matcher *state, lua_State *L, const char *source, size_t count, const char *pattern) {
    state->L = L;
    state->source = source;
    state->sourceEnd = source + count;
    state->patternEnd = pattern + strlen(pattern);
    state->depth = 0;
    state->steps = 0;
    state->captureCount = 0;
}

static inline void step(matcher *state) {
    if (++state->steps < STEPS_PER_LOOK) return;
    state->steps = 0;
    fog_pause_point(state->L);
}

// MARK: single characters

/// Behind the class that begins at `pattern`.
static const char *class_end(matcher *state, const char *pattern) {
    char first = *pattern++;
    if (first == '%') {
        if (pattern >= state->patternEnd) luaL_error(state->L, "malformed pattern (ends with '%%')");
        return pattern + 1;
    }
    if (first != '[') return pattern;
    if (*pattern == '^') pattern++;
    do {
        if (pattern >= state->patternEnd) luaL_error(state->L, "malformed pattern (missing ']')");
        if (*pattern++ == '%' && pattern < state->patternEnd) pattern++;
    } while (pattern >= state->patternEnd || *pattern != ']');
    return pattern + 1;
}

static int matches_class(int byte, int class) {
    int result;
    switch (tolower(class)) {
    case 'a': result = isalpha(byte); break;
    case 'c': result = iscntrl(byte); break;
    case 'd': result = isdigit(byte); break;
    case 'l': result = islower(byte); break;
    case 'p': result = ispunct(byte); break;
    case 's': result = isspace(byte); break;
    case 'u': result = isupper(byte); break;
    case 'w': result = isalnum(byte); break;
    case 'x': result = isxdigit(byte); break;
    case 'z': result = byte == 0; break;
    default: return class == byte;
    }
    return islower(class) ? result != 0 : result == 0;
}

/// Whether the set from `set` ("[") to `end` ("]") has the byte.
static int matches_set(int byte, const char *set, const char *end) {
    int isIncluded = 1;
    set++;
    if (*set == '^') {
        isIncluded = 0;
        set++;
    }
    for (; set < end; set++) {
        if (*set == '%') {
            set++;
            if (matches_class(byte, (unsigned char)*set)) return isIncluded;
        } else if (set[1] == '-' && set + 2 < end) {
            if ((unsigned char)set[0] <= byte && byte <= (unsigned char)set[2]) return isIncluded;
            set += 2;
        } else if ((unsigned char)*set == byte) {
            return isIncluded;
        }
    }
    return !isIncluded;
}

/// Whether the item at `pattern`, which ends at `end`, takes the byte.
static int matches_one(int byte, const char *pattern, const char *end) {
    switch (*pattern) {
    case '.': return 1;
    case '%': return matches_class(byte, (unsigned char)pattern[1]);
    case '[': return matches_set(byte, pattern, end - 1);
    default: return (unsigned char)*pattern == byte;
    }
}

static int takes(const matcher *state, const char *place, const char *pattern, const char *end) {
    return place < state->sourceEnd && matches_one((unsigned char)*place, pattern, end);
}

// MARK: the matcher

static const char *match(matcher *state, const char *place, const char *pattern);

/// %bxy
static const char *match_balance(matcher *state, const char *place, const char *pattern) {
    if (state->patternEnd - pattern < 2) luaL_error(state->L, "unbalanced pattern");
    if (place >= state->sourceEnd || *place != pattern[0]) return NULL;
    size_t open = 1;
    while (++place < state->sourceEnd) {
        step(state);
        if (*place == pattern[1]) {
            if (--open == 0) return place + 1;
        } else if (*place == pattern[0]) {
            open++;
        }
    }
    return NULL;
}

/// As many as there are, then fewer.
static const char *match_longest(matcher *state, const char *place, const char *pattern, const char *end) {
    ptrdiff_t count = 0;
    while (takes(state, place + count, pattern, end)) {
        count++;
        step(state);
    }
    for (; count >= 0; count--) {
        const char *result = match(state, place + count, end + 1);
        if (result != NULL) return result;
    }
    return NULL;
}

/// As few as possible, then more.
static const char *match_shortest(matcher *state, const char *place, const char *pattern, const char *end) {
    for (;;) {
        const char *result = match(state, place, end + 1);
        if (result != NULL) return result;
        if (!takes(state, place, pattern, end)) return NULL;
        place++;
    }
}

static const char *match_capture(matcher *state, const char *place, const char *pattern, ptrdiff_t kind) {
    int index = state->captureCount;
    if (index >= CAPTURES_MAX) luaL_error(state->L, "too many captures");
    state->captures[index].start = place;
    state->captures[index].count = kind;
    state->captureCount = index + 1;
    const char *result = match(state, place, pattern);
    if (result == NULL) state->captureCount--;
    return result;
}

static const char *match_capture_end(matcher *state, const char *place, const char *pattern) {
    int index = state->captureCount - 1;
    while (index >= 0 && state->captures[index].count != UNFINISHED) index--;
    if (index < 0) luaL_error(state->L, "invalid pattern capture");
    state->captures[index].count = place - state->captures[index].start;
    const char *result = match(state, place, pattern);
    if (result == NULL) state->captures[index].count = UNFINISHED;
    return result;
}

/// %1: what a capture took, once more.
static const char *match_again(matcher *state, const char *place, int digit) {
    int index = digit - '1';
    if (index < 0 || index >= state->captureCount || state->captures[index].count == UNFINISHED) {
        luaL_error(state->L, "invalid capture index");
    }
    ptrdiff_t count = state->captures[index].count;
    if (count < 0 || state->sourceEnd - place < count) return NULL;
    return memcmp(state->captures[index].start, place, (size_t)count) == 0 ? place + count : NULL;
}

/// %f[set]: a place between a byte outside of the set and one in it; behind the set, or NULL.
static const char *match_frontier(matcher *state, const char *place, const char *pattern) {
    if (pattern >= state->patternEnd || *pattern != '[') luaL_error(state->L, "missing '[' after '%%f' in pattern");
    const char *end = class_end(state, pattern);
    int before = place == state->source ? 0 : (unsigned char)place[-1];
    int here = place < state->sourceEnd ? (unsigned char)*place : 0;
    return !matches_set(before, pattern, end - 1) && matches_set(here, pattern, end - 1) ? end : NULL;
}

/// What stands behind the escape at `pattern`: 1 when it was something special, `place` and `pattern` moved on (`place`
/// is NULL when it did not match).
static int match_escape(matcher *state, const char **place, const char **pattern) {
    const char *item = *pattern + 1;
    if (item >= state->patternEnd) return 0;
    if (*item == 'b') {
        *place = match_balance(state, *place, item + 1);
        *pattern = item + 3;
    } else if (*item == 'f') {
        const char *end = match_frontier(state, *place, item + 1);
        if (end == NULL) *place = NULL; else *pattern = end;
    } else if (isdigit((unsigned char)*item)) {
        *place = match_again(state, *place, *item);
        *pattern = item + 1;
    } else {
        return 0;
    }
    return 1;
}

/// The end of the match of `pattern` at `place`, NULL when there is none.
static const char *match_items(matcher *state, const char *place, const char *pattern) {
    for (;;) {
        step(state);
        if (pattern >= state->patternEnd) return place;
        switch (*pattern) {
        case '(':
            if (pattern[1] == ')') return match_capture(state, place, pattern + 2, POSITION);
            return match_capture(state, place, pattern + 1, UNFINISHED);
        case ')': return match_capture_end(state, place, pattern + 1);
        case '$':
            if (pattern + 1 == state->patternEnd) return place == state->sourceEnd ? place : NULL;
            break;
        case '%':
            if (!match_escape(state, &place, &pattern)) break;
            if (place == NULL) return NULL;
            continue;
        }
        const char *end = class_end(state, pattern);
        switch (end < state->patternEnd ? *end : 0) {
        case '?':
            if (takes(state, place, pattern, end)) {
                const char *result = match(state, place + 1, end + 1);
                if (result != NULL) return result;
            }
            pattern = end + 1;
            continue;
        case '*': return match_longest(state, place, pattern, end);
        case '+':
            if (!takes(state, place, pattern, end)) return NULL;
            return match_longest(state, place + 1, pattern, end);
        case '-': return match_shortest(state, place, pattern, end);
        }
        if (!takes(state, place, pattern, end)) return NULL;
        place++;
        pattern = end;
    }
}

static const char *match(matcher *state, const char *place, const char *pattern) {
    if (++state->depth > DEPTH_MAX) luaL_error(state->L, "pattern too complex");
    const char *result = match_items(state, place, pattern);
    state->depth--;
    return result;
}

static const char *match_at(matcher *state, const char *place, const char *pattern) {
    state->captureCount = 0;
    state->depth = 0;
    return match(state, place, pattern);
}

// MARK: captures

/// Pushes a capture; the whole match, from `start` to `end`, stands for the first one when there is none.
static void push_capture(matcher *state, int index, const char *start, const char *end) {
    lua_State *L = state->L;
    if (index >= state->captureCount) {
        if (index != 0) luaL_error(L, "invalid capture index");
        return lua_pushlstring(L, start, (size_t)(end - start));
    }
    ptrdiff_t count = state->captures[index].count;
    if (count == UNFINISHED) luaL_error(L, "unfinished capture");
    if (count == POSITION) return lua_pushinteger(L, state->captures[index].start - state->source + 1);
    lua_pushlstring(L, state->captures[index].start, (size_t)count);
}

/// Pushes all captures; with none, the whole match if `start` is not NULL.
static int push_captures(matcher *state, const char *start, const char *end) {
    int count = state->captureCount == 0 && start != NULL ? 1 : state->captureCount;
    luaL_checkstack(state->L, count, "too many captures");
    for (int index = 0; index < count; index++) push_capture(state, index, start, end);
    return count;
}

// MARK: functions

/// Where a search begins, from an argument that may count from the end.
static size_t start_offset(lua_State *L, int index, size_t count) {
    lua_Integer start = luaL_optinteger(L, index, 1);
    if (start < 0) start = -start > (lua_Integer)count ? 1 : start + (lua_Integer)count + 1;
    if (start <= 0) return 0;
    return (size_t)start - 1 > count ? count : (size_t)start - 1;
}

static int search(lua_State *L, int isFind) {
    size_t count, patternCount;
    const char *source = luaL_checklstring(L, 1, &count);
    const char *pattern = luaL_checklstring(L, 2, &patternCount);
    size_t offset = start_offset(L, 3, count);
    if (isFind && (lua_toboolean(L, 4) || strpbrk(pattern, "^$*+?.([%-") == NULL)) {
        const char *found = memmem(source + offset, count - offset, pattern, patternCount);
        if (found == NULL) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, found - source + 1);
        lua_pushinteger(L, found - source + (lua_Integer)patternCount);
        return 2;
    }
    matcher state;
    begin(&state, L, source, count, pattern);
    int isAnchored = *pattern == '^';
    if (isAnchored) pattern++;
    for (const char *place = source + offset; place <= state.sourceEnd; place++) {
        const char *end = match_at(&state, place, pattern);
        if (end != NULL) {
            if (!isFind) return push_captures(&state, place, end);
            lua_pushinteger(L, place - source + 1);
            lua_pushinteger(L, end - source);
            return push_captures(&state, NULL, NULL) + 2;
        }
        if (isAnchored) break;
    }
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L) { return search(L, 1); }

static int string_match(lua_State *L) { return search(L, 0); }

/// The iterator of gmatch: source, pattern and offset are its upvalues.
static int next_match(lua_State *L) {
    size_t count;
    const char *source = lua_tolstring(L, lua_upvalueindex(1), &count);
    const char *pattern = lua_tostring(L, lua_upvalueindex(2));
    matcher state;
    begin(&state, L, source, count, pattern);
    const char *place = source + (size_t)lua_tointeger(L, lua_upvalueindex(3));
    for (; place <= state.sourceEnd; place++) {
        const char *end = match_at(&state, place, pattern);
        if (end == NULL) continue;
        lua_pushinteger(L, end - source + (end == place));
        lua_replace(L, lua_upvalueindex(3));
        return push_captures(&state, place, end);
    }
    return 0;
}

static int string_gmatch(lua_State *L) {
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_match, 3);
    return 1;
}

/// The replacement text at 3, its %0 to %9 filled in.
static void add_text(matcher *state, fog_bytes *output, const char *start, const char *end) {
    size_t count;
    const char *text = lua_tolstring(state->L, 3, &count);
    for (size_t index = 0; index < count; index++) {
        if (text[index] != '%') {
            fog_bytes_byte(output, text[index]);
            continue;
        }
        char digit = ++index < count ? text[index] : 0;
        if (!isdigit((unsigned char)digit)) {
            fog_bytes_byte(output, digit);
        } else if (digit == '0') {
            fog_bytes_add(output, start, (size_t)(end - start));
        } else {
            size_t captureCount;
            push_capture(state, digit - '1', start, end);
            const char *capture = lua_tolstring(state->L, -1, &captureCount);
            fog_bytes_add(output, capture, captureCount);
            lua_pop(state->L, 1);
        }
    }
}

/// What the table or function at 3 makes of a match; the match itself when that is nothing.
static void add_replacement(matcher *state, fog_bytes *output, const char *start, const char *end) {
    lua_State *L = state->L;
    int type = lua_type(L, 3);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) return add_text(state, output, start, end);
    if (type == LUA_TTABLE) {
        push_capture(state, 0, start, end);
        lua_gettable(L, 3);
    } else {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(state, start, end), 1);
    }
    size_t count = (size_t)(end - start);
    const char *text = start;
    if (lua_toboolean(L, -1)) {
        if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
        text = lua_tolstring(L, -1, &count);
    }
    fog_bytes_add(output, text, count);
    lua_pop(L, 1);
}

static int string_gsub(lua_State *L) {
    size_t count;
    const char *source = luaL_checklstring(L, 1, &count);
    const char *pattern = luaL_checkstring(L, 2);
    int type = lua_type(L, 3);
    luaL_argcheck(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
        "string/function/table expected");
    lua_Number most = luaL_optnumber(L, 4, (lua_Number)count + 1);
    lua_settop(L, 3);
    matcher state;
    begin(&state, L, source, count, pattern);
    int isAnchored = *pattern == '^';
    if (isAnchored) pattern++;
    fog_bytes output;
    fog_bytes_open(&output, L);
    const char *place = source;
    lua_Number found = 0;
    while (found < most) {
        const char *end = match_at(&state, place, pattern);
        if (end != NULL) {
            found++;
            add_replacement(&state, &output, place, end);
        }
        if (end != NULL && end > place) {
            place = end;
        } else if (place < state.sourceEnd) {
            fog_bytes_byte(&output, *place++);
        } else {
            break;
        }
        if (isAnchored) break;
    }
    fog_bytes_add(&output, place, (size_t)(state.sourceEnd - place));
    fog_bytes_push(&output);
    lua_pushnumber(L, found);
    return 2;
}

static int string_rep(lua_State *L) {
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    lua_Number times = luaL_checkinteger(L, 2);
    if (count == 0 || times <= 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((lua_Number)count * times > (lua_Number)fog_lua_of(L)->byteCountMax) {
        fog_lua_of(L)->isOutOfMemory = 1;
        return luaL_error(L, "not enough memory");
    }
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Number index = 0; index < times; index++) luaL_addlstring(&buffer, text, count);
    luaL_pushresult(&buffer);
    return 1;
}

void fog_open_patterns(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gfind", string_gmatch},
        {"gsub", string_gsub}, {"rep", string_rep}, {NULL, NULL},
    };
    for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
        lua_pushcfunction(L, entry->func);
        lua_setfield(L, -2, entry->name);
    }
}
