// StartupPages.c - what only the start needs leaves resident memory. Half of the code that a process has run by the
// time it serves (the loader's, the configuration's, that of the command table) is not run again; its pages come from
// files and cost one soft fault each when they are wanted after all.
#include "CLinux.h"

void fog_release_startup_pages(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) return;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char permissions[5];
        int path = 0;
        // Code only: never written, so that nothing is lost. Data of libraries has been relocated.
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &start, &end, permissions, &path) < 3) continue;
        if (strcmp(permissions, "r-xp") != 0 || path == 0 || line[path] != '/') continue;
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    fclose(maps);
}
