// Stack.c - switching stacks: the callee-saved registers go to the stack that is left, its pointer is kept, the other
// stack's are taken back. No system call, a few nanoseconds.
#include "Stack.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FOG_THREAD_SANITIZER 1
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif
#if __has_feature(address_sanitizer)
#define FOG_ADDRESS_SANITIZER 1
void __sanitizer_start_switch_fiber(void **fakeStack, const void *bottom, size_t byteCount);
void __sanitizer_finish_switch_fiber(void *fakeStack, const void **oldBottom, size_t *oldByteCount);
#endif
#endif

// void fog_switch(void **save, void *restore)
void fog_switch(void **save, void *restore);

#if defined(__x86_64__)
__asm__(
    ".text\n.p2align 4\n.globl fog_switch\n.hidden fog_switch\n.type fog_switch,@function\nfog_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n.size fog_switch, .-fog_switch\n");
enum { SAVED_WORDS = 6 };
#elif defined(__aarch64__)
__asm__(
    ".text\n.p2align 4\n.globl fog_switch\n.hidden fog_switch\n.type fog_switch,%function\nfog_switch:\n"
    "  sub sp, sp, #176\n"
    "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n  stp x25, x26, [sp, #48]\n"
    "  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n  ldp x25, x26, [sp, #48]\n"
    "  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #176\n  ret\n.size fog_switch, .-fog_switch\n");
#else
#error "fog_switch is written for x86-64 and arm64"
#endif

/// The stack that is being entered; read once by the first frame on it, before anything else can run.
static _Thread_local fog_stack *entered;

static void first_frame(void) {
    fog_stack *stack = entered;
#ifdef FOG_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(NULL, &stack->outsideBottom, &stack->outsideByteCount);
#endif
    stack->entry(stack->argument);
    __builtin_trap(); // an entry leaves, it never returns
}

int fog_stack_create(fog_stack *stack, size_t byteCount) {
    memset(stack, 0, sizeof *stack);
    void *memory = mmap(
        NULL, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return -1;
    if (mprotect(memory, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE) != 0) {
        munmap(memory, byteCount);
        return -1;
    }
    stack->memory = memory;
    stack->byteCount = byteCount;
#ifdef FOG_THREAD_SANITIZER
    stack->insideFiber = __tsan_create_fiber(0);
#endif
    return 0;
}

void fog_stack_destroy(fog_stack *stack) {
    if (stack->memory == NULL) return;
#ifdef FOG_THREAD_SANITIZER
    __tsan_destroy_fiber(stack->insideFiber);
#endif
    munmap(stack->memory, stack->byteCount);
    stack->memory = NULL;
}

void fog_stack_enter(fog_stack *stack, void (*entry)(void *), void *argument) {
    stack->entry = entry;
    stack->argument = argument;
    uintptr_t *top = (uintptr_t *)((uintptr_t)(stack->memory + stack->byteCount) & ~(uintptr_t)15);
#if defined(__x86_64__)
    // A function begins with its return address on the stack and the stack otherwise aligned to 16.
    *--top = 0;
    *--top = (uintptr_t)first_frame;
    for (int index = 0; index < SAVED_WORDS; index++) *--top = 0;
#else
    top -= 22;
    memset(top, 0, 22 * sizeof *top);
    top[11] = (uintptr_t)first_frame; // x30
#endif
    stack->inside = top;
    entered = stack;
    fog_stack_resume(stack);
}

void fog_stack_resume(fog_stack *stack) {
#ifdef FOG_THREAD_SANITIZER
    stack->outsideFiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(stack->insideFiber, 0);
#endif
#ifdef FOG_ADDRESS_SANITIZER
    void *fakeStack = NULL;
    __sanitizer_start_switch_fiber(&fakeStack, stack->memory, stack->byteCount);
#endif
    fog_switch(&stack->outside, stack->inside);
#ifdef FOG_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(fakeStack, NULL, NULL);
#endif
}

void fog_stack_leave(fog_stack *stack) {
#ifdef FOG_THREAD_SANITIZER
    __tsan_switch_to_fiber(stack->outsideFiber, 0);
#endif
#ifdef FOG_ADDRESS_SANITIZER
    void *fakeStack = NULL;
    __sanitizer_start_switch_fiber(&fakeStack, stack->outsideBottom, stack->outsideByteCount);
#endif
    fog_switch(&stack->inside, stack->outside);
#ifdef FOG_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(fakeStack, &stack->outsideBottom, &stack->outsideByteCount);
#endif
}
