/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What each request of the protocol does.
 */
#include "platform/linux/keyd/request.h"

#include "platform/algorithm.h"
#include "platform/linux/keyd/failure.h"
#include "platform/linux/keyd/harden.h"
#include "platform/linux/keyd/key_data.h"
#include "platform/linux/keyd/key_file.h"
#include "platform/linux/keyd/log.h"
#include "platform/linux/keyd/operate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT 60          /* seconds, for a request that has none */
#define TIMEOUT_MAX     (24 * 3600) /* seconds */

/* One request on its way through a handler. */
struct call {
    struct mesh_service *service;
    struct mesh_context *ctx; /* its errors go into the answer */
    const struct mesh_request *request;
    const struct mesh_peer *peer;
    struct mesh_key_name name;
    struct mesh_patience patience;
    const unsigned char *label, *data;
    size_t data_len;
    unsigned char *out;
    size_t out_len;
    uint32_t held;
    /* for the log */
    char what[MESH_OPERATION_NAME_MAX];
    int is_named; /* name is the key's own: it was compared, or computed */
};

typedef int handler_fn(struct call *call);

static int64_t monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int serve_stat(struct call *call)
{
    int held = 0;
    int ok = mesh_keys_hold(call->service->keys, call->ctx, &call->name, &held);

    call->held = (uint32_t)held;
    return ok;
}

/* What can be refused without the key is, before anybody is asked for it. */
static struct mesh_prepared *prepare(struct call *call,
                                     const struct mesh_private_op *op)
{
    struct mesh_keys *keys = call->service->keys;
    struct mesh_prepared *prepared;
    EVP_PKEY *key;

    if (!mesh_operate_check(call->ctx, op, call->data, call->data_len))
        return NULL;
    mesh_operate_describe(op, call->what, sizeof(call->what));
    if (!mesh_keys_find(keys, call->ctx, &call->name, &call->patience, &key))
        return NULL;
    call->is_named = 1;
    prepared = mesh_keys_prepare(keys, call->ctx, &call->name, key, op);
    EVP_PKEY_free(key);
    return prepared;
}

static int serve_operate(struct call *call)
{
    const struct mesh_request *request = call->request;
    struct mesh_private_op op = {
        .operation = request->operation,
        .padding = request->padding,
        .label = call->label,
        .label_len = request->label_len,
        .tls_client_version = request->tls_client_version,
        .tls_negotiated_version = request->tls_negotiated_version,
        .implicit_rejection = request->implicit_rejection,
        .deterministic = request->deterministic,
        .encoded = request->encoded,
    };
    struct mesh_prepared *prepared;
    int ok;

    /* what does not fit becomes negative, which the check refuses */
    op.salt_length =
        request->salt_length > INT32_MAX ? -1 : (int)request->salt_length;
    memcpy(op.digest, request->digest, sizeof(op.digest));
    memcpy(op.mgf1_digest, request->mgf1_digest, sizeof(op.mgf1_digest));
    memcpy(op.variant, request->variant, sizeof(op.variant));
    prepared = mesh_keys_prepared(call->service->keys, &call->name, &op);
    if (prepared == NULL)
        prepared = prepare(call, &op);
    if (prepared == NULL)
        return 0;
    OPENSSL_strlcpy(call->what, mesh_prepared_name(prepared),
                    sizeof(call->what));
    call->is_named = 1;
    ok = mesh_prepared_run(call->ctx, prepared, call->data, call->data_len,
                           &call->out, &call->out_len);
    mesh_prepared_free(prepared);
    if (ok && call->out_len > request->out_max)
        ok = mesh_raise(call->ctx, MESH_R_BUFFER_TOO_SMALL,
                        "the result has %zu octets, there is room for %u",
                        call->out_len, request->out_max);
    return ok;
}

/* The answer of whatever makes a key known: its public half. */
static int answer_public(struct call *call, EVP_PKEY *key)
{
    int len = i2d_PUBKEY(key, &call->out);

    if (len <= 0)
        return mesh_raise(call->ctx, MESH_R_INTERNAL,
                          "the public key cannot be encoded");
    call->out_len = (size_t)len;
    call->is_named = mesh_key_name_of(call->ctx, key, &call->name);
    return call->is_named;
}

static int is_gone(const struct mesh_peer *peer)
{
    struct pollfd end = {.fd = peer->fd};

    return poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0;
}

/* Keeps a new key; but it may have taken seconds, or minutes for a prompt, and
 * nobody will ever ask for a key whose name nobody was told. */
static int keep_key(struct call *call, EVP_PKEY *key)
{
    struct mesh_keys *keys = call->service->keys;

    if (!mesh_keys_store(keys, call->ctx, key, &call->patience)
        || !answer_public(call, key))
        return 0;
    if (!is_gone(call->peer))
        return 1;
    return mesh_keys_remove(keys, call->ctx, &call->name, &call->patience)
           && mesh_raise(call->ctx, MESH_R_INTERRUPTED,
                         "whoever asked for it is gone, and so is the key");
}

