/* Base64, as SASL's messages travel in it. */
#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SASL_TEXT = 2048 };

/* Octets written to out as text; false where it does not fit. */
bool encode(const void *octets, size_t size, char out[SASL_TEXT]);

/* The number of octets written to out; -1 where text is not base64. */
int decode(const char *text, uint8_t out[SASL_TEXT]);

#endif
