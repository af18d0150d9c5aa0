/* The client's side of the mechanisms that the load driver speaks; every message is in base64. */
#ifndef SASL_H
#define SASL_H

#include "base64.h"

#include <stdbool.h>

/*
 * One login. The secret is what the mechanism's client has: the password; for SCRAM ClientKey and ServerKey, each of
 * 64 hexadecimal digits; for OAUTHBEARER its whole message in base64. A careless one takes whatever challenge.
 */
struct talk {
    const char *user, *secret;
    bool careless;
    unsigned number;           /* another one in each login of a connection */
    char first[SASL_TEXT];     /* SCRAM: what has been said first, without the GS2 header */
    char signature[SASL_TEXT]; /* SCRAM: what the server has to prove with, v= and all, in base64 */
};

/* Each function is NULL where the mechanism has no such message, and is false where it cannot do its part. */
struct mechanism {
    const char *name;
    /* The initial response. */
    bool (*first)(struct talk *talk, char out[SASL_TEXT]);
    /* The response to the challenge. */
    bool (*next)(struct talk *talk, const char *challenge, char out[SASL_TEXT]);
    /* Whether the server has proved itself with its last words. */
    bool (*last)(const struct talk *talk, const char *words);
};

/* NULL where it is not known. */
const struct mechanism *mechanism_named(const char *name);

#endif
