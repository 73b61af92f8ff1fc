// CBits.c - counting set bits: 64 bytes an instruction where AVX-512 can count, else a carry-save adder tree over AVX2
// vectors (sixteen vectors are added bit by bit, and only the sixteens are counted by table), else a word at a time.
// The combining loops are left to the compiler's vectoriser, once for each width of vectors; the loader picks one.
#include "CBits.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint64_t count_portable(const unsigned char *position, size_t count) {
  uint64_t total = 0;
  while (count >= 32) {
    uint64_t words[4];
    memcpy(words, position, 32);
    total += (uint64_t)__builtin_popcountll(words[0]) + (uint64_t)__builtin_popcountll(words[1]) +
             (uint64_t)__builtin_popcountll(words[2]) + (uint64_t)__builtin_popcountll(words[3]);
    position += 32;
    count -= 32;
  }
  while (count > 0) {
    uint64_t word = 0;
    size_t taken = count < 8 ? count : 8;
    memcpy(&word, position, taken);
    total += (uint64_t)__builtin_popcountll(word);
    position += taken;
    count -= taken;
  }
  return total;
}

#if defined(__x86_64__)

/// The portable kernel with the one instruction that the baseline lacks.
__attribute__((target("popcnt"))) static uint64_t count_words(const unsigned char *position, size_t count) {
  uint64_t total = 0;
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, position, 8);
    total += (uint64_t)__builtin_popcountll(word);
    position += 8;
    count -= 8;
  }
  if (count > 0) {
    uint64_t word = 0;
    memcpy(&word, position, count);
    total += (uint64_t)__builtin_popcountll(word);
  }
  return total;
}

/// The set bits of each 64-bit lane: both halves of every byte are looked up in a table of sixteen counts.
__attribute__((target("avx2"))) static inline __m256i lane_counts(__m256i value) {
  const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
                                         0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(0x0f);
  __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(value, low_half));
  __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(value, 4), low_half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

/// One full adder per bit: `sum` keeps the ones of sum + left + right, the twos are returned.
__attribute__((target("avx2"))) static inline __m256i carry(__m256i *sum, __m256i left, __m256i right) {
  __m256i partial = _mm256_xor_si256(left, right);
  __m256i twos = _mm256_or_si256(_mm256_and_si256(left, right), _mm256_and_si256(*sum, partial));
  *sum = _mm256_xor_si256(*sum, partial);
  return twos;
}

__attribute__((target("avx2"))) static inline uint64_t sum_lanes(__m256i value) {
  return (uint64_t)_mm256_extract_epi64(value, 0) + (uint64_t)_mm256_extract_epi64(value, 1) +
         (uint64_t)_mm256_extract_epi64(value, 2) + (uint64_t)_mm256_extract_epi64(value, 3);
}

__attribute__((target("avx2,popcnt"))) static uint64_t count_avx2(const unsigned char *position, size_t count) {
  __m256i ones = _mm256_setzero_si256(), twos = ones, fours = ones, eights = ones, total = ones;
  while (count >= 512) {
    const __m256i *vectors = (const __m256i *)position;
    __m256i eight[2];
    for (int half = 0; half < 2; half++) {
      __m256i four[2];
      for (int quarter = 0; quarter < 2; quarter++) {
        const __m256i *four_vectors = vectors + 8 * half + 4 * quarter;
        __m256i first = carry(&ones, _mm256_loadu_si256(four_vectors), _mm256_loadu_si256(four_vectors + 1));
        __m256i second = carry(&ones, _mm256_loadu_si256(four_vectors + 2), _mm256_loadu_si256(four_vectors + 3));
        four[quarter] = carry(&twos, first, second);
      }
      eight[half] = carry(&fours, four[0], four[1]);
    }
    total = _mm256_add_epi64(total, lane_counts(carry(&eights, eight[0], eight[1])));
    position += 512;
    count -= 512;
  }
  uint64_t bits = 16 * sum_lanes(total) + 8 * sum_lanes(lane_counts(eights)) + 4 * sum_lanes(lane_counts(fours)) +
                  2 * sum_lanes(lane_counts(twos)) + sum_lanes(lane_counts(ones));
  return bits + count_words(position, count);
}

