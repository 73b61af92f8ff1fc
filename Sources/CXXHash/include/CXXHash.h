// CXXHash.h - XXH3 from the xxHash library (Debian's libxxhash-dev, headers only: nothing is linked).
#ifndef FOG_CXXHASH_H
#define FOG_CXXHASH_H
#include <stddef.h>
#include <stdint.h>

/// The 64-bit XXH3 of `byteCount` bytes under the default seed 0.
uint64_t fog_xxh3_64(const void *bytes, size_t byteCount);

#endif
