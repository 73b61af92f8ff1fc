// ThreadSanitizer.c - what ThreadSanitizer cannot see for itself, told to it; empty in every other build.
// Locks: `Synchronization.Mutex` takes and gives back a free lock in code that is inlined here, which the sanitizer
// sees. A lock that others wait for goes through functions of the standard library, which is not instrumented: without
// these wrappers around them everything that a contended lock protects is reported as a race.
// Accesses: what the standard library does to an array or dictionary is not instrumented either. Around every access to
// a class's variable or a global debug builds ask the runtime whether it is exclusive: here that question counts as a
// read or write of the variable.
// The linker prefers these definitions to the libraries', which are called from here; the names are part of Swift's
// stable interface.
#define _GNU_SOURCE
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_external_read(void *address, void *caller, void *tag);
void __tsan_external_write(void *address, void *caller, void *tag);

// Methods of `_MutexHandle`: `self`, its address, travels in the context register.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define FOG_SWIFT __attribute__((swiftcall))
#define FOG_SELF __attribute__((swift_context))

FOG_SWIFT void fog_lock_slow(uint32_t thread, FOG_SELF void *handle) __asm__(LOCK_SLOW);
FOG_SWIFT bool fog_try_lock_slow(FOG_SELF void *handle) __asm__(TRY_LOCK_SLOW);
FOG_SWIFT void fog_unlock_slow(FOG_SELF void *handle) __asm__(UNLOCK_SLOW);

static FOG_SWIFT void (*library_lock_slow)(uint32_t thread, FOG_SELF void *handle);
static FOG_SWIFT bool (*library_try_lock_slow)(FOG_SELF void *handle);
static FOG_SWIFT void (*library_unlock_slow)(FOG_SELF void *handle);

static void (*library_begin_access)(void *address, void *buffer, uintptr_t flags, void *caller);

static void *found(const char *name) {
  void *address = dlsym(RTLD_NEXT, name);
  // Another version of the standard library waits otherwise: this file must be looked at again.
  if (address == NULL) abort();
  return address;
}

__attribute__((constructor)) static void find_library(void) {
  library_lock_slow = (__typeof__(library_lock_slow))found(LOCK_SLOW);
  library_try_lock_slow = (__typeof__(library_try_lock_slow))found(TRY_LOCK_SLOW);
  library_unlock_slow = (__typeof__(library_unlock_slow))found(UNLOCK_SLOW);
  library_begin_access = (__typeof__(library_begin_access))found("swift_beginAccess");
}

FOG_SWIFT void fog_lock_slow(uint32_t thread, FOG_SELF void *handle) {
  library_lock_slow(thread, handle);
  __tsan_acquire(handle);
}

FOG_SWIFT bool fog_try_lock_slow(FOG_SELF void *handle) {
  bool is_locked = library_try_lock_slow(handle);
  if (is_locked) __tsan_acquire(handle);
  return is_locked;
}

FOG_SWIFT void fog_unlock_slow(FOG_SELF void *handle) {
  __tsan_release(handle);
  library_unlock_slow(handle);
}

void swift_beginAccess(void *address, void *buffer, uintptr_t flags, void *caller);

void swift_beginAccess(void *address, void *buffer, uintptr_t flags, void *caller) {
  // Bit 0: the access modifies. The tag is the one under which the sanitizer knows Swift's accesses.
  void *const tag = (void *)1;
  if (flags & 1) {
    __tsan_external_write(address, __builtin_return_address(0), tag);
  } else {
    __tsan_external_read(address, __builtin_return_address(0), tag);
  }
  library_begin_access(address, buffer, flags, caller);
}
#endif
#endif
