/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The key store of Linux: asks mesh-keyd.
 */
#include "platform/keystore.h"

#include "platform/linux/call.h"
#include "platform/public_der.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

/* A call about one key. */
static void start_key_call(struct mesh_call *call, struct mesh_context *ctx,
                           enum mesh_request_type type,
                           const struct mesh_key_name *name)
{
    mesh_call_start(call, ctx, type);
    memcpy(call->request.udf, name->udf, sizeof(name->udf));
    memcpy(call->request.spki_sha256, name->spki_sha256,
           sizeof(name->spki_sha256));
}

int mesh_keystore_holds(struct mesh_context *ctx,
                        const struct mesh_key_name *name, int *held)
{
    struct mesh_call call;

    start_key_call(&call, ctx, MESH_REQ_STAT, name);
    if (!mesh_call_keyd(ctx, &call))
        return 0;
    mesh_call_free(&call);
    *held = call.answer.held == 1;
    return 1;
}

int mesh_keystore_operate(struct mesh_context *ctx,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    struct mesh_call call;
    int ok;

    if (op->salt_length < 0 || in_len > MESH_MESSAGE_MAX
        || op->label_len > MESH_MESSAGE_MAX)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "salt length %d, input of %zu octets, label of %zu",
                          op->salt_length, in_len, op->label_len);
    start_key_call(&call, ctx, MESH_REQ_OPERATE, name);
    call.request.operation = op->operation;
    call.request.padding = op->padding;
    call.request.salt_length = (uint32_t)op->salt_length;
    call.request.tls_client_version = op->tls_client_version;
    call.request.tls_negotiated_version = op->tls_negotiated_version;
    call.request.implicit_rejection = op->implicit_rejection;
    call.request.out_max =
        (uint32_t)(*out_len < MESH_MESSAGE_MAX ? *out_len : MESH_MESSAGE_MAX);
    memcpy(call.request.digest, op->digest, sizeof(op->digest));
    memcpy(call.request.mgf1_digest, op->mgf1_digest, sizeof(op->mgf1_digest));
    memcpy(call.request.variant, op->variant, sizeof(op->variant));
    call.request.deterministic = op->deterministic;
    call.request.encoded = op->encoded;
    call.label = op->label;
    call.request.label_len = (uint32_t)op->label_len;
    call.data = in;
    call.request.data_len = (uint32_t)in_len;
    ok = mesh_call_keyd(ctx, &call);
    if (ok && call.result_len > *out_len) {
        ok = mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                        "mesh-keyd's result has %zu octets, not %zu at most",
                        call.result_len, *out_len);
    } else if (ok && call.result_len == 0 && op->operation != MESH_OP_DECRYPT) {
        ok = mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                        "mesh-keyd's result is empty");
    } else if (ok) {
        memcpy(out, call.result_len > 0 ? call.result : out, call.result_len);
        *out_len = call.result_len;
    }
    mesh_call_free(&call);
    return ok;
}

/* Sends data and takes the public half of a key from the answer. */
static int call_for_key(struct mesh_context *ctx, enum mesh_request_type type,
                        const void *data, size_t len, EVP_PKEY **public)
{
    struct mesh_call call;

    *public = NULL;
    if (len > MESH_MESSAGE_MAX)
        return mesh_raise(ctx, MESH_R_USAGE, "%zu octets are no key", len);
    mesh_call_start(&call, ctx, type);
    call.data = data;
    call.request.data_len = (uint32_t)len;
    if (!mesh_call_keyd(ctx, &call))
        return 0;
    if (call.result != NULL)
        *public = mesh_public_read(ctx, call.result, call.result_len);
    mesh_call_free(&call);
    return *public != NULL
           || mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                         "mesh-keyd's answer has no public key");
}

int mesh_keystore_generate(struct mesh_context *ctx, const char *algorithm,
                           EVP_PKEY **public)
{
    return call_for_key(ctx, MESH_REQ_GENERATE, algorithm, strlen(algorithm),
                        public);
}

