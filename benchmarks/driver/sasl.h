/* The two SASL responses that the load driver gives: PLAIN's and CRAM-MD5's, in base64. */
#ifndef SASL_H
#define SASL_H

#include <stdbool.h>
#include <stddef.h>

enum { SASL_TEXT = 1024 };

/* PLAIN's message (RFC 4616 §2), written to out as text; false where it does not fit. */
bool plain_response(const char *user, const char *password, char out[SASL_TEXT]);

/* The answer to a CRAM-MD5 challenge (RFC 2195 §2), both in base64; false where the challenge is not base64. */
bool cram_md5_response(const char *user, const char *password, const char *challenge, char out[SASL_TEXT]);

/* The keyed digest of text (RFC 2104), in lower-case hexadecimal. */
void hmac_md5_hex(const char *key, const void *text, size_t size, char hex[33]);

#endif
