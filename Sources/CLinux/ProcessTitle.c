// ProcessTitle.c - the command line that ps shows. The kernel reads it out of the memory where it put the arguments
// and, behind them, the environment; so a title is written over both, after the environment was copied away. The last
// byte of the arguments tells the kernel which of the two it looks at: while it is not zero, the text ends at the first
// zero. Set at start before there are threads, later under the engine's turn.
#include "CLinux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int argument_count;
static char **first_arguments;
// The area, and where the arguments end in it.
static char *area;
static char *arguments_end;
static char *area_end;

// glibc hands its constructors what it hands to main.
__attribute__((constructor)) static void remember_arguments(int count, char **arguments) {
    argument_count = count;
    first_arguments = arguments;
}

// How far the strings of `list` follow `end` without a gap.
static char *follow(char **list, int count, char *end) {
    for (int index = 0; index < count && list[index] != NULL; index++) {
        if (list[index] != end) break;
        end += strlen(end) + 1;
    }
    return end;
}

static char **copied_environment(void) {
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **copy = calloc(count + 1, sizeof(char *));
    if (copy == NULL) return NULL;
    for (size_t index = 0; index < count; index++) {
        copy[index] = strdup(environ[index]);
        if (copy[index] == NULL) return NULL;
    }
    return copy;
}

int fog_reserve_process_title(void) {
    if (area != NULL) return 1;
    if (argument_count < 1 || first_arguments == NULL || first_arguments[0] == NULL || environ == NULL) return 0;
    char *name = strdup(first_arguments[0]);
    char **copy = copied_environment();
    if (name == NULL || copy == NULL) return 0;
    char *start = first_arguments[0];
    arguments_end = follow(first_arguments, argument_count, start);
    area_end = follow(environ, 1 << 20, arguments_end);
    environ = copy;
    // The C library names the program in its messages by this memory.
    program_invocation_name = name;
    char *slash = strrchr(name, '/');
    program_invocation_short_name = slash == NULL ? name : slash + 1;
    area = start;
    return 1;
}

void fog_set_process_title(const char *title) {
    if (area == NULL) return;
    size_t room = (size_t)(area_end - area) - 1;
    size_t count = strlen(title);
    if (count > room) count = room;
    memset(area, 0, (size_t)(area_end - area));
    memcpy(area, title, count);
    // Shorter than the arguments were: the kernel would show the zeros behind it.
    if (area + count < arguments_end - 1) arguments_end[-1] = '.';
}
