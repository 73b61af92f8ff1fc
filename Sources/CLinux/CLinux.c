// CLinux.c - the shims that need an instruction set beyond the baseline, and so cannot be inline in the header.
#include "CLinux.h"

#if defined(__x86_64__)
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