__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"))) static uint64_t count_avx512(
    const unsigned char *position, size_t count) {
  __m512i first = _mm512_setzero_si512(), second = first, third = first, fourth = first;
  while (count >= 256) {
    first = _mm512_add_epi64(first, _mm512_popcnt_epi64(_mm512_loadu_si512(position)));
    second = _mm512_add_epi64(second, _mm512_popcnt_epi64(_mm512_loadu_si512(position + 64)));
    third = _mm512_add_epi64(third, _mm512_popcnt_epi64(_mm512_loadu_si512(position + 128)));
    fourth = _mm512_add_epi64(fourth, _mm512_popcnt_epi64(_mm512_loadu_si512(position + 192)));
    position += 256;
    count -= 256;
  }
  while (count > 0) {
    size_t taken = count < 64 ? count : 64;
    __mmask64 mask = taken == 64 ? ~(__mmask64)0 : ((__mmask64)1 << taken) - 1;
    first = _mm512_add_epi64(first, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi8(mask, position)));
    position += taken;
    count -= taken;
  }
  first = _mm512_add_epi64(_mm512_add_epi64(first, second), _mm512_add_epi64(third, fourth));
  return (uint64_t)_mm512_reduce_add_epi64(first);
}

static int has_avx512(void) {
  return __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bw");
}

uint64_t fog_count_bits(const void *bytes, size_t count) {
  // Vectors pay from a few of them on.
  if (count >= 64 && has_avx512()) return count_avx512(bytes, count);
  if (count >= 512 && __builtin_cpu_supports("avx2")) return count_avx2(bytes, count);
  return __builtin_cpu_supports("popcnt") ? count_words(bytes, count) : count_portable(bytes, count);
}

uint64_t fog_count_bits_by(int kernel, const void *bytes, size_t count) {
  if (kernel == 1 && __builtin_cpu_supports("popcnt")) return count_words(bytes, count);
  if (kernel == 2 && __builtin_cpu_supports("avx2")) return count_avx2(bytes, count);
  if (kernel == 3 && has_avx512()) return count_avx512(bytes, count);
  return kernel == 0 ? count_portable(bytes, count) : UINT64_MAX;
}

#else

uint64_t fog_count_bits(const void *bytes, size_t count) { return count_portable(bytes, count); }

uint64_t fog_count_bits_by(int kernel, const void *bytes, size_t count) {
  return kernel == 0 ? count_portable(bytes, count) : UINT64_MAX;
}

#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The loader asks which kernel to take before the sanitizer can be called.
#define ONE_KERNEL 1
#endif
#endif

#if defined(__x86_64__) && !defined(ONE_KERNEL)
#define WIDEST __attribute__((target_clones("avx512bw", "avx2", "default")))
#else
#define WIDEST
#endif

WIDEST void fog_bits_and(uint8_t *restrict target, const uint8_t *restrict source, size_t count) {
  for (size_t index = 0; index < count; index++) target[index] &= source[index];
}

WIDEST void fog_bits_or(uint8_t *restrict target, const uint8_t *restrict source, size_t count) {
  for (size_t index = 0; index < count; index++) target[index] |= source[index];
}

WIDEST void fog_bits_xor(uint8_t *restrict target, const uint8_t *restrict source, size_t count) {
  for (size_t index = 0; index < count; index++) target[index] ^= source[index];
}

WIDEST void fog_bits_and_not(uint8_t *restrict target, const uint8_t *restrict source, size_t count) {
  for (size_t index = 0; index < count; index++) target[index] &= (uint8_t)~source[index];
}

WIDEST void fog_bits_not(uint8_t *target, size_t count) {
  for (size_t index = 0; index < count; index++) target[index] = (uint8_t)~target[index];
}

WIDEST void fog_bits_once(uint8_t *restrict any, uint8_t *restrict twice, const uint8_t *restrict source,
                          size_t count) {
  for (size_t index = 0; index < count; index++) {
    twice[index] |= any[index] & source[index];
    any[index] |= source[index];
  }
}
