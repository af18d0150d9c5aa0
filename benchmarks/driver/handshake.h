/* Connecting to an authentication server. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <stddef.h>

enum {
    LINE = 4096,           /* room for one line of the protocol; a server's handshake is under 1024 bytes */
    PATIENCE_SECONDS = 20, /* a server that says nothing for so long has failed */
};

/* A connection on which both sides have said all of their handshake; mechanism, where not NULL, must be offered. */
int shake_hands(const char *path, const char *mechanism);

/* Send a line; that the server has hung up is found out when its reply is read. */
void send_line(int fd, const char *line, size_t size);

#endif
