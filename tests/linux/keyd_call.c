/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One request to mesh-keyd, for scripts:
 *
 *   keyd_call generate ALGORITHM        import FILE.p8   (DER)
 *   keyd_call register FILE [PLACE [PASSPHRASE]]
 *   keyd_call stat|sign|delete PUBLIC.pem
 *   keyd_call derive PUBLIC.pem PEER.pem
 *   keyd_call decapsulate PUBLIC.pem
 *   keyd_call list|lock|status
 *   keyd_call loop SECONDS THREADS PUBLIC.pem   prints signatures per second
 *   keyd_call hold SECONDS                      keeps a connection open
 *
 * generate, import and register print the public key as PEM.  sign reads a
 * SHA-256 digest (EdDSA, ML-DSA, SLH-DSA: a message) from stdin and writes the
 * signature; decapsulate reads a ciphertext; derive and decapsulate write the
 * secret.  The status is 0, or 1 with "REASON: text" on stderr.
 */
#include "platform/algorithm.h"
#include "platform/keystore.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void print_error(struct mesh_context *ctx, enum mesh_reason reason,
                        const char *file, int line, const char *func,
                        const char *text)
{
    (void)ctx, (void)file, (void)line, (void)func;
    fprintf(stderr, "%s: %s\n", mesh_reason_text(reason), text);
}

static int print_public(EVP_PKEY *key)
{
    int ok = PEM_write_PUBKEY(stdout, key);

    EVP_PKEY_free(key);
    return ok;
}

static EVP_PKEY *read_public(struct mesh_context *ctx, const char *path,
                             struct mesh_key_name *name)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file == NULL ? NULL
                                 : PEM_read_PUBKEY_ex(file, NULL, NULL, NULL,
                                                      ctx->libctx, NULL);

    if (file != NULL)
        fclose(file);
    if (key == NULL || !mesh_key_name_of(ctx, key, name)) {
        fprintf(stderr, "%s: no public key\n", path);
        exit(2);
    }
    return key;
}

static int generate(struct mesh_context *ctx, char **argv)
{
    EVP_PKEY *key;

    return mesh_keystore_generate(ctx, argv[0], &key) && print_public(key);
}

static int import(struct mesh_context *ctx, char **argv)
{
    unsigned char der[65536];
    FILE *file = fopen(argv[0], "r");
    size_t len = file == NULL ? 0 : fread(der, 1, sizeof(der), file);
    EVP_PKEY *key;

    if (file != NULL)
        fclose(file);
    return mesh_keystore_import(ctx, der, len, &key) && print_public(key);
}

static int register_file(struct mesh_context *ctx, char **argv)
{
    const char *place = argv[1], *passphrase = place != NULL ? argv[2] : NULL;
    EVP_PKEY *key;

    return mesh_keystore_register_file(
               ctx, argv[0], place, passphrase,
               passphrase != NULL ? strlen(passphrase) : 0, &key)
           && print_public(key);
}

static int stat_key(struct mesh_context *ctx, char **argv)
{
    struct mesh_key_name name;
    int held;

    EVP_PKEY_free(read_public(ctx, argv[0], &name));
    if (!mesh_keystore_holds(ctx, &name, &held))
        return 0;
    puts(held ? "held" : "not held");
    return 1;
}

static int delete_key(struct mesh_context *ctx, char **argv)
{
    struct mesh_key_name name;

    EVP_PKEY_free(read_public(ctx, argv[0], &name));
    return mesh_keystore_delete(ctx, &name);
}

static struct mesh_private_op sign_op(const EVP_PKEY *key)
{
    struct mesh_private_op op = {.operation = MESH_OP_SIGN};
    const unsigned digests =
        MESH_FAMILY_RSA | MESH_FAMILY_RSA_PSS | MESH_FAMILY_EC;
    unsigned family = mesh_algorithm_family(key);

    if (family == MESH_FAMILY_RSA)
        op.padding = MESH_PAD_PKCS1;
    if (family == MESH_FAMILY_RSA_PSS) {
        op.padding = MESH_PAD_PSS;
        op.salt_length = 32;
    }
    if ((family & digests) != 0)
        strcpy(op.digest, "SHA2-256");
    return op;
}

static int operate(struct mesh_context *ctx, const struct mesh_key_name *name,
                   const struct mesh_private_op *op, const unsigned char *in,
                   size_t in_len)
{
    unsigned char out[65536];
    size_t out_len = sizeof(out);

    return mesh_keystore_operate(ctx, name, op, in, in_len, out, &out_len)
           && fwrite(out, 1, out_len, stdout) == out_len;
}

static int sign(struct mesh_context *ctx, char **argv)
{
    struct mesh_key_name name;
    EVP_PKEY *key = read_public(ctx, argv[0], &name);
    struct mesh_private_op op = sign_op(key);
    unsigned char in[65536];

    EVP_PKEY_free(key);
    return operate(ctx, &name, &op, in, fread(in, 1, sizeof(in), stdin));
}

