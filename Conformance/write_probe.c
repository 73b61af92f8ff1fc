/* Writes to existing keys at a steady rate and measures how long single writes take meanwhile.
 *
 * Two threads, two connections: one overwrites random keys in pipelined batches on a timetable, the other sends one SET
 * at a time to a random key and notes each round trip. A line on standard input begins the measurement anew, its end
 * ends the program, which prints one line: writes, p50, p99, p99.9 and the maximum in microseconds, and how many keys
 * the other thread overwrote since the last line. Belongs to persistence_bench.py; speaks to 127.0.0.1 only.
 *
 * Usage: write_probe PORT KEYS WRITES_PER_SECOND VALUE_BYTES
 */
#include "probe.h"

enum { BATCH = 32, SAMPLES_MAX = 20000000, VALUE_BYTES_MAX = 4096 };

static long keys_total, writes_per_second, value_bytes;
static atomic_bool running = true;
static atomic_long generation, overwritten;
static char value[VALUE_BYTES_MAX + 1];

static long next_key(unsigned long *state) {
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (long)((*state >> 33) % (unsigned long)keys_total);
}

static size_t append_set(char *target, long key) {
    size_t length = (size_t)sprintf(target, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012ld\r\n$%ld\r\n", key, value_bytes);
    memcpy(target + length, value, (size_t)value_bytes);
    memcpy(target + length + value_bytes, "\r\n", 2);
    return length + (size_t)value_bytes + 2;
}

static void *overwrite(void *unused) {
    (void)unused;
    int descriptor = connect_loopback();
    static char batch[BATCH * (VALUE_BYTES_MAX + 100)];
    unsigned long state = 1;
    long started = now_nanoseconds();
    for (long count = 0; atomic_load(&running); count += BATCH) {
        size_t length = 0;
        for (int index = 0; index < BATCH; index++) length += append_set(batch + length, next_key(&state));
        write_all(descriptor, batch, length);
        read_lines(descriptor, BATCH);
        atomic_fetch_add(&overwritten, BATCH);
        long due = started + (long)((double)(count + BATCH) / (double)writes_per_second * 1e9) - now_nanoseconds();
        if (due > 0) {
            struct timespec pause = {.tv_sec = due / 1000000000L, .tv_nsec = due % 1000000000L};
            nanosleep(&pause, NULL);
        } else {
            /* A server that was slow is not punished by a burst afterwards. */
            started -= due;
        }
    }
    close(descriptor);
    return NULL;
}

static void *command(void *unused) {
    (void)unused;
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        atomic_fetch_add(&generation, 1);
        atomic_store(&overwritten, 0);
    }
    atomic_store(&running, false);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: write_probe PORT KEYS WRITES_PER_SECOND VALUE_BYTES\n");
        return 2;
    }
    port = atoi(arguments[1]);
    keys_total = atol(arguments[2]);
    writes_per_second = atol(arguments[3]);
    value_bytes = atol(arguments[4]);
    float *microseconds = malloc(sizeof(float) * SAMPLES_MAX);
    if (!microseconds || keys_total <= 0 || writes_per_second <= 0 || value_bytes < 0 || value_bytes > VALUE_BYTES_MAX)
        return 2;
    memset(value, 'v', (size_t)value_bytes);
    int descriptor = connect_loopback();
    pthread_t writer, reader;
    if (pthread_create(&writer, NULL, overwrite, NULL) != 0) fail("pthread_create");
    if (pthread_create(&reader, NULL, command, NULL) != 0) fail("pthread_create");
    unsigned long state = 99;
    long samples = 0, seen = 0;
    static char request[VALUE_BYTES_MAX + 100];
    while (atomic_load(&running) && samples < SAMPLES_MAX) {
        if (atomic_load(&generation) != seen) {
            seen = atomic_load(&generation);
            samples = 0;
        }
        size_t length = append_set(request, next_key(&state));
        long before = now_nanoseconds();
        write_all(descriptor, request, length);
        read_lines(descriptor, 1);
        microseconds[samples++] = (float)(now_nanoseconds() - before) / 1000.0F;
        /* A client with something else to do; without it, this thread alone would fill a core. */
        struct timespec pause = {.tv_sec = 0, .tv_nsec = 200000};
        nanosleep(&pause, NULL);
    }
    long others = atomic_load(&overwritten);
    atomic_store(&running, false);
    pthread_join(writer, NULL);
    if (samples == 0) return 1;
    qsort(microseconds, (size_t)samples, sizeof(float), compare);
    printf("{\"writes\": %ld, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, \"overwritten\": %ld}\n",
           samples, (double)microseconds[samples / 2], (double)microseconds[samples * 99 / 100],
           (double)microseconds[samples * 999 / 1000], (double)microseconds[samples - 1], others);
    free(microseconds);
    return 0;
}
