// Ring.c - io_uring's system calls and records, which glibc does not wrap. One expression each; the order of what is
// read and written around them is Reactor/Ring.swift's.
#include "CLinux.h"

#include <linux/io_uring.h>

/// Of Linux 6.1, and so not in every header; an older kernel refuses them with EINVAL.
#define FOG_SETUP_SINGLE_ISSUER (1U << 12)
#define FOG_SETUP_DEFER_TASKRUN (1U << 13)

int fog_ring_setup(uint32_t entries, int is_one_threads, struct fog_ring_layout *layout) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  if (is_one_threads) parameters.flags = FOG_SETUP_SINGLE_ISSUER | FOG_SETUP_DEFER_TASKRUN;
  int fd = (int)syscall(__NR_io_uring_setup, entries, &parameters);
  if (fd < 0) return fd;
  layout->submission_entries = parameters.sq_entries;
  layout->completion_entries = parameters.cq_entries;
  layout->is_usable =
      (parameters.features & IORING_FEAT_SINGLE_MMAP) != 0 && (parameters.features & IORING_FEAT_RW_CUR_POS) != 0;
  layout->submission_head = parameters.sq_off.head;
  layout->submission_tail = parameters.sq_off.tail;
  layout->submission_mask = parameters.sq_off.ring_mask;
  layout->submission_array = parameters.sq_off.array;
  layout->completion_head = parameters.cq_off.head;
  layout->completion_tail = parameters.cq_off.tail;
  layout->completion_mask = parameters.cq_off.ring_mask;
  layout->completion_records = parameters.cq_off.cqes;
  layout->submission_record_size = sizeof(struct io_uring_sqe);
  layout->completion_record_size = sizeof(struct io_uring_cqe);
  return fd;
}

int fog_ring_enter(int fd, uint32_t submit, uint32_t awaited) {
  unsigned flags = awaited > 0 ? IORING_ENTER_GETEVENTS : 0;
  return (int)syscall(__NR_io_uring_enter, fd, submit, awaited, flags, NULL, 0);
}

int fog_ring_register_event(int fd, int event) {
  return (int)syscall(__NR_io_uring_register, fd, IORING_REGISTER_EVENTFD, &event, 1);
}

void *fog_ring_map(int fd, size_t count, int is_records) {
  off_t what = is_records ? (off_t)IORING_OFF_SQES : (off_t)IORING_OFF_SQ_RING;
  void *address = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
  return address == MAP_FAILED ? NULL : address;
}

static struct io_uring_sqe *fog_ring_write(
    void *record, int opcode, int fd, const void *buffer, uint32_t count, uint64_t token) {
  struct io_uring_sqe *entry = record;
  memset(entry, 0, sizeof *entry);
  entry->opcode = (uint8_t)opcode;
  entry->fd = fd;
  entry->addr = (uint64_t)(uintptr_t)buffer;
  entry->len = count;
  entry->user_data = token;
  return entry;
}

void fog_ring_write_read(void *record, int fd, void *buffer, uint32_t count, uint64_t offset, uint64_t token) {
  fog_ring_write(record, IORING_OP_READ, fd, buffer, count, token)->off = offset;
}

void fog_ring_write_send(void *record, int fd, const void *buffer, uint32_t count, uint64_t token) {
  fog_ring_write(record, IORING_OP_SEND, fd, buffer, count, token)->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
}

void fog_ring_read_completion(const void *record, uint64_t *token, int32_t *result) {
  const struct io_uring_cqe *completion = record;
  *token = completion->user_data;
  *result = completion->res;
}
