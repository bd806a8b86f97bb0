/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that the user names on the command line, and passphrases.
 */
#ifndef MESH_TOOLS_INPUT_H
#define MESH_TOOLS_INPUT_H

#include "platform/context.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define PASSPHRASE_MAX 1024

/* A passphrase: asked for once, when it is wanted. */
struct passphrase {
    const char *file; /* its first line; NULL: the terminal is asked */
    const char *what; /* names in the prompt what is encrypted */
    char *text;       /* secure heap; NULL: not wanted so far */
};
/* Reads it or asks for it, at the first call. */
int passphrase_get(struct mesh_context *ctx, struct passphrase *passphrase);
void passphrase_clear(struct passphrase *passphrase);

#define INPUT_STANDARD "-" /* the path of standard input */

/* Reads the whole file at path, of at most max octets, whoever may write it: it
 * is the user who trusts it.  *data: OPENSSL_clear_free, NUL beyond *len. */
int input_read(struct mesh_context *ctx, const char *path, size_t max,
               unsigned char **data, size_t *len);

/* Whether the data of a file is a private key, encrypted or not, in any form
 * that input_load() reads, or in that of OpenSSH. */
int input_is_private_key(struct mesh_context *ctx, const unsigned char *data,
                         size_t len);

/* What a PEM, DER or PKCS#12 file holds. */
struct input {
    EVP_PKEY *key;                 /* private; NULL: none */
    STACK_OF(X509) * certificates; /* in the order of the file; never NULL */
};
/* passphrase NULL: certificates alone are read, keys left out.  Fails if the
 * file has nothing that is wanted, or more than one key. */
int input_load(struct mesh_context *ctx, const char *path,
               struct passphrase *passphrase, struct input *input);
void input_clear(struct input *input);

/* The folder where OpenSSL looks for its modules; "" if nobody says.  On
 * Windows only OPENSSL_MODULES does: the folder that libcrypto was built with
 * is no folder of this computer, and anybody might make it. */
const char *input_modules(void);

/* Puts the certificate of key first.  0, and nothing raised, if there is none.
 */
int input_sort_certificates(struct input *input, EVP_PKEY *key);

#endif