int mesh_keystore_import(struct mesh_context *ctx, const unsigned char *pkcs8,
                         size_t len, EVP_PKEY **public)
{
    return call_for_key(ctx, MESH_REQ_IMPORT, pkcs8, len, public);
}

int mesh_keystore_register_file(struct mesh_context *ctx, const char *path,
                                const char *passphrase_source,
                                const char *passphrase, size_t passphrase_len,
                                EVP_PKEY **public)
{
    const char *source = passphrase_source != NULL ? passphrase_source : "";
    size_t path_size = strlen(path) + 1, source_size = strlen(source) + 1;
    size_t len;
    unsigned char *data;
    int ok;

    *public = NULL;
    if (passphrase == NULL)
        passphrase_len = 0;
    if (passphrase_len > MESH_MESSAGE_MAX)
        return mesh_raise(ctx, MESH_R_USAGE, "the passphrase is too long");
    len = path_size + source_size + passphrase_len;
    data = OPENSSL_malloc(len);
    if (data == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
    memcpy(data, path, path_size);
    memcpy(data + path_size, source, source_size);
    if (passphrase_len > 0)
        memcpy(data + path_size + source_size, passphrase, passphrase_len);
    ok = call_for_key(ctx, MESH_REQ_REGISTER, data, len, public);
    OPENSSL_clear_free(data, len);
    return ok;
}

int mesh_keystore_delete(struct mesh_context *ctx,
                         const struct mesh_key_name *name)
{
    struct mesh_call call;
    int ok;

    start_key_call(&call, ctx, MESH_REQ_DELETE, name);
    ok = mesh_call_keyd(ctx, &call);
    mesh_call_free(&call);
    return ok;
}

int mesh_keystore_list(struct mesh_context *ctx,
                       struct mesh_keystore_item **items, size_t *count)
{
    struct mesh_call call;
    struct mesh_keystore_item *list;
    size_t i, n;
    int ok;

    *items = NULL;
    *count = 0;
    mesh_call_start(&call, ctx, MESH_REQ_LIST);
    if (!mesh_call_keyd(ctx, &call))
        return 0;
    list = (struct mesh_keystore_item *)call.result;
    n = call.result_len / sizeof(*list);
    ok = call.result_len % sizeof(*list) == 0;
    for (i = 0; ok && i < n; i++)
        ok = mesh_message_terminated(list[i].name.udf, sizeof(list[i].name.udf))
             && mesh_message_terminated(list[i].algorithm,
                                        sizeof(list[i].algorithm))
             && mesh_message_terminated(list[i].source, sizeof(list[i].source));
    if (!ok) {
        mesh_call_free(&call);
        return mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                          "mesh-keyd's list of keys makes no sense");
    }
    *items = list;
    *count = n;
    return 1;
}

int mesh_keystore_lock(struct mesh_context *ctx)
{
    struct mesh_call call;
    int ok;

    mesh_call_start(&call, ctx, MESH_REQ_LOCK);
    ok = mesh_call_keyd(ctx, &call);
    mesh_call_free(&call);
    return ok;
}

int mesh_keystore_status(struct mesh_context *ctx,
                         struct mesh_keystore_status *status)
{
    struct mesh_call call;
    int ok;

    mesh_call_start(&call, ctx, MESH_REQ_STATUS);
    if (!mesh_call_keyd(ctx, &call))
        return 0;
    ok = call.result_len == sizeof(*status);
    if (ok) {
        memcpy(status, call.result, sizeof(*status));
        ok = mesh_message_terminated(status->program, sizeof(status->program))
             && mesh_message_terminated(status->home, sizeof(status->home));
    }
    mesh_call_free(&call);
    return ok
           || mesh_raise(ctx, MESH_R_KEYD_PROTOCOL,
                         "mesh-keyd's status makes no sense");
}
