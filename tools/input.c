/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files that the user names on the command line: keys and certificates in any
 * form that OpenSSL's file loader knows.
 */
#include "tools/input.h"

#include "platform/reference.h"
#include "tools/host.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX   (1u << 20) /* octets of a file of keys or certificates */
#define OBJECTS_MAX 1024       /* in it */

int input_read(struct mesh_context *ctx, const char *path, size_t max,
               unsigned char **data, size_t *len)
{
    FILE *file;
    int ok = 0;

    *data = NULL;
    if (path[0] == '\0')
        return mesh_raise(ctx, MESH_R_FILE_IO, "'' is the name of no file");
    file = strcmp(path, INPUT_STANDARD) == 0 ? stdin : host_open(path);
    if (file == NULL)
        return mesh_raise(ctx, MESH_R_FILE_IO, "%.300s: %s", path,
                          strerror(errno));
    /* No copy of a key in a buffer that nobody cleanses. */
    setvbuf(file, NULL, _IONBF, 0);
    if ((*data = OPENSSL_malloc(max + 2)) == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "%.300s", path);
        goto end;
    }
    *len = fread(*data, 1, max + 1, file);
    if (ferror(file))
        mesh_raise(ctx, MESH_R_FILE_IO, "%.300s: %s", path, strerror(errno));
    else if (*len > max)
        mesh_raise(ctx, MESH_R_PROFILE_TOO_LARGE,
                   "%.300s has more than %zu octets", path, max);
    else
        ok = 1;
    (*data)[*len] = '\0';
end:
    if (file != stdin)
        fclose(file);
    if (!ok) {
        OPENSSL_clear_free(*data, *data != NULL ? max + 2 : 0);
        *data = NULL;
    }
    return ok;
}

struct asked {
    struct mesh_context *ctx;
    struct passphrase *passphrase; /* NULL: do not ask */
    int failed;                    /* there was none, and that was raised */
};

static int give_passphrase(char *buffer, int size, int writing, void *arg)
{
    struct asked *asked = arg;
    size_t len;

    (void)writing;
    if (asked->passphrase == NULL || asked->failed)
        return -1;
    if (!passphrase_get(asked->ctx, asked->passphrase)) {
        asked->failed = 1;
        return -1;
    }
    len = strlen(asked->passphrase->text);
    if (len > (size_t)size)
        return -1;
    memcpy(buffer, asked->passphrase->text, len);
    return (int)len;
}

/* Takes what one object of the file is. */
static int take(struct mesh_context *ctx, const char *path,
                OSSL_STORE_INFO *info, struct input *input)
{
    X509 *certificate;

    switch (OSSL_STORE_INFO_get_type(info)) {
    case OSSL_STORE_INFO_PKEY:
        if (input->key != NULL)
            return mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                              "%.300s holds more than one private key; put "
                              "each into a file of its own",
                              path);
        input->key = OSSL_STORE_INFO_get1_PKEY(info);
        break;
    case OSSL_STORE_INFO_CERT:
        certificate = OSSL_STORE_INFO_get1_CERT(info);
        if (!sk_X509_push(input->certificates, certificate)) {
            X509_free(certificate);
            return mesh_raise(ctx, MESH_R_MEMORY, "%.300s", path);
        }
        break;
    default: /* parameters, CRLs: nothing for us */
        break;
    }
    return 1;
}

