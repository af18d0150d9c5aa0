/*
 * What a client must say to log in: PLAIN (RFC 4616), CRAM-MD5 (RFC 2195), SCRAM-SHA-256 (RFC 5802, RFC 7677)
 * from keys that are derived already, and OAUTHBEARER (RFC 7628) from messages that are ready.
 */
#include "sasl.h"

#include "md5.h"
#include "sha256.h"

#include <stdio.h>
#include <string.h>

/* --- PLAIN --- */

static bool plain_first(struct talk *talk, char out[SASL_TEXT])
{
    char message[SASL_TEXT];
    int size = snprintf(message, sizeof message, "%c%s%c%s", 0, talk->user, 0, talk->secret);
    return size < SASL_TEXT && encode(message, (size_t)size, out);
}

/* --- CRAM-MD5 --- */

static bool cram_md5_next(struct talk *talk, const char *challenge, char out[SASL_TEXT])
{
    uint8_t text[SASL_TEXT];
    char hex[33], message[SASL_TEXT];
    int size = decode(challenge, text);
    if (size < 0)
        return false;
    hmac_md5_hex(talk->secret, text, (size_t)size, hex);
    int length = snprintf(message, sizeof message, "%s %s", talk->user, hex);
    return length < SASL_TEXT && encode(message, (size_t)length, out);
}

/* --- SCRAM-SHA-256 --- */

static bool scram_first(struct talk *talk, char out[SASL_TEXT])
{
    char message[SASL_TEXT];
    /* As long as the nonces of others; nobody here has anything to fear from one that can be guessed. */
    snprintf(talk->first, sizeof talk->first, "n=%s,r=fyko+d2lbbFgONRv%010u", talk->user, talk->number);
    int size = snprintf(message, sizeof message, "n,,%s", talk->first);
    return size < SASL_TEXT && encode(message, (size_t)size, out);
}

static unsigned digit(char hex)
{
    return hex <= '9' ? (unsigned)(hex - '0') : (unsigned)(hex - 'a' + 10);
}

static void read_key(const char *hex, uint8_t key[SHA256])
{
    for (int i = 0; i < SHA256; i++)
        key[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* The nonce at the beginning of the server's first message, r= and all: the client's own with the server's behind. */
static int nonce_size(const struct talk *talk, const char *server_first)
{
    const char *own = strstr(talk->first, ",r=") + 1;
    bool good = talk->careless || !strncmp(server_first, own, strlen(own));
    return good ? (int)strcspn(server_first, ",") : -1;
}

/* RFC 5802 §3: ClientProof, in base64. */
static void prove(const char *keys, const char *conversation, char out[SASL_TEXT])
{
    uint8_t client_key[SHA256], stored_key[SHA256], proof[SHA256];
    read_key(keys, client_key);
    sha256(client_key, SHA256, stored_key);
    hmac_sha256(stored_key, conversation, strlen(conversation), proof);
    for (int i = 0; i < SHA256; i++)
        proof[i] ^= client_key[i];
    encode(proof, SHA256, out);
}

/* The server's last words, in base64, with its signature. */
static void expect(const char *keys, const char *conversation, char out[SASL_TEXT])
{
    uint8_t server_key[SHA256], signature[SHA256];
    char text[SASL_TEXT], words[SASL_TEXT + 2];
    read_key(keys + 2 * SHA256, server_key);
    hmac_sha256(server_key, conversation, strlen(conversation), signature);
    encode(signature, SHA256, text);
    encode(words, (size_t)snprintf(words, sizeof words, "v=%s", text), out);
}

static bool scram_next(struct talk *talk, const char *challenge, char out[SASL_TEXT])
{
    char server_first[SASL_TEXT], unproved[SASL_TEXT], conversation[3 * SASL_TEXT], proof[SASL_TEXT], message[2 * SASL_TEXT];
    int size = decode(challenge, (uint8_t *)server_first);
    if (size < 0 || size == SASL_TEXT || strlen(talk->secret) != 4 * SHA256)
        return false;
    server_first[size] = '\0';
    int nonce = nonce_size(talk, server_first);
    if (nonce < 0)
        return false;
    snprintf(unproved, sizeof unproved, "c=biws,%.*s", nonce, server_first);
    snprintf(conversation, sizeof conversation, "%s,%s,%s", talk->first, server_first, unproved);
    prove(talk->secret, conversation, proof);
    expect(talk->secret, conversation, talk->signature);
    size = snprintf(message, sizeof message, "%s,p=%s", unproved, proof);
    return encode(message, (size_t)size, out);
}

static bool scram_last(const struct talk *talk, const char *words)
{
    return talk->careless || !strcmp(words, talk->signature);
}

/* --- OAUTHBEARER --- */

static bool replayed(struct talk *talk, char out[SASL_TEXT])
{
    int size = snprintf(out, SASL_TEXT, "%s", talk->secret);
    return size < SASL_TEXT;
}

static const struct mechanism MECHANISMS[] = {
    {.name = "PLAIN", .first = plain_first},
    {.name = "CRAM-MD5", .next = cram_md5_next},
    {.name = "SCRAM-SHA-256", .first = scram_first, .next = scram_next, .last = scram_last},
    {.name = "OAUTHBEARER", .first = replayed},
};

const struct mechanism *mechanism_named(const char *name)
{
    for (size_t i = 0; i < sizeof MECHANISMS / sizeof *MECHANISMS; i++)
        if (!strcmp(MECHANISMS[i].name, name))
            return &MECHANISMS[i];
    return NULL;
}
