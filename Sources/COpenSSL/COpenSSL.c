// COpenSSL.c - OpenSSL 3 looks the algorithm up in its providers and allocates on every one-shot call, which costs more
// than hashing a short text; the older block interface does neither.
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include "COpenSSL.h"
#include <openssl/sha.h>

void fog_sha1(const void *bytes, size_t byteCount, uint8_t *digest) {
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, bytes, byteCount);
  SHA1_Final(digest, &context);
}

void fog_sha256(const void *bytes, size_t byteCount, uint8_t *digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes, byteCount);
  SHA256_Final(digest, &context);
}
