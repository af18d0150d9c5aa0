/*
 * A distant network: a relay to a TCP port of this machine that keeps whatever passes for so many milliseconds, each way.
 *
 * Bandwidth is not limited, the order is kept, and the end of a stream is kept back like its bytes. Usage: relay PORT
 * MILLISECONDS; the first line that it prints is the port of its own. Connections are made at once: a real distance
 * would take one round trip more for each.
 */
#define _GNU_SOURCE /* ppoll */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, CONNECTIONS = 256 };

/* What was read at once; of size 0 the end of the stream. */
struct chunk {
    struct chunk *next;
    double due;
    size_t size, sent;
    char data[];
};

/* One direction of a connection. */
struct way {
    int from, to;
    bool ended, full; /* nothing more will come; the receiver takes no more for now */
    struct chunk *first, **last;
};

static struct connection {
    struct way there, back;
} *connections[CONNECTIONS];
static int count;
static double delay;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- connections --- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listener(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, CONNECTIONS))
        err(1, "listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size))
        err(1, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void begin(struct way *way, int from, int to)
{
    way->from = from;
    way->to = to;
    way->last = &way->first;
}

static void take(int listening, int port)
{
    struct sockaddr_in address = loopback(port);
    struct connection *connection = calloc(1, sizeof *connection);
    int client = accept(listening, NULL, NULL), server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!connection || client < 0 || server < 0)
        err(1, "accept");
    if (connect(server, (struct sockaddr *)&address, sizeof address))
        err(1, "port %d", port);
    at_once(client);
    at_once(server);
    begin(&connection->there, client, server);
    begin(&connection->back, server, client);
    connections[count++] = connection;
}

/* --- what is under way --- */

static void keep(struct way *way, const char *data, ssize_t size)
{
    struct chunk *chunk = malloc(sizeof *chunk + (size_t)size);
    if (!chunk)
        err(1, "malloc");
    *chunk = (struct chunk){.due = now() + delay, .size = (size_t)size};
    memcpy(chunk->data, data, (size_t)size);
    *way->last = chunk;
    way->last = &chunk->next;
    way->ended = !size;
}

static void drop_first(struct way *way)
{
    struct chunk *chunk = way->first;
    way->first = chunk->next;
    if (!way->first)
        way->last = &way->first;
    free(chunk);
}

/* Acknowledge what has come at once: a server that waits for that (RFC 896) must not wait for our kernel's 40 ms. */
static void acknowledge(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static void receive(struct way *way)
{
    static char buffer[CHUNK];
    ssize_t size = recv(way->from, buffer, sizeof buffer, 0);
    acknowledge(way->from);
    if (size >= 0)
        keep(way, buffer, size);
    else if (errno != EAGAIN)
        keep(way, "", 0);
}

/* Send what is due; a receiver that has gone away gets nothing, and the sender learns it from its own connection. */
static void deliver(struct way *way)
{
    for (struct chunk *chunk; (chunk = way->first) && chunk->due <= now();) {
        ssize_t sent = send(way->to, chunk->data + chunk->sent, chunk->size - chunk->sent, MSG_NOSIGNAL);
        way->full = sent < 0 && errno == EAGAIN;
        if (way->full)
            return;
        chunk->sent += sent < 0 ? chunk->size - chunk->sent : (size_t)sent;
        if (!chunk->size)
            shutdown(way->to, SHUT_WR);
        if (chunk->sent == chunk->size)
            drop_first(way);
    }
}

static void drop_finished(void)
{
    for (int i = count - 1; i >= 0; i--) {
        struct connection *each = connections[i];
        if (!each->there.ended || !each->back.ended || each->there.first || each->back.first)
            continue;
        close(each->there.from);
        close(each->back.from);
        free(each);
        connections[i] = connections[--count];
    }
}

/* --- waiting --- */

/* When the next chunk is due; a receiver that is full is waited for by poll. */
static double next_due(void)
{
    double due = -1;
    for (int i = 0; i < 2 * count; i++) {
        struct way *way = i % 2 ? &connections[i / 2]->back : &connections[i / 2]->there;
        if (way->first && !way->full && (due < 0 || way->first->due < due))
            due = way->first->due;
    }
    return due;
}

static void expect(struct pollfd *polled, const struct way *reads, const struct way *writes)
{
    short events = (short)((reads->ended ? 0 : POLLIN) | (writes->full ? POLLOUT : 0));
    /* A negative descriptor is passed over: the end of a stream would be told again and again. */
    *polled = (struct pollfd){.fd = events ? reads->from : -1, .events = events};
}

static void await(struct pollfd *polled)
{
    double due = next_due(), wait = due < 0 ? 0 : due - now();
    struct timespec timeout = {0};
    if (wait > 0) {
        timeout.tv_sec = (time_t)wait;
        timeout.tv_nsec = (long)((wait - (double)timeout.tv_sec) * 1e9);
    }
    if (ppoll(polled, (nfds_t)(1 + 2 * count), due < 0 ? NULL : &timeout, NULL) < 0 && errno != EINTR)
        err(1, "ppoll");
}

static void serve(struct connection *connection, const struct pollfd *client, const struct pollfd *server)
{
    if (client->revents && !connection->there.ended)
        receive(&connection->there);
    if (server->revents && !connection->back.ended)
        receive(&connection->back);
    deliver(&connection->there);
    deliver(&connection->back);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: relay PORT MILLISECONDS");
    int port = atoi(argv[1]), listening = listener();
    delay = atof(argv[2]) / 1e3;
    /* The kernel may otherwise wake us 50 microseconds late. */
    prctl(PR_SET_TIMERSLACK, 1);
    for (;;) {
        static struct pollfd polled[1 + 2 * CONNECTIONS];
        int served = count;
        polled[0] = (struct pollfd){.fd = count < CONNECTIONS ? listening : -1, .events = POLLIN};
        for (int i = 0; i < served; i++) {
            expect(&polled[1 + 2 * i], &connections[i]->there, &connections[i]->back);
            expect(&polled[2 + 2 * i], &connections[i]->back, &connections[i]->there);
        }
        await(polled);
        for (int i = 0; i < served; i++)
            serve(connections[i], &polled[1 + 2 * i], &polled[2 + 2 * i]);
        if (polled[0].revents)
            take(listening, port);
        drop_finished();
    }
}
