/* Base64 (RFC 4648). */
#include "base64.h"

#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool encode(const void *octets, size_t size, char out[SASL_TEXT])
{
    const uint8_t *bytes = octets;
    if ((size + 2) / 3 * 4 >= SASL_TEXT)
        return false;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < size ? (uint32_t)bytes[i + 2] : 0;
        *out++ = ALPHABET[group >> 18];
        *out++ = ALPHABET[group >> 12 & 63];
        *out++ = i + 1 < size ? ALPHABET[group >> 6 & 63] : '=';
        *out++ = i + 2 < size ? ALPHABET[group & 63] : '=';
    }
    *out = '\0';
    return true;
}

int decode(const char *text, uint8_t out[SASL_TEXT])
{
    size_t size = strlen(text), padding = 0;
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    if (size % 4 || size > SASL_TEXT)
        return -1;
    int written = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < size - padding; i++) {
        const char *digit = strchr(ALPHABET, text[i]);
        if (!digit)
            return -1;
        group = group << 6 | (uint32_t)(digit - ALPHABET);
        if (i % 4)
            out[written++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    return written;
}
