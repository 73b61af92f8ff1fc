// CBits.h - bit kernels that want instructions beyond the baseline the rest is compiled for. Swift cannot compile
// one function for AVX2 and choose at run time; C has. Pure functions over caller's memory, any thread.
#ifndef FOG_CBITS_H
#define FOG_CBITS_H
#include <stddef.h>
#include <stdint.h>

/// How many bits of the `count` bytes at `bytes` are set. Picks the widest kernel that the processor has.
uint64_t fog_count_bits(const void *bytes, size_t count);

/// The same by one kernel, for comparing them: 0 portable, 1 words, 2 AVX2, 3 AVX-512. UINT64_MAX when this processor
/// does not have it.
uint64_t fog_count_bits_by(int kernel, const void *bytes, size_t count);

/// target = target AND source, and so on, over `count` bytes that do not overlap.
void fog_bits_and(uint8_t *restrict target, const uint8_t *restrict source, size_t count);
void fog_bits_or(uint8_t *restrict target, const uint8_t *restrict source, size_t count);
void fog_bits_xor(uint8_t *restrict target, const uint8_t *restrict source, size_t count);
/// target = target AND NOT source.
void fog_bits_and_not(uint8_t *restrict target, const uint8_t *restrict source, size_t count);
/// target = NOT target.
void fog_bits_not(uint8_t *target, size_t count);
/// twice |= any AND source, then any |= source: afterwards `any` without `twice` is what was met exactly once.
void fog_bits_once(uint8_t *restrict any, uint8_t *restrict twice, const uint8_t *restrict source, size_t count);
#endif
