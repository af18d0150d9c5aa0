/* MD5 (RFC 1321), and HMAC with it (RFC 2104). */
#include "md5.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, DIGEST = 16 };

struct md5 {
    uint32_t state[4];
    uint64_t size;
    uint8_t block[BLOCK];
};

/* --- MD5 --- */

static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* RFC 1321 §3.4: the table's i-th word is the integer part of 2^32 times abs(sin(i)). */
static const uint32_t *sines(void)
{
    static uint32_t table[64];
    if (table[0] == 0)
        for (int i = 0; i < 64; i++)
            table[i] = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
    return table;
}

/* What step i of the 64 mixes in: the round's function of three words, and which word of the block. */
static uint32_t mixed(int i, uint32_t b, uint32_t c, uint32_t d, const uint8_t *block)
{
    switch (i / 16) {
    case 0:
        return ((b & c) | (~b & d)) + word_at(block + 4 * i);
    case 1:
        return ((b & d) | (c & ~d)) + word_at(block + 4 * ((5 * i + 1) % 16));
    case 2:
        return (b ^ c ^ d) + word_at(block + 4 * ((3 * i + 5) % 16));
    default:
        return (c ^ (b | ~d)) + word_at(block + 4 * ((7 * i) % 16));
    }
}

static void digest_block(uint32_t state[4], const uint8_t *block)
{
    static const int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    const uint32_t *sine = sines();
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 64; i++) {
        uint32_t sum = a + mixed(i, b, c, d, block) + sine[i];
        a = d;
        d = c;
        c = b;
        b += rotate(sum, shifts[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static void md5_update(struct md5 *md5, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        md5->block[md5->size++ % BLOCK] = bytes[i];
        if (md5->size % BLOCK == 0)
            digest_block(md5->state, md5->block);
    }
}

static void md5_finish(struct md5 *md5, uint8_t digest[DIGEST])
{
    uint64_t bits = md5->size * 8;
    md5_update(md5, "\x80", 1);
    while (md5->size % BLOCK != BLOCK - 8)
        md5_update(md5, "", 1);
    for (int i = 0; i < 8; i++)
        md5_update(md5, &(uint8_t){(uint8_t)(bits >> 8 * i)}, 1);
    for (int i = 0; i < DIGEST; i++)
        digest[i] = (uint8_t)(md5->state[i / 4] >> 8 * (i % 4));
}

static struct md5 md5_start(void)
{
    return (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

/* --- HMAC --- */

/* One of HMAC's two nested digests: that of the padded key and the text. */
static void keyed_digest(const uint8_t key[BLOCK], uint8_t pad, const void *text, size_t size, uint8_t digest[DIGEST])
{
    uint8_t padded[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        padded[i] = key[i] ^ pad;
    struct md5 md5 = md5_start();
    md5_update(&md5, padded, BLOCK);
    md5_update(&md5, text, size);
    md5_finish(&md5, digest);
}

/* RFC 2104 §2: a key longer than a block is digested first. */
static void key_block(const char *key, uint8_t block[BLOCK])
{
    size_t size = strlen(key);
    memset(block, 0, BLOCK);
    if (size <= BLOCK) {
        memcpy(block, key, size);
        return;
    }
    struct md5 md5 = md5_start();
    md5_update(&md5, key, size);
    md5_finish(&md5, block);
}

void hmac_md5_hex(const char *key, const void *text, size_t size, char hex[33])
{
    uint8_t block[BLOCK], digest[DIGEST];
    key_block(key, block);
    keyed_digest(block, 0x36, text, size, digest);
    keyed_digest(block, 0x5c, digest, DIGEST, digest);
    for (int i = 0; i < 2 * DIGEST; i++)
        hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hex[2 * DIGEST] = '\0';
}
