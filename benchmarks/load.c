/*
 * The load driver: how many logins a server of the Dovecot authentication protocol answers, and how fast.
 *
 * It opens connections to a unix socket, shakes hands on each as Postfix does, and keeps one request in flight on
 * each (or, with --rate, starts requests when they are due). Every reply is checked: the id, OK or FAIL, the user.
 * One line of JSON tells the result. A latency runs from the moment a request was due to its last reply, so that
 * a server which keeps requests waiting for a free connection cannot hide it. Exit status: 0, or 1 where a reply
 * was wrong, or 2 where nothing could be measured.
 */
#include "driver/handshake.h"
#include "driver/options.h"
#include "driver/sasl.h"
#include "driver/tally.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct connection {
    int fd;                     /* -1 once the server has closed it */
    unsigned id;                /* of the request in flight */
    const struct account *user; /* NULL while nothing is in flight */
    char wrong[64]; /* the password of a guesser */
    struct talk talk;
    bool answered, proved;      /* the challenge by us; by the server, that it knows the secret */
    double due;
    size_t used;
    char input[LINE];
};

static struct options options;
static const struct mechanism *mechanism;
static struct account *accounts;
static size_t account_count;
static struct connection *connections;
static struct connection **idle; /* a stack of those with nothing in flight */
static int idle_count, open_count, epoll;
static struct tally tally;

/* One phase, the warm-up or the run: when it ends (0: not for this reason), and how far it has come. */
static struct {
    long requests, started, finished;
    double seconds;
} phase;

/* With --rate: how many requests have fallen due. */
static struct {
    int timer;
    long due;
    double began;
} pace = {.timer = -1};

/* A reply that should not be; the first few are shown. */
static void mistake(const struct connection *connection, const char *expected, const char *found)
{
    if (tally.errors++ < 5)
        warnx("request %u of %s: expected %s, got: %s", connection->id,
              connection->user ? connection->user->name : "nobody", expected, found);
}

/* --- connections --- */

static void watch(int fd, void *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        err(2, "epoll_ctl");
}

static void open_connections(void)
{
    connections = calloc((size_t)options.connections, sizeof *connections);
    idle = calloc((size_t)options.connections, sizeof *idle);
    if (!connections || !idle)
        err(2, "%d connections", options.connections);
    for (; open_count < options.connections; open_count++) {
        struct connection *connection = &connections[open_count];
        connection->fd = shake_hands(options.socket, options.users ? options.mechanism : NULL);
        watch(connection->fd, connection);
        idle[idle_count++] = connection;
    }
}

static void hang_up(struct connection *connection)
{
    mistake(connection, "a reply", "the end of the connection");
    close(connection->fd);
    connection->fd = -1;
    open_count--;
    phase.finished += connection->user != NULL;
}

/* --- requests --- */

static const struct account *next_account(void)
{
    static uint64_t state, drawn;
    if (options.seed == 0)
        return &accounts[((uint64_t)options.offset + drawn++) % account_count];
    /* Knuth's MMIX generator: its upper half is random enough to choose users with. */
    state = (state ? state : options.seed) * 6364136223846793005u + 1442695040888963407u;
    return &accounts[(state >> 33) % account_count];
}

/* The end user's address; with --strangers every request comes from another one. */
static const char *remote_address(void)
{
    static char address[32];
    static unsigned count;
    if (!options.strangers)
        return "127.0.0.1";
    count++;
    snprintf(address, sizeof address, "10.%u.%u.%u", count & 255, count >> 8 & 255, count >> 16 & 255);
    return address;
}

/* Every wrong password is another one, as a guesser's are. */
static const char *wrong_password(struct connection *connection)
{
    snprintf(connection->wrong, sizeof connection->wrong, "wrong-%d-%u", connection->fd, connection->id);
    return connection->wrong;
}

static void begin_talk(struct connection *connection)
{
    struct talk *talk = &connection->talk;
    talk->user = connection->user->name;
    talk->secret = options.wrong ? wrong_password(connection) : connection->user->password;
    talk->careless = options.anyone;
    talk->number = connection->id;
}

static void send_request(struct connection *connection)
{
    char response[SASL_TEXT] = "", line[LINE];
    if (mechanism->first && !mechanism->first(&connection->talk, response))
        errx(2, "%s: the name or the password is too long", connection->user->name);
    /* The parameters, and their order, are Postfix's; it does not know final-resp-ok. */
    int size = snprintf(line, sizeof line, "AUTH\t%u\t%s\tservice=smtp\tnologin\tlip=127.0.0.1\trip=%s\tsecured%s%s%s\n",
                        connection->id, mechanism->name, remote_address(), options.final ? "\tfinal-resp-ok" : "",
                        mechanism->first ? "\tresp=" : "", response);
    send_line(connection->fd, line, (size_t)size);
}

static void start_request(struct connection *connection, double due)
{
    connection->user = next_account();
    connection->id++;
    connection->due = due;
    connection->answered = connection->proved = false;
    begin_talk(connection);
    send_request(connection);
    phase.started++;
}

static void finish_request(struct connection *connection)
{
    connection->user = NULL;
    idle[idle_count++] = connection;
    phase.finished++;
    tally_reply(&tally, connection->due);
}

/* --- replies --- */

static void give_up(struct connection *connection, const char *expected, const char *found)
{
    mistake(connection, expected, found);
    finish_request(connection);
}

static void send_response(struct connection *connection, const char *response)
{
    char line[LINE];
    int size = snprintf(line, sizeof line, "CONT\t%u\t%s\n", connection->id, response);
    send_line(connection->fd, line, (size_t)size);
}

