/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * make_container KEY [CERTIFICATE]
 *
 * Puts an RSA key of 2048 bits (PKCS#8, DER) into a container of CryptoAPI, as
 * the first applications of the Mesh did, and prints the key's fingerprint.
 * The certificate (DER) goes into the user's store, for this container.
 */
#include "platform/windows/source.h"
#include "tests/windows/container.h"

#include <openssl/x509.h>
#include <stdio.h>

static size_t read_file(const char *path, unsigned char *data, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(data, 1, size, file) : 0;

    if (file != NULL)
        fclose(file);
    return len;
}

static void print_error(struct mesh_context *ctx, enum mesh_reason reason,
                        const char *file, int line, const char *func,
                        const char *text)
{
    (void)ctx, (void)file, (void)line, (void)func;
    fprintf(stderr, "%s: %s\n", mesh_reason_text(reason), text);
}

static int fail(const char *what)
{
    fprintf(stderr, "make_container: %s (Windows's status 0x%08lx)\n", what,
            GetLastError());
    return 1;
}

int main(int argc, char **argv)
{
    struct mesh_context *ctx = mesh_context_new(NULL, print_error, NULL);
    unsigned char data[8192];
    const unsigned char *in = data;
    wchar_t container[MESH_KEY_NAME_MAX];
    struct mesh_key_name name;
    EVP_PKEY *key;
    size_t len;

    if (argc < 2 || ctx == NULL)
        return fail("KEY [CERTIFICATE]");
    len = read_file(argv[1], data, sizeof(data));
    key = d2i_AutoPrivateKey_ex(NULL, &in, (long)len, ctx->libctx, NULL);
    if (key == NULL || !mesh_key_name_of(ctx, key, &name))
        return fail("no key");
    mesh_source_name(name.udf, container);
    if (!container_make(key, container))
        return fail("no container");
    if (argc > 2
        && ((len = read_file(argv[2], data, sizeof(data))) == 0
            || !container_certify(data, len, container)))
        return fail("no certificate");
    puts(name.udf);
    EVP_PKEY_free(key);
    mesh_context_free(ctx);
    return 0;
}