static int serve_generate(struct call *call)
{
    EVP_PKEY *key = NULL;
    int ok;

    if (memchr(call->data, '\0', call->data_len) != NULL)
        return mesh_raise(call->ctx, MESH_R_ALGORITHM,
                          "the algorithm's name holds a NUL");
    ok = mesh_operate_generate(call->ctx, (const char *)call->data, &key)
         && keep_key(call, key);
    EVP_PKEY_free(key);
    return ok;
}

static int serve_import(struct call *call)
{
    EVP_PKEY *key;
    int ok = mesh_key_decode_pkcs8(call->ctx, call->data, call->data_len, &key)
             && mesh_key_check_new(call->ctx, key) && keep_key(call, key);

    EVP_PKEY_free(key);
    return ok;
}

/* path NUL source NUL passphrase: an empty source is none; with both NULs and
 * nothing after the second, no passphrase was given. */
static int serve_register(struct call *call)
{
    const char *path = (const char *)call->data;
    const char *end = path + call->data_len;
    const char *source, *passphrase;
    EVP_PKEY *key = NULL;
    int ok;

    source = memchr(path, '\0', call->data_len);
    source = source != NULL ? source + 1 : NULL;
    passphrase =
        source != NULL ? memchr(source, '\0', (size_t)(end - source)) : NULL;
    if (passphrase == NULL)
        return mesh_raise(call->ctx, MESH_R_KEYD_PROTOCOL,
                          "a key file's path, its passphrase's place and the "
                          "passphrase are wanted");
    passphrase++;
    if (call->service->key_files == NULL)
        return mesh_raise(call->ctx, MESH_R_USAGE,
                          "this key holder has no key files");
    ok = mesh_key_file_register(call->service->key_files, call->ctx, path,
                                source[0] != '\0' ? source : NULL,
                                passphrase < end ? passphrase : NULL,
                                (size_t)(end - passphrase), &call->patience,
                                &key)
         && answer_public(call, key);
    EVP_PKEY_free(key);
    return ok;
}

static int serve_delete(struct call *call)
{
    return mesh_keys_remove(call->service->keys, call->ctx, &call->name,
                            &call->patience);
}

static int serve_list(struct call *call)
{
    struct mesh_keystore_item *items = NULL;
    size_t count;

    if (!mesh_keys_list(call->service->keys, call->ctx, &call->patience, &items,
                        &count))
        return 0;
    call->out = (unsigned char *)items;
    call->out_len = count * sizeof(*items);
    if (call->out_len > MESH_MESSAGE_MAX)
        return mesh_raise(call->ctx, MESH_R_BUFFER_TOO_SMALL,
                          "%zu keys are too many for an answer", count);
    return 1;
}

static int serve_lock(struct call *call)
{
    mesh_keys_forget(call->service->keys);
    return 1;
}

static int serve_status(struct call *call)
{
    struct mesh_keystore_status *status = OPENSSL_zalloc(sizeof(*status));

    if (status == NULL)
        return mesh_raise(call->ctx, MESH_R_MEMORY, "out of memory");
    snprintf(status->program, sizeof(status->program), "mesh-keyd %s",
             MESH_VERSION);
    status->pid = (int)getpid();
    status->connections = atomic_load(&call->service->connections);
    mesh_keys_status(call->service->keys, call->ctx, status);
    call->out = (unsigned char *)status;
    call->out_len = sizeof(*status);
    return 1;
}

#define OWNER_ONLY 1u /* it changes what is there, or reads files */
#define NAMES_KEY  2u
#define NEEDS_DATA 4u
#define IS_LOGGED  8u

static const struct handler {
    const char *name;
    handler_fn *serve;
    unsigned flags;
} handlers[] = {
    [MESH_REQ_STAT] = {"stat", serve_stat, NAMES_KEY},
    [MESH_REQ_OPERATE] = {"operate", serve_operate, NAMES_KEY | IS_LOGGED},
    [MESH_REQ_GENERATE] = {"generate", serve_generate,
                           OWNER_ONLY | NEEDS_DATA | IS_LOGGED},
    [MESH_REQ_IMPORT] = {"import", serve_import,
                         OWNER_ONLY | NEEDS_DATA | IS_LOGGED},
    [MESH_REQ_REGISTER] = {"register", serve_register,
                           OWNER_ONLY | NEEDS_DATA | IS_LOGGED},
    [MESH_REQ_DELETE] = {"delete", serve_delete,
                         OWNER_ONLY | NAMES_KEY | IS_LOGGED},
    [MESH_REQ_LIST] = {"list", serve_list, 0},
    [MESH_REQ_LOCK] = {"lock", serve_lock, OWNER_ONLY | IS_LOGGED},
    [MESH_REQ_STATUS] = {"status", serve_status, 0},
};

static const struct handler *handler_of(const struct mesh_request *request)
{
    if (request->type >= sizeof(handlers) / sizeof(handlers[0])
        || handlers[request->type].serve == NULL)
        return NULL;
    return &handlers[request->type];
}

