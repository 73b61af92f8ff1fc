// Stack.h - a second stack to run C code on, and leaving it in the middle. The code inside must not be Swift when it
// leaves. One thread at a time; whoever goes on may be another thread than the one that began.
#ifndef FOG_STACK_H
#define FOG_STACK_H
#include <stddef.h>

typedef struct {
    /// The mapping; its lowest page is never accessible.
    char *memory;
    size_t byteCount;
    /// Saved stack pointers of the code inside and of its caller.
    void *inside;
    void *outside;
    void (*entry)(void *argument);
    void *argument;
    /// For the thread sanitizer: the two stacks as it knows them.
    void *insideFiber;
    void *outsideFiber;
    /// For the address sanitizer: the caller's stack.
    const void *outsideBottom;
    size_t outsideByteCount;
} fog_stack;

/// Maps a stack; 0, or -1 when the system refuses.
int fog_stack_create(fog_stack *stack, size_t byteCount);
void fog_stack_destroy(fog_stack *stack);
/// Runs `entry(argument)` on the stack until it leaves for the first time. `entry` must never return.
void fog_stack_enter(fog_stack *stack, void (*entry)(void *), void *argument);
/// Goes on with what left.
void fog_stack_resume(fog_stack *stack);
/// From inside: back to whoever entered or resumed.
void fog_stack_leave(fog_stack *stack);

#endif
