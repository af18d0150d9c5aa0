/* Connecting to a server of the Dovecot authentication protocol: VERSION and CPID sent, everything to DONE read. */
#include "handshake.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int connected(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        errx(2, "%s: expected a path of less than %zu bytes", path, sizeof address.sun_path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        err(2, "socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        err(2, "%s", path);
    return fd;
}

static void read_to_done(int fd, char lines[LINE])
{
    size_t used = 0;
    while (used < 6 || strcmp(lines + used - 6, "\nDONE\n")) {
        ssize_t count = recv(fd, lines + used, LINE - 1 - used, 0);
        if (count <= 0)
            errx(2, "expected a handshake up to DONE, got %zu bytes and then %s", used, count ? strerror(errno) : "the end");
        used += (size_t)count;
        lines[used] = '\0';
    }
}

static void check(const char *lines, const char *mechanism)
{
    char mech[64];
    if (strncmp(lines, "VERSION\t1\t", 10))
        errx(2, "expected VERSION 1 first, got %.20s", lines);
    snprintf(mech, sizeof mech, "\nMECH\t%s\t", mechanism ? mechanism : "");
    if (mechanism && !strstr(lines, mech))
        errx(2, "expected %s to be offered, got:\n%s", mechanism, lines);
}

void send_line(int fd, const char *line, size_t size)
{
    ssize_t sent = send(fd, line, size, MSG_NOSIGNAL);
    if (sent != (ssize_t)size && errno != EPIPE && errno != ECONNRESET)
        err(2, "send");
}

int shake_hands(const char *path, const char *mechanism)
{
    char lines[LINE], hello[64];
    int fd = connected(path);
    /* Minor 0, as Postfix and Exim say; the servers' behaviour towards these two is what is measured. */
    int size = snprintf(hello, sizeof hello, "VERSION\t1\t0\nCPID\t%d\n", getpid());
    send_line(fd, hello, (size_t)size);
    read_to_done(fd, lines);
    check(lines, mechanism);
    return fd;
}
