/*
 * The limit: a server of the Dovecot authentication protocol that checks nothing.
 *
 * It shakes hands and answers every AUTH with OK (CRAM-MD5 and SCRAM-SHA-256 first with a challenge, and SCRAM with
 * last words), all lines of one read in one write. What it costs per login is the price of the sockets alone; no server of this protocol can cost less.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE = 4096, BACKLOG = 1024 };

struct client {
    int fd;
    bool scram, final; /* the login in flight: who it is by, and whether OK carries the last words */
    size_t used;
    char input[LINE];
};

static const char HANDSHAKE[] = "VERSION\t1\t2\n"
                                "MECH\tPLAIN\tplaintext\n"
                                "MECH\tCRAM-MD5\tdictionary\tactive\n"
                                "MECH\tSCRAM-SHA-256\tmutual-auth\n"
                                "MECH\tOAUTHBEARER\tplaintext\n"
                                "SPID\t1\nCUID\t1\nCOOKIE\t00000000000000000000000000000000\nDONE\n";

static int epoll;

static void watch(int fd, void *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        err(1, "epoll_ctl");
}

static int listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        errx(1, "%s: expected a path of less than %zu bytes", path, sizeof address.sun_path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG))
        err(1, "%s", path);
    return fd;
}

static void greet(int listening)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client || (client->fd = accept(listening, NULL, NULL)) < 0)
        err(1, "accept");
    send(client->fd, HANDSHAKE, sizeof HANDSHAKE - 1, MSG_NOSIGNAL);
    watch(client->fd, client);
}

/* As long as those of servers that mean it. */
#define SERVER_FIRST                                                                                                   \
    "cj1meWtvK2QybGJiRmdPTlJ2MDAwMDAwMDAwMWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhLHM9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQT09LGk9NDA5Ng=="
#define SERVER_FINAL "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBPQ=="

static size_t begin(struct client *client, unsigned id, const char *line, const char *mechanism, char *out, size_t room)
{
    client->scram = !strcmp(mechanism, "SCRAM-SHA-256");
    client->final = strstr(line, "\tfinal-resp-ok\t");
    if (client->scram)
        return (size_t)snprintf(out, room, "CONT\t%u\t" SERVER_FIRST "\n", id);
    if (!strcmp(mechanism, "CRAM-MD5"))
        return (size_t)snprintf(out, room, "CONT\t%u\tPDEuMUBsb2NhbGhvc3Q+\n", id);
    return (size_t)snprintf(out, room, "OK\t%u\tuser=anyone\n", id);
}

static size_t go_on(struct client *client, unsigned id, char *out, size_t room)
{
    if (client->scram && !client->final) {
        client->scram = false;
        return (size_t)snprintf(out, room, "CONT\t%u\t" SERVER_FINAL "\n", id);
    }
    return (size_t)snprintf(out, room, "OK\t%u\tuser=anyone%s\n", id, client->scram ? "\tresp=" SERVER_FINAL : "");
}

/* Write the answer to one line at out, and tell its size; VERSION and CPID have none. */
static size_t answer(struct client *client, const char *line, char *out, size_t room)
{
    char command[8] = "", mechanism[16] = "";
    unsigned id = 0;
    sscanf(line, "%7[A-Z]\t%u\t%15[^\t]", command, &id, mechanism);
    if (!strcmp(command, "AUTH"))
        return begin(client, id, line, mechanism, out, room);
    return strcmp(command, "CONT") ? 0 : go_on(client, id, out, room);
}

static void answer_lines(struct client *client)
{
    char output[2 * LINE], *line = client->input, *end;
    size_t size = 0;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        size += answer(client, line, output + size, sizeof output - size);
    }
    client->used -= (size_t)(line - client->input);
    memmove(client->input, line, client->used + 1);
    if (size)
        send(client->fd, output, size, MSG_NOSIGNAL);
}

static void serve(struct client *client)
{
    ssize_t count = recv(client->fd, client->input + client->used, LINE - 1 - client->used, 0);
    if (count <= 0) {
        close(client->fd);
        free(client);
        return;
    }
    client->used += (size_t)count;
    client->input[client->used] = '\0';
    answer_lines(client);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: constant SOCKET");
    raise_file_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listening = listener(argv[1]);
    watch(listening, NULL);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                greet(listening);
        }
    }
}
