/* Counting replies, and telling the latencies' percentiles. */
#include "tally.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void tally_begin(struct tally *tally)
{
    tally->ok = tally->fail = 0;
    tally->count = 0;
    tally->began = tally->ended = now();
}

void tally_reply(struct tally *tally, double due)
{
    if (tally->count == tally->room) {
        tally->room = tally->room ? 2 * tally->room : 4096;
        tally->latencies = realloc(tally->latencies, tally->room * sizeof *tally->latencies);
        if (!tally->latencies)
            err(2, "no memory for %zu latencies", tally->room);
    }
    tally->ended = now();
    tally->latencies[tally->count++] = tally->ended - due;
}

static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

/* The latency, in microseconds, that this share of the requests did not exceed. */
static double percentile(const struct tally *tally, double share)
{
    if (tally->count == 0)
        return 0;
    return tally->latencies[(size_t)(share * (double)(tally->count - 1))] * 1e6;
}

void tally_print(struct tally *tally)
{
    if (tally->count)
        qsort(tally->latencies, tally->count, sizeof *tally->latencies, ascending);
    printf("{\"requests\": %zu, \"ok\": %ld, \"fail\": %ld, \"errors\": %ld, \"seconds\": %.6f, "
           "\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"max\": %.1f}\n",
           tally->count, tally->ok, tally->fail, tally->errors, tally->ended - tally->began, percentile(tally, 0.5),
           percentile(tally, 0.9), percentile(tally, 0.99), percentile(tally, 1));
}
