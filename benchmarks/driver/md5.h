/* HMAC-MD5, which CRAM-MD5 asks for. */
#ifndef MD5_H
#define MD5_H

#include <stddef.h>

/* The keyed digest of text (RFC 2104), in lower-case hexadecimal. */
void hmac_md5_hex(const char *key, const void *text, size_t size, char hex[33]);

#endif
