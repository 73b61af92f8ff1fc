// CXXHash.c - the one place where the header-only library is compiled.
#define XXH_INLINE_ALL 1
#include "CXXHash.h"
#include <xxhash.h>

uint64_t fog_xxh3_64(const void *bytes, size_t byteCount) { return XXH3_64bits(bytes, byteCount); }
