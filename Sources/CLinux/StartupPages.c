// StartupPages.c - what only the start needs leaves resident memory. Half of the code that a process has run by the
// time it serves (the loader's, the configuration's, that of the command table) is not run again, and the symbol tables
// that the loader has read are not read again; such pages come from files and cost one soft fault each when they are
// wanted after all.
#include "CLinux.h"

void fog_release_startup_pages(void) {
    FILE *maps = fopen("/proc/self/smaps", "re");
    if (maps == NULL) return;
    char line[512];
    unsigned long start = 0, end = 0, anonymous = 0;
    int isReadOnlyFile = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long first, last;
        char permissions[5];
        int path = 0;
        // A mapping begins with its addresses; lines about it follow.
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &first, &last, permissions, &path) >= 3) {
            start = first;
            end = last;
            isReadOnlyFile = permissions[0] == 'r' && permissions[1] == '-' && permissions[3] == 'p' && path != 0
                && line[path] == '/';
        } else if (isReadOnlyFile && sscanf(line, "Anonymous: %lu kB", &anonymous) == 1) {
            // Never written, so that nothing is lost; data that was relocated before it was protected has pages of its
            // own, which are anonymous.
            if (anonymous == 0) madvise((void *)start, end - start, MADV_DONTNEED);
        }
    }
    fclose(maps);
}
