/* Measures how long single GETs take while another connection inserts keys at a steady rate.
 *
 * Two threads, two connections: one sends pipelined SETs of new keys in small batches on a timetable, the other
 * sends one GET at a time and notes each round trip. Prints one line: gets, p50, p99, p99.9 and the maximum in
 * microseconds, and how many keys were inserted. Belongs to bench.py; speaks to 127.0.0.1 only.
 *
 * Usage: latency_probe PORT KEYS KEYS_PER_SECOND
 */
#include "probe.h"

enum { BATCH = 32, SAMPLES_MAX = 20000000, VALUE_BYTES = 64 };

static long keys_total, keys_per_second;
static atomic_bool inserting = true;

static void *insert(void *unused) {
    (void)unused;
    int descriptor = connect_loopback();
    char value[VALUE_BYTES + 1], batch[BATCH * 160];
    memset(value, 'v', VALUE_BYTES);
    value[VALUE_BYTES] = 0;
    long started = now_nanoseconds();
    for (long first = 0; first < keys_total; first += BATCH) {
        size_t length = 0;
        for (long key = first; key < first + BATCH; key++)
            length += (size_t)snprintf(batch + length, sizeof batch - length,
                                       "*3\r\n$3\r\nSET\r\n$16\r\nnew:%012ld\r\n$%d\r\n%s\r\n", key,
                                       VALUE_BYTES, value);
        write_all(descriptor, batch, length);
        read_lines(descriptor, BATCH);
        long due = started + (long)((double)(first + BATCH) / (double)keys_per_second * 1e9) - now_nanoseconds();
        if (due > 0) {
            struct timespec pause = {.tv_sec = due / 1000000000L, .tv_nsec = due % 1000000000L};
            nanosleep(&pause, NULL);
        }
    }
    atomic_store(&inserting, false);
    close(descriptor);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: latency_probe PORT KEYS KEYS_PER_SECOND\n");
        return 2;
    }
    port = atoi(arguments[1]);
    keys_total = atol(arguments[2]);
    keys_per_second = atol(arguments[3]);
    float *microseconds = malloc(sizeof(float) * SAMPLES_MAX);
    if (!microseconds || keys_per_second <= 0) return 2;
    int descriptor = connect_loopback();
    const char *set = "*3\r\n$3\r\nSET\r\n$5\r\nprobe\r\n$5\r\nvalue\r\n", *get = "*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n";
    write_all(descriptor, set, strlen(set));
    read_lines(descriptor, 1);
    pthread_t inserter;
    if (pthread_create(&inserter, NULL, insert, NULL) != 0) fail("pthread_create");
    long samples = 0;
    while (atomic_load(&inserting) && samples < SAMPLES_MAX) {
        long before = now_nanoseconds();
        write_all(descriptor, get, strlen(get));
        read_lines(descriptor, 2);
        microseconds[samples++] = (float)(now_nanoseconds() - before) / 1000.0F;
    }
    pthread_join(inserter, NULL);
    qsort(microseconds, (size_t)samples, sizeof(float), compare);
    printf("{\"gets\": %ld, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, \"keys\": %ld}\n", samples,
           (double)microseconds[samples / 2], (double)microseconds[samples * 99 / 100],
           (double)microseconds[samples * 999 / 1000], (double)microseconds[samples - 1], keys_total);
    free(microseconds);
    return 0;
}
