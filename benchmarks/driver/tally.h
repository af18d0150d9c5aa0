/* What has been answered, how it went and how long it took. */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>

struct tally {
    long ok, fail, errors;
    double began, ended;
    double *latencies;
    size_t count, room;
};

/* Seconds on a clock that never goes back. */
double now(void);

/* Forget what was counted, but not the mistakes, and begin anew. */
void tally_begin(struct tally *tally);

/* The last reply to a request that was due at the given time has come. */
void tally_reply(struct tally *tally, double due);

/* One line of JSON; latencies in microseconds. */
void tally_print(struct tally *tally);

#endif
