// JSONDecode.c - cjson.decode: one pass over the text, values straight onto the Lua stack. Nesting is bounded by the
// settings and by the Lua stack; no length is believed, everything ends at the text's end.
#include "JSON.h"
#include <stdlib.h>

enum token {
    OBJECT_BEGIN, OBJECT_END, ARRAY_BEGIN, ARRAY_END, STRING, NUMBER, BOOLEAN, NULL_VALUE, COLON, COMMA, END, ERROR,
};

static const char *const tokenNames[] = {
    "T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER", "T_BOOLEAN", "T_NULL", "T_COLON",
    "T_COMMA", "T_END", "T_ERROR",
};

typedef struct {
    lua_State *L;
    const json_settings *settings;
    const char *text;
    /// Where the text ends; Lua puts a zero there.
    const char *end;
    const char *place;
    int depth;
    /// The string that was read last.
    fog_bytes string;

    // The token at hand.
    enum token token;
    const char *start;
    lua_Number number;
    int boolean;
    const char *error;
} parser;

static void fail(parser *input, const char *expected) {
    const char *found = input->token == ERROR ? input->error : tokenNames[input->token];
    luaL_error(
        input->L, "Expected %s but found %s at character %d", expected, found, (int)(input->start - input->text) + 1);
}

static void set_error(parser *input, const char *words) {
    input->token = ERROR;
    input->error = words;
}

// MARK: strings

static int hex_digit(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/// The four digits at `place`, -1 when they are not there.
static long hex_number(const parser *input, const char *place) {
    if (input->end - place < 4) return -1;
    long value = 0;
    for (int index = 0; index < 4; index++) {
        int digit = hex_digit(place[index]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static void add_character(fog_bytes *string, unsigned long code) {
    char bytes[4];
    size_t count;
    if (code < 0x80) {
        bytes[0] = (char)code;
        count = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xC0 | code >> 6);
        bytes[1] = (char)(0x80 | (code & 0x3F));
        count = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xE0 | code >> 12);
        bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code & 0x3F));
        count = 3;
    } else {
        bytes[0] = (char)(0xF0 | code >> 18);
        bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[3] = (char)(0x80 | (code & 0x3F));
        count = 4;
    }
    fog_bytes_add(string, bytes, count);
}

/// \uXXXX at the place, a pair of surrogates as one; 0 when it is malformed.
static int take_unicode(parser *input) {
    long code = hex_number(input, input->place + 2);
    if (code < 0) return 0;
    input->place += 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code >= 0xDC00) return 0;
        if (input->end - input->place < 6 || input->place[0] != '\\' || input->place[1] != 'u') return 0;
        long low = hex_number(input, input->place + 2);
        if (low < 0xDC00 || low > 0xDFFF) return 0;
        input->place += 6;
        code = ((code & 0x3FF) << 10 | (low & 0x3FF)) + 0x10000;
    }
    add_character(&input->string, (unsigned long)code);
    return 1;
}

static void take_string(parser *input) {
    input->string.count = 0;
    input->place++;
    for (;;) {
        if (input->place >= input->end || *input->place == 0) {
            input->start = input->place;
            return set_error(input, "unexpected end of string");
        }
        char byte = *input->place;
        if (byte == '"') break;
        if (byte != '\\') {
            fog_bytes_byte(&input->string, byte);
            input->place++;
            continue;
        }
        char escaped = input->place + 1 < input->end ? input->place[1] : 0;
        char plain;
        switch (escaped) {
        case '"': case '\\': case '/': plain = escaped; break;
        case 'b': plain = '\b'; break;
        case 't': plain = '\t'; break;
        case 'n': plain = '\n'; break;
        case 'f': plain = '\f'; break;
        case 'r': plain = '\r'; break;
        case 'u':
            input->start = input->place;
            if (!take_unicode(input)) return set_error(input, "invalid unicode escape code");
            continue;
        default:
            input->start = input->place;
            return set_error(input, "invalid escape code");
        }
        fog_bytes_byte(&input->string, plain);
        input->place += 2;
    }
    input->place++;
    input->token = STRING;
}

// MARK: numbers

static int starts_ignoring_case(const char *text, const char *word) {
    for (; *word != 0; text++, word++) {
        if ((*text | 0x20) != *word) return 0;
    }
    return 1;
}

/// What C reads as a number and JSON does not have: hexadecimal, leading zeros, infinities, NaN.
static int is_invalid_number(const char *text) {
    if (*text == '+') return 1;
    if (*text == '-') text++;
    if (*text == '0') {
        char next = text[1];
        return (next | 0x20) == 'x' || (next >= '0' && next <= '9');
    }
    if (*text >= '0' && *text <= '9') return 0;
    return starts_ignoring_case(text, "inf") || starts_ignoring_case(text, "nan");
}

