// CAllocator.c - what all threads have allocated, and the allocator's settings, read by jemalloc before main. Freed
// pages go back to the system after a tenth of a second, by a thread of its own: growing tables leave many freed
// segments behind, and with ten seconds, as jemalloc has it, a million fresh keys would occupy 10 bytes more each.
// Threads keep nothing larger than 16 KiB to themselves: some megabytes that large values come and go in.
// MALLOC_CONF still overrides.
#include "CAllocator.h"

const char *malloc_conf = "background_thread:true,dirty_decay_ms:100,muzzy_decay_ms:0,tcache_max:16384";

#ifdef FOG_SYSTEM_ALLOCATOR
void fog_allocator_join(void) {}
void fog_allocator_leave(void) {}
int64_t fog_allocator_used(void) { return 0; }
int64_t fog_allocator_freed(void) { return 0; }
#else
#include <pthread.h>

struct fog_thread_counts {
  const uint64_t *given, *taken_back;
  struct fog_thread_counts *next;
};

static pthread_mutex_t counts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fog_thread_counts *counts_of_all;
static int64_t bytes_of_ended_threads, freed_of_ended_threads;
static __thread struct fog_thread_counts own_counts;

static int64_t fog_bytes(const struct fog_thread_counts *counts) {
  uint64_t given = __atomic_load_n(counts->given, __ATOMIC_RELAXED);
  return (int64_t)(given - __atomic_load_n(counts->taken_back, __ATOMIC_RELAXED));
}

static int64_t fog_freed(const struct fog_thread_counts *counts) {
  return (int64_t)__atomic_load_n(counts->taken_back, __ATOMIC_RELAXED);
}

/// The main thread, before main.
__attribute__((constructor)) void fog_allocator_join(void) {
  size_t length = sizeof own_counts.given;
  if (own_counts.given != NULL) return;
  if (mallctl("thread.deallocatedp", &own_counts.taken_back, &length, NULL, 0) != 0) return;
  if (mallctl("thread.allocatedp", &own_counts.given, &length, NULL, 0) != 0) return;
  pthread_mutex_lock(&counts_lock);
  own_counts.next = counts_of_all;
  counts_of_all = &own_counts;
  pthread_mutex_unlock(&counts_lock);
}

void fog_allocator_leave(void) {
  if (own_counts.given == NULL) return;
  pthread_mutex_lock(&counts_lock);
  struct fog_thread_counts **place = &counts_of_all;
  while (*place != &own_counts) place = &(*place)->next;
  *place = own_counts.next;
  bytes_of_ended_threads += fog_bytes(&own_counts);
  freed_of_ended_threads += fog_freed(&own_counts);
  own_counts.given = NULL;
  pthread_mutex_unlock(&counts_lock);
}

static int64_t fog_sum(const int64_t *of_ended_threads, int64_t (*of_thread)(const struct fog_thread_counts *)) {
  pthread_mutex_lock(&counts_lock);
  int64_t total = *of_ended_threads;
  for (struct fog_thread_counts *counts = counts_of_all; counts != NULL; counts = counts->next) {
    total += of_thread(counts);
  }
  pthread_mutex_unlock(&counts_lock);
  return total;
}

int64_t fog_allocator_used(void) { return fog_sum(&bytes_of_ended_threads, fog_bytes); }

int64_t fog_allocator_freed(void) { return fog_sum(&freed_of_ended_threads, fog_freed); }
#endif