static int run(struct call *call, const struct handler *handler)
{
    struct mesh_udf udf;

    if (handler == NULL)
        return mesh_raise(call->ctx, MESH_R_KEYD_PROTOCOL, "request of type %u",
                          call->request->type);
    OPENSSL_strlcpy(call->what, handler->name, sizeof(call->what));
    if ((handler->flags & OWNER_ONLY) != 0 && !call->peer->is_owner)
        return mesh_raise(call->ctx, MESH_R_USAGE,
                          "%s: only the key holder's own user may do that",
                          handler->name);
    if ((handler->flags & OWNER_ONLY) != 0 && !call->peer->sends_as_owner)
        return mesh_raise(call->ctx, MESH_R_USAGE,
                          "%s: this process has given up the rights of the "
                          "user that it was started as, and may use keys alone",
                          handler->name);
    if ((handler->flags & NEEDS_DATA) != 0 && call->data_len == 0)
        return mesh_raise(call->ctx, MESH_R_KEYD_PROTOCOL, "%s without data",
                          handler->name);
    /* what is no fingerprint has no place in the log either */
    if ((handler->flags & NAMES_KEY) != 0) {
        if (!mesh_udf_decode(call->request->udf, &udf))
            return mesh_raise(call->ctx, MESH_R_FINGERPRINT_SYNTAX,
                              "%s names no key by a fingerprint",
                              handler->name);
        memcpy(call->name.udf, call->request->udf, sizeof(call->name.udf));
        memcpy(call->name.spki_sha256, call->request->spki_sha256,
               sizeof(call->name.spki_sha256));
    }
    return handler->serve(call);
}

/* failure: NULL if it was done.  A name that was not compared with a key is
 * what the caller says: then the digest that finds keys stands beside it. */
static void log_use(const struct call *call, const struct mesh_failure *failure)
{
    const unsigned char *digest = call->request->spki_sha256;
    char spki[65] = "";

    if (!call->is_named && call->name.udf[0] != '\0')
        OPENSSL_buf2hexstr_ex(spki, sizeof(spki), NULL, digest, 32, '\0');
    mesh_log_parts((const char *const[]){
        call->peer->log_name,
        " key=", call->name.udf[0] != '\0' ? call->name.udf : "-",
        spki[0] != '\0' ? " spki-sha256=" : "", spki, " ", call->what, ": ",
        failure == NULL ? "done" : mesh_reason_text(failure->reason),
        failure == NULL ? "" : ": ", failure == NULL ? "" : failure->text,
        NULL});
}

void mesh_request_serve(struct mesh_service *service,
                        const struct mesh_peer *peer,
                        const struct mesh_request *request,
                        const unsigned char *data, size_t len,
                        struct mesh_answer *answer, unsigned char **out)
{
    const struct handler *handler = handler_of(request);
    struct mesh_failure failure;
    struct mesh_context local = mesh_failure_context(service->ctx, &failure);
    uint32_t timeout =
        request->timeout == 0 ? TIMEOUT_DEFAULT : request->timeout;
    struct call call = {
        .service = service,
        .ctx = &local,
        .request = request,
        .peer = peer,
        .patience.may_prompt = (request->flags & MESH_FLAG_PROMPT) != 0,
        .label = request->label_len > 0 ? data : NULL,
        /* a pointer even where there is nothing: EdDSA signs that too */
        .data = data != NULL ? data + request->label_len
                             : (const unsigned char *)"",
        .data_len = len - request->label_len,
    };
    unsigned flags = handler != NULL ? handler->flags : 0;
    int ok;

    if (timeout > TIMEOUT_MAX)
        timeout = TIMEOUT_MAX;
    call.patience.deadline = monotonic_us() + (int64_t)timeout * 1000000;
    /* an empty result without a reason would pass for a signature */
    ok = run(&call, handler);
    if (!ok && failure.reason == MESH_R_NONE)
        mesh_raise(&local, MESH_R_INTERNAL, "mesh-keyd does not know why");
    if (ERR_peek_error() != 0)
        ERR_clear_error();
    if ((flags & OWNER_ONLY) != 0) /* they hold keys as octets */
        mesh_wipe_stack();
    if ((flags & IS_LOGGED) != 0)
        log_use(&call, ok ? NULL : &failure);
    if (!ok) {
        OPENSSL_clear_free(call.out, call.out_len);
        mesh_request_refuse(request, failure.reason, failure.text, answer, out);
        return;
    }
    *answer = (struct mesh_answer){
        .version = MESH_MESSAGE_VERSION,
        .serial = request->serial,
        .held = call.held,
        .data_len = (uint32_t)call.out_len,
    };
    *out = call.out;
}

void mesh_request_refuse(const struct mesh_request *request,
                         enum mesh_reason reason, const char *text,
                         struct mesh_answer *answer, unsigned char **out)
{
    *answer = (struct mesh_answer){
        .version = MESH_MESSAGE_VERSION,
        .serial = request->serial,
        .reason = reason,
        .data_len = (uint32_t)strlen(text),
    };
    *out = (unsigned char *)OPENSSL_strdup(text);
    if (*out == NULL)
        answer->data_len = 0;
}