static void take_number(parser *input) {
    char *end;
    input->number = strtod(input->place, &end);
    if (end == input->place) return set_error(input, "invalid number");
    input->place = end;
    input->token = NUMBER;
}

// MARK: tokens

static void take_word(parser *input) {
    size_t left = (size_t)(input->end - input->place);
    if (left >= 4 && memcmp(input->place, "true", 4) == 0) {
        input->place += 4;
        input->token = BOOLEAN;
        input->boolean = 1;
    } else if (left >= 5 && memcmp(input->place, "false", 5) == 0) {
        input->place += 5;
        input->token = BOOLEAN;
        input->boolean = 0;
    } else if (left >= 4 && memcmp(input->place, "null", 4) == 0) {
        input->place += 4;
        input->token = NULL_VALUE;
    } else if (input->settings->decodeInvalidNumbers && is_invalid_number(input->place)) {
        take_number(input);
    } else {
        set_error(input, "invalid token");
    }
}

static int is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

static void next(parser *input) {
    while (input->place < input->end && is_blank(*input->place)) input->place++;
    input->start = input->place;
    char byte = input->place < input->end ? *input->place : 0;
    switch (byte) {
    case 0: input->token = END; return;
    case '{': input->token = OBJECT_BEGIN; break;
    case '}': input->token = OBJECT_END; break;
    case '[': input->token = ARRAY_BEGIN; break;
    case ']': input->token = ARRAY_END; break;
    case ',': input->token = COMMA; break;
    case ':': input->token = COLON; break;
    case '"': take_string(input); return;
    default:
        if (byte == '-' || (byte >= '0' && byte <= '9')) {
            if (!input->settings->decodeInvalidNumbers && is_invalid_number(input->place)) {
                set_error(input, "invalid number");
            } else {
                take_number(input);
            }
        } else {
            take_word(input);
        }
        return;
    }
    input->place++;
}

// MARK: values

static void push_value(parser *input);

static void descend(parser *input) {
    input->depth++;
    if (input->depth <= input->settings->decodeDepthMax && lua_checkstack(input->L, 6)) return;
    luaL_error(
        input->L, "Found too many nested data structures (%d) at character %d", input->depth,
        (int)(input->place - input->text));
}

static void push_object(parser *input) {
    descend(input);
    lua_newtable(input->L);
    next(input);
    if (input->token != OBJECT_END) {
        for (;;) {
            if (input->token != STRING) fail(input, "object key string");
            fog_bytes_push(&input->string);
            next(input);
            if (input->token != COLON) fail(input, "colon");
            next(input);
            push_value(input);
            lua_rawset(input->L, -3);
            next(input);
            if (input->token == OBJECT_END) break;
            if (input->token != COMMA) fail(input, "comma or object end");
            next(input);
        }
    }
    input->depth--;
}

static void push_array(parser *input) {
    descend(input);
    lua_newtable(input->L);
    next(input);
    if (input->token != ARRAY_END) {
        for (int index = 1;; index++) {
            push_value(input);
            lua_rawseti(input->L, -2, index);
            next(input);
            if (input->token == ARRAY_END) break;
            if (input->token != COMMA) fail(input, "comma or array end");
            next(input);
        }
    }
    input->depth--;
}

/// The value whose first token is at hand.
static void push_value(parser *input) {
    switch (input->token) {
    case STRING: fog_bytes_push(&input->string); return;
    case NUMBER: lua_pushnumber(input->L, input->number); return;
    case BOOLEAN: lua_pushboolean(input->L, input->boolean); return;
    case NULL_VALUE: lua_pushlightuserdata(input->L, NULL); return;
    case OBJECT_BEGIN: push_object(input); return;
    case ARRAY_BEGIN: push_array(input); return;
    default: fail(input, "value");
    }
}

int fog_json_decode(lua_State *L) {
    luaL_argcheck(L, lua_gettop(L) == 1, 1, "expected 1 argument");
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count);
    if (count >= 2 && (text[0] == 0 || text[1] == 0)) {
        return luaL_error(L, "JSON parser does not support UTF-16 or UTF-32");
    }
    parser input;
    memset(&input, 0, sizeof input);
    input.L = L;
    input.settings = json_settings_of(L);
    input.text = text;
    input.end = text + count;
    input.place = text;
    fog_bytes_open(&input.string, L);
    next(&input);
    push_value(&input);
    next(&input);
    if (input.token != END) fail(&input, "the end");
    return 1;
}
