/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key store of Windows: asks the sources one after the other.
 *
 * Nothing is kept between two calls: no handle and no key, so there is nothing
 * to lock, to forget, or to inherit.
 */
#include "platform/keystore.h"

#include "platform/private_der.h"
#include "platform/windows/source.h"
#include "platform/windows/status.h"

#include <openssl/crypto.h>
#include <string.h>

static const struct mesh_source *const everywhere[] = {
    &mesh_source_software, &mesh_source_tpm, &mesh_source_legacy, NULL};
static const struct mesh_source *const tpm_alone[] = {&mesh_source_tpm, NULL};

/* By the configuration; new keys go into the first. */
static const struct mesh_source *const *sources(const struct mesh_context *ctx)
{
    return ctx->config.keystore != NULL
                   && strcmp(ctx->config.keystore, "tpm") == 0
               ? tpm_alone
               : everywhere;
}

static int must_be_silent(const struct mesh_context *ctx)
{
    return ctx->config.prompt == MESH_PROMPT_NEVER;
}

void mesh_source_name(const char *udf, wchar_t name[MESH_KEY_NAME_MAX])
{
    size_t at = wcslen(MESH_KEY_PREFIX);

    memcpy(name, MESH_KEY_PREFIX, sizeof(MESH_KEY_PREFIX));
    for (; *udf != '\0' && at < MESH_KEY_NAME_MAX - 1; udf++)
        name[at++] = (unsigned char)*udf;
    name[at] = L'\0';
}

int mesh_source_take_name(const wchar_t *from, wchar_t name[MESH_KEY_NAME_MAX])
{
    size_t len = wcslen(from), i;

    if (len >= MESH_KEY_NAME_MAX
        || wcsncmp(from, MESH_KEY_PREFIX, wcslen(MESH_KEY_PREFIX)) != 0)
        return 0;
    for (i = 0; i <= len; i++) {
        if (from[i] > L'~')
            return 0;
        name[i] = from[i];
    }
    return 1;
}

int mesh_keystore_open(struct mesh_context *ctx)
{
    ctx->keystore = NULL;
    return 1;
}

void mesh_keystore_close(struct mesh_context *ctx)
{
    ctx->keystore = NULL;
}

static int check_public(struct mesh_context *ctx,
                        const struct mesh_source_key *key,
                        const struct mesh_key_name *name)
{
    struct mesh_key_name own;

    return mesh_key_name_of(ctx, key->public, &own)
           && (memcmp(own.spki_sha256, name->spki_sha256,
                      sizeof(own.spki_sha256))
                   == 0
               || mesh_raise(ctx, MESH_R_KEY_MISMATCH,
                             "the %s has another key under the name of %s, "
                             "%s: remove it or rename it",
                             key->source->label, name->udf, own.udf));
}

/*
 * Looks for a key: *found 1, and the caller closes it, or 0.  A source that
 * fails does not hide the key in another; only if none has it, the first
 * failure is the answer.  A computer without a TPM has no key in it.
 */
static int find(struct mesh_context *ctx, const struct mesh_key_name *name,
                int is_silent, struct mesh_source_key *key, int *found)
{
    const struct mesh_source *const *source = sources(ctx), *failed = NULL;
    unsigned absent = MESH_STATUS_NO_KEY;
    DWORD status, failure = 0;

    *found = 0;
    if (source == everywhere)
        absent |= MESH_STATUS_NO_DEVICE;
    for (; *source != NULL; source++) {
        status = (*source)->open(ctx, *source, name, is_silent, key);
        if (status == 0) {
            *found = check_public(ctx, key, name);
            if (!*found)
                (*source)->close(key);
            return *found;
        }
        if ((mesh_status_kind(status) & MESH_STATUS_NO_KEY) == 0)
            mesh_trace(ctx, "%s: %s: status 0x%08lx", name->udf,
                       (*source)->label, (unsigned long)status);
        if (failed == NULL && (mesh_status_kind(status) & absent) == 0) {
            failed = *source;
            failure = status;
        }
    }
    return failed == NULL
           || mesh_status_raise(ctx, failure, failed->label, name->udf);
}

static int find_held(struct mesh_context *ctx, const struct mesh_key_name *name,
                     int is_silent, struct mesh_source_key *key)
{
    int found;

    return find(ctx, name, is_silent, key, &found)
           && (found
               || mesh_raise(ctx, MESH_R_KEY_NOT_HELD,
                             "%s: the Windows key store does not have it",
                             name->udf));
}

int mesh_keystore_holds(struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    struct mesh_source_key key;

    if (!find(ctx, name, 1, &key, held))
        return 0;
    if (*held)
        key.source->close(&key);
    return 1;
}

int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    int is_silent = must_be_silent(ctx), ok;
    struct mesh_source_key key;

    if (!find_held(ctx, name, is_silent, &key))
        return 0;
    ok =
        key.source->operate(ctx, &key, op, is_silent, in, in_len, out, out_len);
    key.source->close(&key);
    return ok;
}

