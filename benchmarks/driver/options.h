/* What the load driver is told on its command line, and the file of users. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *socket, *mechanism, *users;
    int connections;
    long requests, warm, offset;
    double seconds, rate;
    uint64_t seed;
    bool wrong, anyone, strangers, wait, final;
};

struct account {
    const char *name, *password;
};

/* The options; a wrong one ends the program with a sentence. */
struct options read_options(int argc, char **argv);

/* The accounts of a file with lines of name, TAB, password. */
struct account *read_accounts(const char *path, size_t *count);

#endif
