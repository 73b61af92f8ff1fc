// CAllocator.c - the allocator's settings, read by jemalloc before main. Freed pages go back to the system after a
// quarter of a second, by a thread of the allocator's own: growing tables leave many freed segments behind, and with
// jemalloc's ten seconds a million fresh keys would occupy 10 bytes more each. MALLOC_CONF still overrides.
#include "CAllocator.h"

const char *malloc_conf = "background_thread:true,dirty_decay_ms:250,muzzy_decay_ms:0";
