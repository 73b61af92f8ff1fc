// Checksums.c - checksums by instructions beyond the baseline (CRC-32C, carry-less multiplication), which a header for
// Swift cannot hold. The caller asks `fog_has_...` first, once.
#include "CLinux.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FOG_CRC32C_TARGET __attribute__((target("sse4.2")))
#define FOG_CRC32C_64(state, word) ((uint32_t)__builtin_ia32_crc32di((state), (word)))
#define FOG_CRC32C_8(state, byte) (__builtin_ia32_crc32qi((state), (byte)))

int fog_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define FOG_CRC32C_TARGET __attribute__((target("crc")))
#define FOG_CRC32C_64(state, word) __crc32cd((state), (word))
#define FOG_CRC32C_8(state, byte) __crc32cb((state), (byte))

int fog_has_crc32c(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#endif

#if defined(FOG_CRC32C_TARGET)
FOG_CRC32C_TARGET
uint32_t fog_crc32c(uint32_t state, const void *bytes, size_t byteCount) {
  const unsigned char *next = bytes;
  for (; byteCount >= 8; byteCount -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    state = FOG_CRC32C_64(state, word);
  }
  for (; byteCount > 0; byteCount--, next++) state = FOG_CRC32C_8(state, *next);
  return state;
}
#else
int fog_has_crc32c(void) { return 0; }
uint32_t fog_crc32c(uint32_t state, const void *bytes, size_t byteCount) { return state; }
#endif

#if defined(__x86_64__)
int fog_has_crc64_fold(void) { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2"); }

/// Carries the 16 bytes in `value` over the distance that `powers` stands for, onto the bytes there.
__attribute__((target("pclmul"))) static inline __m128i fog_fold(__m128i value, __m128i powers, __m128i onto) {
  __m128i low = _mm_clmulepi64_si128(value, powers, 0x00);
  __m128i high = _mm_clmulepi64_si128(value, powers, 0x11);
  return _mm_xor_si128(onto, _mm_xor_si128(low, high));
}

__attribute__((target("pclmul")))
size_t fog_crc64_fold(uint64_t state, const void *bytes, size_t byteCount, uint8_t *folded) {
  // Powers of x modulo Jones' polynomial, bit-reflected: x^(D+63) for the low half and x^(D-1) for the high half, where
  // D is the distance in bits: 128 between neighbours, 512 between rounds of four.
  const __m128i neighbour = _mm_set_epi64x(0x381d0015c96f4444, (long long)0xd9d7be7d505da32cULL);
  const __m128i round = _mm_set_epi64x((long long)0xf49784a634f014e4ULL, (long long)0xaf86efb16d9ab4fbULL);
  const __m128i *next = bytes;
  __m128i part0 = _mm_xor_si128(_mm_loadu_si128(next), _mm_set_epi64x(0, (long long)state));
  __m128i part1 = _mm_loadu_si128(next + 1);
  __m128i part2 = _mm_loadu_si128(next + 2);
  __m128i part3 = _mm_loadu_si128(next + 3);
  size_t consumed = 64;
  for (; byteCount - consumed >= 64; consumed += 64) {
    next += 4;
    part0 = fog_fold(part0, round, _mm_loadu_si128(next));
    part1 = fog_fold(part1, round, _mm_loadu_si128(next + 1));
    part2 = fog_fold(part2, round, _mm_loadu_si128(next + 2));
    part3 = fog_fold(part3, round, _mm_loadu_si128(next + 3));
  }
  part1 = fog_fold(part0, neighbour, part1);
  part2 = fog_fold(part1, neighbour, part2);
  part3 = fog_fold(part2, neighbour, part3);
  _mm_storeu_si128((__m128i *)folded, part3);
  return consumed;
}
#else
int fog_has_crc64_fold(void) { return 0; }
size_t fog_crc64_fold(uint64_t state, const void *bytes, size_t byteCount, uint8_t *folded) { return 0; }
#endif