/* The server's last words, where OK may not carry them. */
static void take_last_words(struct connection *connection, const char *words)
{
    if (!mechanism->last || options.final || !mechanism->last(&connection->talk, words)) {
        give_up(connection, "OK or FAIL", words);
        return;
    }
    connection->proved = true;
    send_response(connection, "");
}

static void answer_challenge(struct connection *connection, const char *challenge)
{
    char response[SASL_TEXT];
    if (connection->answered || !mechanism->next) {
        take_last_words(connection, challenge);
    } else if (!mechanism->next(&connection->talk, challenge, response)) {
        give_up(connection, "a challenge of this mechanism", challenge);
    } else {
        connection->answered = true;
        send_response(connection, response);
    }
}

/* Whether an OK's first parameter names the user who logged in. */
static bool names(const char *parameters, const char *name)
{
    size_t size = strlen(name);
    return options.anyone || (!strncmp(parameters, "user=", 5) && !strncmp(parameters + 5, name, size) &&
                              (parameters[5 + size] == '\0' || parameters[5 + size] == '\t'));
}

/* Whether the server has proved itself, if the mechanism asks that of it. */
static bool proved(const struct connection *connection, const char *parameters)
{
    const char *words = strstr(parameters, "\tresp=");
    return connection->proved || !mechanism->last || (words && mechanism->last(&connection->talk, words + 6));
}

static void take_verdict(struct connection *connection, const char *command, const char *parameters)
{
    bool ok = !strcmp(command, "OK"), fail = !strcmp(command, "FAIL");
    if (options.wrong ? !fail : !ok)
        mistake(connection, options.wrong ? "FAIL" : "OK", command);
    else if (ok && !names(parameters, connection->user->name))
        mistake(connection, "the user's name", parameters);
    else if (ok && !proved(connection, parameters))
        mistake(connection, "the server's signature", parameters);
    tally.ok += ok;
    tally.fail += fail;
    finish_request(connection);
}

static void take_line(struct connection *connection, const char *line)
{
    char command[8] = "";
    unsigned id = 0;
    int end = 0;
    sscanf(line, "%7[A-Z]\t%u%n", command, &id, &end);
    const char *parameters = line + end + (line[end] == '\t');
    if (!connection->user || id != connection->id)
        mistake(connection, "a reply to the request in flight", line);
    else if (!strcmp(command, "CONT"))
        answer_challenge(connection, parameters);
    else
        take_verdict(connection, command, parameters);
}

static void take_input(struct connection *connection)
{
    ssize_t count = recv(connection->fd, connection->input + connection->used, LINE - 1 - connection->used, 0);
    if (count <= 0) {
        hang_up(connection);
        return;
    }
    connection->used += (size_t)count;
    connection->input[connection->used] = '\0';
    char *line = connection->input, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        take_line(connection, line);
    }
    connection->used -= (size_t)(line - connection->input);
    memmove(connection->input, line, connection->used + 1);
    if (connection->used == LINE - 1)
        errx(2, "expected lines of less than %d bytes", LINE);
}

/* --- pace --- */

static void set_pace(void)
{
    long interval = (long)(1e9 / options.rate);
    struct itimerspec every = {{interval / 1000000000, interval % 1000000000}, {0, 1}};
    pace.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    pace.began = now();
    if (pace.timer < 0 || timerfd_settime(pace.timer, 0, &every, NULL))
        err(2, "timerfd");
    watch(pace.timer, NULL);
}

static void take_ticks(void)
{
    uint64_t ticks;
    if (read(pace.timer, &ticks, sizeof ticks) == sizeof ticks)
        pace.due += (long)ticks;
}

/* When the next request is due: at once, or at its place in the pace. */
static double due_time(void)
{
    return pace.timer < 0 ? now() : pace.began + (double)phase.started / options.rate;
}

/* --- a phase --- */

static bool all_started(void)
{
    return open_count == 0 || (phase.requests && phase.started >= phase.requests) ||
           (phase.seconds > 0 && now() - tally.began >= phase.seconds);
}

static void start_requests(void)
{
    while (idle_count > 0 && !all_started() && (pace.timer < 0 || phase.started < pace.due)) {
        struct connection *connection = idle[--idle_count];
        if (connection->fd >= 0)
            start_request(connection, due_time());
    }
}

static void take_events(void)
{
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, 1000);
    if (phase.finished < phase.started && now() - tally.ended > PATIENCE_SECONDS)
        errx(2, "no answer in %d s to %ld requests", PATIENCE_SECONDS, phase.started - phase.finished);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            take_input(events[i].data.ptr);
        else
            take_ticks();
    }
}

static void run(long requests, double seconds)
{
    phase.requests = requests;
    phase.seconds = seconds;
    phase.started = phase.finished = 0;
    tally_begin(&tally);
    for (start_requests(); !all_started() || phase.finished < phase.started; start_requests())
        take_events();
}

static void measure(void)
{
    mechanism = mechanism_named(options.mechanism);
    accounts = read_accounts(options.users, &account_count);
    if (options.warm)
        run(options.warm, 0);
    if (options.rate > 0)
        set_pace();
    run(options.requests, options.seconds);
    tally_print(&tally);
}

/* Say that the connections stand, and keep them until standard input ends. */
static void wait_for_end(void)
{
    printf("{\"connections\": %d}\n", open_count);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
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
    options = read_options(argc, argv);
    raise_file_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    open_connections();
    if (options.wait)
        wait_for_end();
    if (options.users)
        measure();
    return tally.errors ? 1 : 0;
}