int mesh_keystore_generate(struct mesh_context *ctx, const char *algorithm,
                           EVP_PKEY **public)
{
    const struct mesh_algorithm *row = mesh_algorithm_need(ctx, algorithm);
    const struct mesh_source *source = *sources(ctx);

    *public = NULL;
    return row != NULL
           && source->generate(ctx, source, row, must_be_silent(ctx), public);
}

int mesh_keystore_import(struct mesh_context *ctx, const unsigned char *pkcs8,
                         size_t len, EVP_PKEY **public)
{
    const struct mesh_source *source = *sources(ctx);
    EVP_PKEY *key = mesh_private_read(ctx, pkcs8, len);
    struct mesh_source_key old;
    struct mesh_key_name name;
    int exists = 0, ok;

    *public = NULL;
    ok = key != NULL && mesh_key_name_of(ctx, key, &name)
         && find(ctx, &name, 1, &old, &exists);
    if (ok && exists) {
        ok = mesh_raise(ctx, MESH_R_KEY_EXISTS, "%s is there already: %s",
                        name.udf, old.source->label);
        old.source->close(&old);
    }
    ok = ok
         && source->import(ctx, source, key, name.udf, must_be_silent(ctx),
                           public);
    EVP_PKEY_free(key);
    return ok;
}

int mesh_keystore_register_file(struct mesh_context *ctx, const char *path,
                                const char *passphrase_source,
                                const char *passphrase, size_t passphrase_len,
                                EVP_PKEY **public)
{
    (void)passphrase_source;
    (void)passphrase;
    (void)passphrase_len;
    *public = NULL;
    return mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%.200s: on Windows no key is used in a file; import it "
                      "into the Windows key store",
                      path);
}

int mesh_keystore_delete(struct mesh_context *ctx,
                         const struct mesh_key_name *name)
{
    struct mesh_source_key key;
    DWORD status;

    if (!find_held(ctx, name, 1, &key))
        return 0;
    status = key.source->destroy(&key, must_be_silent(ctx));
    return status == 0
           || mesh_status_raise(ctx, status, "delete a key", name->udf);
}

struct list {
    struct mesh_keystore_item *items;
    size_t count;
};

/* A key under a name that is not its own is nobody's: only a look at it tells
 * what it is. */
static int add_item(struct mesh_context *ctx, const struct mesh_source_key *key,
                    void *arg)
{
    struct list *list = arg;
    struct mesh_keystore_item *items, *item;
    wchar_t own[MESH_KEY_NAME_MAX];
    struct mesh_key_name name;

    if (!mesh_key_name_of(ctx, key->public, &name))
        return 0;
    mesh_source_name(name.udf, own);
    if (wcscmp(own, key->name) != 0
        && wcsncmp(key->name, MESH_MADE_PREFIX, wcslen(MESH_MADE_PREFIX))
               != 0) {
        mesh_trace(ctx, "%s: \"%ls\" left out, it is %s", key->source->label,
                   key->name, name.udf);
        return 1;
    }
    items =
        OPENSSL_realloc(list->items, (list->count + 1) * sizeof(*list->items));
    if (items == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "list keys");
    list->items = items;
    item = &items[list->count++];
    memset(item, 0, sizeof(*item));
    item->name = name;
    OPENSSL_strlcpy(item->algorithm, mesh_algorithm_of(key->public),
                    sizeof(item->algorithm));
    OPENSSL_strlcpy(item->source, key->source->name, sizeof(item->source));
    return 1;
}

int mesh_keystore_list(struct mesh_context *ctx,
                       struct mesh_keystore_item **items, size_t *count)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    const struct mesh_source *const *source = sources(ctx);
    struct list list = {NULL, 0};
    int ok = 1;

    /* the first must answer; another may not be there at all */
    for (size_t i = 0; ok && source[i] != NULL; i++)
        ok = source[i]->list(i == 0 ? ctx : &quiet, source[i], add_item, &list)
             || i != 0;
    if (!ok) {
        OPENSSL_free(list.items);
        list.items = NULL;
        list.count = 0;
    }
    *items = list.items;
    *count = list.count;
    return ok;
}

int mesh_keystore_lock(struct mesh_context *ctx)
{
    (void)ctx;
    return 1;
}

int mesh_keystore_status(struct mesh_context *ctx,
                         struct mesh_keystore_status *status)
{
    const struct mesh_source *source = *sources(ctx);
    NCRYPT_PROV_HANDLE provider = 0;
    DWORD answer =
        (DWORD)NCryptOpenStorageProvider(&provider, source->provider, 0);

    memset(status, 0, sizeof(*status));
    if (answer != 0)
        return mesh_status_raise(ctx, answer, "open", source->label);
    NCryptFreeObject(provider);
    OPENSSL_strlcpy(status->program, "Windows key store (CNG)",
                    sizeof(status->program));
    return 1;
}