static int load_all(struct asked *asked, const char *path, BIO *bio,
                    const UI_METHOD *ui, struct input *input)
{
    struct mesh_context *ctx = asked->ctx;
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;
    int ok = 1;

    store = OSSL_STORE_attach(bio, "file", ctx->libctx, NULL, ui, asked, NULL,
                              NULL, NULL);
    if (store == NULL
        || (asked->passphrase == NULL
            && !OSSL_STORE_expect(store, OSSL_STORE_INFO_CERT))) {
        OSSL_STORE_close(store);
        return mesh_raise(ctx, MESH_R_INTERNAL,
                          "%.300s: libcrypto has no loader for files", path);
    }
    /* An object that cannot be read is passed over: a certificate may follow an
     * encrypted key. */
    for (int i = 0;
         i < OBJECTS_MAX && ok && !asked->failed && !OSSL_STORE_eof(store);
         i++) {
        info = OSSL_STORE_load(store);
        ok = info == NULL || take(ctx, path, info, input);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return ok && !asked->failed;
}

static int is_pkcs12(const unsigned char *data, size_t len)
{
    PKCS12 *file = d2i_PKCS12(NULL, &data, (long)len);

    PKCS12_free(file);
    return file != NULL;
}

/* Whether text is in data, which ends with a NUL and may have others. */
static int has_line(const unsigned char *data, size_t len, const char *text)
{
    const char *part = (const char *)data, *end = part + len;

    while (part < end && strstr(part, text) == NULL)
        part += strlen(part) + 1;
    return part < end;
}

/* What needs a passphrase is known by its outermost structure. */
int input_is_private_key(struct mesh_context *ctx, const unsigned char *data,
                         size_t len)
{
    const unsigned char *encrypted_der = data, *der = data;
    X509_SIG *encrypted;
    EVP_PKEY *key;
    int is;

    ERR_set_mark();
    encrypted = d2i_X509_SIG(NULL, &encrypted_der, (long)len);
    key = d2i_AutoPrivateKey_ex(NULL, &der, (long)len, ctx->libctx, NULL);
    is = encrypted != NULL || key != NULL || is_pkcs12(data, len)
         || has_line(data, len, "PRIVATE KEY-----");
    ERR_pop_to_mark();
    X509_SIG_free(encrypted);
    EVP_PKEY_free(key);
    return is;
}

static int is_reference(const unsigned char *data, size_t len)
{
    return mesh_reference_is(data, len)
           || strstr((const char *)data, "BEGIN " MESH_REFERENCE_LABEL) != NULL;
}

const char *input_modules(void)
{
    const char *folder = getenv("OPENSSL_MODULES");

#ifndef MESH_PLATFORM_WINDOWS
    if (folder == NULL)
        folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
#endif
    return folder != NULL ? folder : "";
}

static OSSL_PROVIDER *load_legacy(OSSL_LIB_CTX *libctx)
{
    return input_modules()[0] != '\0'
               ? OSSL_PROVIDER_try_load(libctx, "legacy", 1)
               : NULL;
}

int input_load(struct mesh_context *ctx, const char *path,
               struct passphrase *passphrase, struct input *input)
{
    struct asked asked = {ctx, passphrase, 0};
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    OSSL_PROVIDER *legacy[2];
    unsigned char *data = NULL;
    BIO *bio = NULL;
    size_t len = 0;
    int ok = 0;

    /* PKCS#12 files of older programs are encrypted with RC2; and OpenSSL 3.0
     * reads PKCS#12 in its default library context, whichever we give it. */
    legacy[0] = load_legacy(ctx->libctx);
    legacy[1] = load_legacy(NULL);
    input->key = NULL;
    input->certificates = sk_X509_new_null();
    ERR_set_mark();
    if (!input_read(ctx, path, INPUT_MAX, &data, &len))
        goto end;
    if (ui == NULL || input->certificates == NULL
        || (bio = BIO_new_mem_buf(data, (int)len)) == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "%.300s", path);
        goto end;
    }
    if (!load_all(&asked, path, bio, ui, input))
        goto end;
    ok = passphrase != NULL ? input->key != NULL
                            : sk_X509_num(input->certificates) > 0;
    if (ok)
        goto end;
    if (passphrase == NULL)
        mesh_raise(ctx, MESH_R_CERTIFICATE,
                   "%.300s holds no certificate that OpenSSL can read", path);
    else if (is_reference(data, len))
        mesh_raise(ctx, MESH_R_USAGE,
                   "%.300s is a key-reference file: it names a key that is in "
                   "a key store already, and holds none",
                   path);
    else if (passphrase->text == NULL)
        mesh_raise(ctx, MESH_R_KEY_MALFORMED,
                   "%.300s holds no private key that OpenSSL can read", path);
    else if (legacy[1] == NULL && is_pkcs12(data, len))
        mesh_raise(ctx, MESH_R_PASSPHRASE,
                   "%.300s cannot be decrypted with this one; PKCS#12 of old "
                   "programs wants OpenSSL's legacy provider, which is not in "
                   "%s",
                   path,
                   input_modules()[0] != '\0'
                       ? input_modules()
                       : "a folder that OPENSSL_MODULES names");
    else
        mesh_raise(ctx, MESH_R_PASSPHRASE,
                   "%.300s cannot be decrypted with this one", path);
end:
    ERR_pop_to_mark();
    BIO_free(bio);
    OPENSSL_clear_free(data, len);
    UI_destroy_method(ui);
    for (size_t i = 0; i < 2; i++)
        if (legacy[i] != NULL)
            OSSL_PROVIDER_unload(legacy[i]);
    return ok;
}

void input_clear(struct input *input)
{
    EVP_PKEY_free(input->key);
    sk_X509_pop_free(input->certificates, X509_free);
    memset(input, 0, sizeof(*input));
}

int input_sort_certificates(struct input *input, EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(input->certificates); i++) {
        X509 *certificate = sk_X509_value(input->certificates, i);

        if (EVP_PKEY_eq(X509_get0_pubkey(certificate), key) != 1)
            continue;
        sk_X509_delete(input->certificates, i);
        return sk_X509_unshift(input->certificates, certificate) > 0;
    }
    return 0;
}
