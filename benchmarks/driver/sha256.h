/* SHA-256 and HMAC with it, which SCRAM-SHA-256 asks for. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256 = 32 };

/* The digest of octets (FIPS 180-4). */
void sha256(const void *octets, size_t size, uint8_t digest[SHA256]);

/* The keyed digest of octets (RFC 2104), whose key is a digest itself. */
void hmac_sha256(const uint8_t key[SHA256], const void *octets, size_t size, uint8_t digest[SHA256]);

#endif
