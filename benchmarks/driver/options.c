/* Reading the command line of the load driver, and the file of users. */
#include "options.h"

#include "sasl.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: load --socket PATH --users FILE (--requests N | --seconds S) [options]\n"
    "       load --socket PATH --connections N --wait\n"
    "\n"
    "  --socket PATH       the server's unix socket\n"
    "  --users FILE        lines of name, TAB, password; for SCRAM, ClientKey and ServerKey in hexadecimal behind the TAB,\n"
    "                      for OAUTHBEARER the whole message in base64\n"
    "  --mechanism NAME    PLAIN (default), CRAM-MD5, SCRAM-SHA-256 or OAUTHBEARER\n"
    "  --connections N     how many, each with one request in flight (default 1)\n"
    "  --requests N        stop after so many replies\n"
    "  --seconds S         stop after so long; requests in flight are waited for and counted\n"
    "  --warm N            begin with so many requests that are not counted\n"
    "  --rate R            requests per second over all connections (default: as fast as the server answers)\n"
    "  --offset N          begin with the N-th user\n"
    "  --seed N            choose users at random instead of in turn\n"
    "  --wrong             send wrong passwords, each another one, and expect FAIL\n"
    "  --final-resp-ok     say that OK may carry the mechanism's last words\n"
    "  --strangers         every request names another remote address\n"
    "  --anyone            accept any user's name in OK\n"
    "  --wait              once connected, say so, and wait for the end of standard input before the first request;\n"
    "                      without --users, that is all\n";

enum { SOCKET = 1, USERS, MECHANISM, CONNECTIONS, REQUESTS, SECONDS, WARM, RATE, OFFSET, SEED, WRONG, STRANGERS, ANYONE, WAIT,
       FINAL };

static const struct option LONG_OPTIONS[] = {
    {"socket", required_argument, NULL, SOCKET},
    {"users", required_argument, NULL, USERS},
    {"mechanism", required_argument, NULL, MECHANISM},
    {"connections", required_argument, NULL, CONNECTIONS},
    {"requests", required_argument, NULL, REQUESTS},
    {"seconds", required_argument, NULL, SECONDS},
    {"warm", required_argument, NULL, WARM},
    {"rate", required_argument, NULL, RATE},
    {"offset", required_argument, NULL, OFFSET},
    {"seed", required_argument, NULL, SEED},
    {"wrong", no_argument, NULL, WRONG},
    {"strangers", no_argument, NULL, STRANGERS},
    {"anyone", no_argument, NULL, ANYONE},
    {"wait", no_argument, NULL, WAIT},
    {"final-resp-ok", no_argument, NULL, FINAL},
    {NULL, 0, NULL, 0},
};

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < 0)
        errx(2, "expected a number, got %s", text);
    return value;
}

static void take_option(struct options *options, int option)
{
    switch (option) {
    case SOCKET: options->socket = optarg; break;
    case USERS: options->users = optarg; break;
    case MECHANISM: options->mechanism = optarg; break;
    case CONNECTIONS: options->connections = (int)number(optarg); break;
    case REQUESTS: options->requests = (long)number(optarg); break;
    case SECONDS: options->seconds = number(optarg); break;
    case WARM: options->warm = (long)number(optarg); break;
    case RATE: options->rate = number(optarg); break;
    case OFFSET: options->offset = (long)number(optarg); break;
    case SEED: options->seed = (uint64_t)number(optarg); break;
    case WRONG: options->wrong = true; break;
    case STRANGERS: options->strangers = true; break;
    case ANYONE: options->anyone = true; break;
    case WAIT: options->wait = true; break;
    case FINAL: options->final = true; break;
    default: errx(2, "\n%s", USAGE);
    }
}

static bool make_sense(const struct options *options)
{
    bool known = mechanism_named(options->mechanism) != NULL;
    bool ends = options->requests > 0 || options->seconds > 0;
    bool complete = options->users ? ends : options->wait;
    return options->socket && options->connections > 0 && known && complete;
}

struct options read_options(int argc, char **argv)
{
    struct options options = {.mechanism = "PLAIN", .connections = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG_OPTIONS, NULL)) != -1)
        take_option(&options, option);
    if (optind < argc || !make_sense(&options))
        errx(2, "\n%s", USAGE);
    return options;
}

static struct account account_in(char *line, const char *path)
{
    char *tab = strchr(line, '\t');
    if (!tab)
        errx(2, "%s: expected lines of name, TAB, password", path);
    *tab = '\0';
    tab[1 + strcspn(tab + 1, "\n")] = '\0';
    return (struct account){strdup(line), strdup(tab + 1)};
}

struct account *read_accounts(const char *path, size_t *count)
{
    FILE *file = fopen(path, "r");
    if (!file)
        err(2, "%s", path);
    struct account *accounts = NULL;
    char line[2 * SASL_TEXT];
    for (*count = 0; fgets(line, sizeof line, file); ++*count) {
        /* Room doubles whenever the count has come to a power of two. */
        if ((*count & (*count - 1)) == 0 && !(accounts = realloc(accounts, (*count * 2 + 1) * sizeof *accounts)))
            err(2, "%s", path);
        accounts[*count] = account_in(line, path);
    }
    fclose(file);
    if (*count == 0)
        errx(2, "%s: expected at least one account", path);
    return accounts;
}
