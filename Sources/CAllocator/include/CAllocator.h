// CAllocator.h - jemalloc as the process allocator (it replaces malloc for C and Swift alike), and the two
// questions the server asks it: how large an allocation really is, and what the process holds in total.
#ifndef FOG_CALLOCATOR_H
#define FOG_CALLOCATOR_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef FOG_SYSTEM_ALLOCATOR
// For runs under a sanitizer, which brings a malloc of its own: jemalloc's questions have no answers then.
#include <malloc.h>
#define MALLCTL_ARENAS_ALL 4096
static inline int mallctl(const char *name, void *old, size_t *oldLength, void *fresh, size_t freshLength) {
  (void)name, (void)old, (void)oldLength, (void)fresh, (void)freshLength;
  return -1;
}
static inline void malloc_stats_print(void (*write)(void *, const char *), void *context, const char *options) {
  (void)options;
  write(context, "the system's allocator tells nothing\n");
}
#else
#include <jemalloc/jemalloc.h>
#endif

/// Bytes really reserved for `pointer`, size class included.
static inline size_t fog_allocated_size(void *pointer) { return malloc_usable_size(pointer); }

/// A size_t statistic by its jemalloc name, for example "stats.allocated"; 0 when the name is unknown.
static inline size_t fog_allocator_statistic(const char *name) {
  size_t value = 0, length = sizeof value;
  return mallctl(name, &value, &length, NULL, 0) == 0 ? value : 0;
}

/// Makes the next statistics current: jemalloc caches them per epoch.
static inline void fog_allocator_refresh(void) {
  uint64_t epoch = 1;
  size_t length = sizeof epoch;
  mallctl("epoch", &epoch, &length, &epoch, sizeof epoch);
}

/// Bytes of pages that were freed and not given back yet, as of the last refresh.
static inline int64_t fog_allocator_dirty(void) {
  char name[64];
  snprintf(name, sizeof name, "stats.arenas.%u.pdirty", MALLCTL_ARENAS_ALL);
  return (int64_t)fog_allocator_statistic(name) * 4096;
}

/// From here on the calling thread's allocations are part of `fog_allocator_used`, until it leaves; the main thread has
/// joined. What a thread frees that another was given is counted right as long as both have joined.
void fog_allocator_join(void);
void fog_allocator_leave(void);
/// Bytes that all these threads were given and have not given back: the sum of counts that jemalloc keeps for each of
/// them and that only it writes. None of the allocator's locks is taken, as its own statistics take all of them, which
/// a thread that frees much holds for milliseconds.
int64_t fog_allocator_used(void);
/// Bytes that all these threads have ever given back, whoever was given them.
int64_t fog_allocator_freed(void);

/// Bytes the calling thread has ever been given, for tests that count allocations.
static inline uint64_t fog_thread_allocated_bytes(void) {
  uint64_t value = 0;
  size_t length = sizeof value;
  return mallctl("thread.allocated", &value, &length, NULL, 0) == 0 ? value : 0;
}

/// Returns dirty pages of every arena to the system (MEMORY PURGE).
static inline int fog_allocator_purge(void) {
  char name[64];
  snprintf(name, sizeof name, "arena.%u.purge", MALLCTL_ARENAS_ALL);
  return mallctl(name, NULL, NULL, NULL, 0);
}

/// Lets a background thread return freed pages, so that the event loops never do.
static inline int fog_allocator_background_thread(int enabled) {
  _Bool value = enabled != 0;
  return mallctl("background_thread", NULL, NULL, &value, sizeof value);
}

/// The allocator's own report, in parts.
static inline void fog_allocator_report(void *context, void (*write)(void *, const char *)) {
  malloc_stats_print(write, context, NULL);
}

/// DEBUG MALLCTL: a number of the allocator by its name, whatever its width; 0 or an errno. With `sets` it is given
/// `fresh`, and `value` is what it was, where the name can be read.
static inline int fog_allocator_number(const char *name, int64_t *value, int sets, int64_t fresh) {
  static const size_t widths[] = {8, 4, 1};
  int result = 22;
  for (size_t index = 0; index < 3; index++) {
    size_t width = widths[index], given = width;
    *value = 0;
    result = mallctl(name, value, &width, sets ? &fresh : NULL, sets ? given : 0);
    if (result == 1 && sets) result = mallctl(name, NULL, NULL, &fresh, given);
    if (result != 22) break;
  }
  return result;
}

/// DEBUG MALLCTL-STR with VOID: does what the name says; 0 or an errno.
static inline int fog_allocator_act(const char *name) { return mallctl(name, NULL, NULL, NULL, 0); }

/// A text option such as "version"; NULL when unknown.
static inline const char *fog_allocator_text(const char *name) {
  const char *value = NULL;
  size_t length = sizeof value;
  return mallctl(name, &value, &length, NULL, 0) == 0 ? value : NULL;
}
#endif
