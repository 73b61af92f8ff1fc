// COpenSSL.h - digests from libcrypto (Debian's libssl-dev). The context of a digest lives on the caller's stack, so
// hashing a script body on every EVAL allocates nothing.
#ifndef FOG_COPENSSL_H
#define FOG_COPENSSL_H
#include <stddef.h>
#include <stdint.h>

/// SHA-1 of `byteCount` bytes into the 20 bytes at `digest`.
void fog_sha1(const void *bytes, size_t byteCount, uint8_t *digest);

/// SHA-256 of `byteCount` bytes into the 32 bytes at `digest`.
void fog_sha256(const void *bytes, size_t byteCount, uint8_t *digest);

#endif