static int derive(struct mesh_context *ctx, char **argv)
{
    const struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    struct mesh_key_name name, ignored;
    EVP_PKEY *peer = read_public(ctx, argv[1], &ignored);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(peer, &der), ok;

    EVP_PKEY_free(peer);
    EVP_PKEY_free(read_public(ctx, argv[0], &name));
    ok = operate(ctx, &name, &op, der, (size_t)len);
    OPENSSL_free(der);
    return ok;
}

static int decapsulate(struct mesh_context *ctx, char **argv)
{
    const struct mesh_private_op op = {.operation = MESH_OP_DECAPSULATE};
    struct mesh_key_name name;
    unsigned char in[4096];

    EVP_PKEY_free(read_public(ctx, argv[0], &name));
    return operate(ctx, &name, &op, in, fread(in, 1, sizeof(in), stdin));
}

struct loop {
    struct mesh_context *ctx;
    struct mesh_key_name name;
    struct mesh_private_op op;
    time_t end;
    atomic_ulong done, failed;
};

static void *loop_thread(void *arg)
{
    struct loop *loop = arg;
    unsigned char in[32] = {1}, out[4096];
    size_t out_len;

    while (time(NULL) < loop->end) {
        out_len = sizeof(out);
        if (mesh_keystore_operate(loop->ctx, &loop->name, &loop->op, in,
                                  sizeof(in), out, &out_len))
            atomic_fetch_add(&loop->done, 1);
        else
            atomic_fetch_add(&loop->failed, 1);
    }
    return NULL;
}

static int loop(struct mesh_context *ctx, char **argv)
{
    struct loop loop = {.ctx = ctx, .end = time(NULL) + atoi(argv[0])};
    EVP_PKEY *key = read_public(ctx, argv[2], &loop.name);
    pthread_t threads[64];
    int i, n = atoi(argv[1]);

    loop.op = sign_op(key);
    EVP_PKEY_free(key);
    for (i = 0; i < n && i < 64; i++)
        pthread_create(&threads[i], NULL, loop_thread, &loop);
    for (i = 0; i < n && i < 64; i++)
        pthread_join(threads[i], NULL);
    printf("%lu\n", atomic_load(&loop.done) / (unsigned long)atoi(argv[0]));
    return atomic_load(&loop.failed) == 0;
}

static int list(struct mesh_context *ctx, char **argv)
{
    struct mesh_keystore_item *items;
    size_t count;

    (void)argv;
    if (!mesh_keystore_list(ctx, &items, &count))
        return 0;
    for (size_t i = 0; i < count; i++)
        printf("%s %s %s\n", items[i].name.udf,
               items[i].algorithm[0] != '\0' ? items[i].algorithm : "-",
               items[i].source);
    OPENSSL_free(items);
    return 1;
}

static int lock(struct mesh_context *ctx, char **argv)
{
    (void)argv;
    return mesh_keystore_lock(ctx);
}

static int status(struct mesh_context *ctx, char **argv)
{
    struct mesh_keystore_status s;

    (void)argv;
    if (!mesh_keystore_status(ctx, &s))
        return 0;
    printf("program=%s\nhome=%s\npid=%d\nsecret-service=%d\nlocked=%d\n"
           "cached=%u\nconnections=%u\n",
           s.program, s.home, s.pid, s.secret_service, s.locked, s.cached,
           s.connections);
    return 1;
}

static int hold(struct mesh_context *ctx, char **argv)
{
    return status(ctx, argv) && sleep((unsigned)atoi(argv[0])) == 0;
}

static const struct command {
    const char *name;
    int arguments;
    int (*run)(struct mesh_context *ctx, char **argv);
} commands[] = {
    {"generate", 1, generate},
    {"import", 1, import},
    {"register", 1, register_file},
    {"stat", 1, stat_key},
    {"delete", 1, delete_key},
    {"sign", 1, sign},
    {"derive", 2, derive},
    {"decapsulate", 1, decapsulate},
    {"loop", 3, loop},
    {"hold", 1, hold},
    {"list", 0, list},
    {"lock", 0, lock},
    {"status", 0, status},
};

int main(int argc, char **argv)
{
    struct mesh_context *ctx = mesh_context_new(NULL, print_error, NULL);
    const char *prompt = getenv("KEYD_CALL_PROMPT");
    const char *wait = getenv("KEYD_CALL_WAIT");
    int ok = -1;

    if (ctx == NULL || !mesh_keystore_open(ctx)
        || (getenv("MESH_KEYD") != NULL
            && !mesh_context_configure(ctx, "keyd-path", getenv("MESH_KEYD")))
        || (prompt != NULL && !mesh_context_configure(ctx, "prompt", prompt))
        || (wait != NULL
            && !mesh_context_configure(ctx, "prompt-timeout", wait)))
        return 2;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (argc > 1 && strcmp(argv[1], commands[i].name) == 0
            && argc > commands[i].arguments + 1)
            ok = commands[i].run(ctx, argv + 2);
    if (ok < 0)
        fprintf(stderr, "usage: keyd_call COMMAND, see keyd_call.c\n");
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    return ok < 0 ? 2 : !ok;
}
