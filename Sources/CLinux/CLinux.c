// CLinux.c - the shims are static inline in the header; here is what they share.
#include "CLinux.h"

_Thread_local int64_t fog_burst_end_of_thread;
