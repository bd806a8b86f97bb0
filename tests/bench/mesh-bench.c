/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-bench: what a key behind a URI costs against the same kind of key in a
 * file.  Both are measured in one run, turn by turn, so that whatever else the
 * machine does meets both.  Knows nothing of Mesh: any OSSL_STORE URI will do.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURNS       4 /* of each key in each cell */
#define THREADS_MAX 64
#define SAMPLES     65536u /* latencies kept of a thread and turn */
#define KEPT        64u /* signatures of a thread and turn that are checked */
#define RESULT_MAX  2048
#define INPUT_SIZE  32

static const char help[] =
    "Usage: mesh-bench [options] --key URI --file PEM\n"
    "\n"
    "Measures signatures per second and their latency, and for RSA "
    "decryptions\n"
    "(OAEP) too, with the key behind a URI and with a key of the same kind in "
    "a\n"
    "file, alternating.  The ratio is URI / file.  Every decryption and, of "
    "each\n"
    "thread and turn, the last 64 signatures are checked with the public half\n"
    "by OpenSSL alone.\n"
    "\n"
    "  --key URI        the key to measure\n"
    "  --file PEM       the private key to compare with\n"
    "  --seconds N      for each key in each cell (default 1)\n"
    "  --threads LIST   numbers of threads (default 1,2,4,8)\n"
    "  --csv FILE       writes the figures to FILE, too\n"
    "  --provider NAME  loads a provider first; may be repeated\n"
    "  --help\n"
    "\n"
    "Status: 0; 1 an operation failed or its result is wrong; 2 cannot "
    "start.\n";

enum operation { SIGN, DECRYPT };
static const char *const operation_names[] = {"sign", "decrypt"};

struct key {
    const char *label, *source;
    EVP_PKEY *private, *public; /* public: in a library context of its own */
    const char *digest;         /* NULL for EdDSA */
    unsigned char plaintext[INPUT_SIZE], ciphertext[RESULT_MAX];
    size_t ciphertext_len;
};

struct signature {
    uint64_t number; /* the message is made of it */
    unsigned char octets[RESULT_MAX];
    size_t len;
};

struct worker {
    pthread_t thread;
    const struct key *key;
    enum operation operation;
    uint64_t done;
    int failed;
    uint32_t samples[SAMPLES]; /* nanoseconds */
    struct signature kept[KEPT];
};

/* All turns of one key with one operation and number of threads. */
struct cell {
    uint64_t done;
    double seconds;
    uint32_t *samples;
    size_t count;
};

static struct worker workers[THREADS_MAX];
static atomic_int running;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int complain(const char *what, const char *about)
{
    fprintf(stderr, "mesh-bench: %s: %s\n", about, what);
    ERR_print_errors_fp(stderr);
    return 0;
}

static EVP_PKEY *load_key(const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    if (store != NULL)
        OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL
            && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

/* The public half as OpenSSL alone sees it. */
static EVP_PKEY *plain_public(EVP_PKEY *key, OSSL_LIB_CTX *plain)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    int len = i2d_PUBKEY(key, &der);
    EVP_PKEY *public;

    if (len <= 0)
        return NULL;
    p = der;
    public = d2i_PUBKEY_ex(NULL, &p, len, plain, NULL);
    OPENSSL_free(der);
    return public;
}

static int encrypt(struct key *key, OSSL_LIB_CTX *plain)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(plain, key->public, NULL);
    int ok;

    memset(key->plaintext, 0x5a, sizeof(key->plaintext));
    key->ciphertext_len = sizeof(key->ciphertext);
    ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0
         && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0
         && EVP_PKEY_encrypt(ctx, key->ciphertext, &key->ciphertext_len,
                             key->plaintext, sizeof(key->plaintext))
                > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int open_key(struct key *key, OSSL_LIB_CTX *plain)
{
    key->private = load_key(key->source);
    if (key->private == NULL)
        return complain("no private key", key->source);
    key->public = plain_public(key->private, plain);
    if (key->public == NULL)
        return complain("no public half", key->source);
    key->digest = EVP_PKEY_is_a(key->public, "ED25519")
                          || EVP_PKEY_is_a(key->public, "ED448")
                      ? NULL
                      : "SHA256";
    if (EVP_PKEY_is_a(key->public, "RSA") && !encrypt(key, plain))
        return complain("cannot encrypt", key->source);
    return 1;
}

static void make_message(uint64_t number, unsigned char message[INPUT_SIZE])
{
    memset(message, 0, INPUT_SIZE);
    memcpy(message, &number, sizeof(number));
}

/* A fresh context for each signature, as libssl has it. */
static int sign(const struct key *key, uint64_t number,
                struct signature *signature)
{
    unsigned char message[INPUT_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    make_message(number, message);
    signature->number = number;
    signature->len = sizeof(signature->octets);
    ok = ctx != NULL
         && EVP_DigestSignInit_ex(ctx, NULL, key->digest, NULL, NULL,
                                  key->private, NULL)
                > 0
         && EVP_DigestSign(ctx, signature->octets, &signature->len, message,
                           sizeof(message))
                > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static int verify(const struct key *key, OSSL_LIB_CTX *plain,
                  const struct signature *signature)
{
    unsigned char message[INPUT_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    make_message(signature->number, message);
    ok = ctx != NULL
         && EVP_DigestVerifyInit_ex(ctx, NULL, key->digest, plain, NULL,
                                    key->public, NULL)
                > 0
         && EVP_DigestVerify(ctx, signature->octets, signature->len, message,
                             sizeof(message))
                > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static int decrypt(const struct key *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->private, NULL);
    unsigned char out[RESULT_MAX];
    size_t len = sizeof(out);
    int ok;

    ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0
         && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0
         && EVP_PKEY_decrypt(ctx, out, &len, key->ciphertext,
                             key->ciphertext_len)
                > 0
         && len == sizeof(key->plaintext)
         && memcmp(out, key->plaintext, len) == 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!atomic_load(&running))
        continue;
    while (atomic_load(&running) == 1 && !w->failed) {
        int64_t start = now_ns();
        int ok = w->operation == SIGN
                     ? sign(w->key, w->done, &w->kept[w->done % KEPT])
                     : decrypt(w->key);

        if (!ok) {
            w->failed = 1;
            complain("failed, or the wrong result",
                     operation_names[w->operation]);
            break;
        }
        if (w->done < SAMPLES)
            w->samples[w->done] = (uint32_t)(now_ns() - start);
        w->done++;
    }
    return NULL;
}

/* Adds a worker's turn to the cell, and checks what it signed. */
static int collect(struct cell *cell, const struct worker *w,
                   OSSL_LIB_CTX *plain)
{
    size_t n = w->done < SAMPLES ? w->done : SAMPLES;
    size_t kept = w->done < KEPT ? w->done : KEPT, i;
    uint32_t *more;

    if (w->failed || n == 0)
        return !w->failed;
    more = realloc(cell->samples, (cell->count + n) * sizeof(*more));
    if (more == NULL)
        return complain("out of memory", w->key->source);
    memcpy(more + cell->count, w->samples, n * sizeof(*more));
    cell->samples = more;
    cell->count += n;
    cell->done += w->done;
    for (i = 0; w->operation == SIGN && i < kept; i++)
        if (!verify(w->key, plain, &w->kept[i]))
            return complain("A SIGNATURE DOES NOT VERIFY", w->key->source);
    return 1;
}

/* One turn: threads work for so long. */
static int take_turn(struct cell *cell, const struct key *key,
                     enum operation operation, int threads, double seconds,
                     OSSL_LIB_CTX *plain)
{
    const long ns = (long)(seconds * 1e9);
    const struct timespec pause = {ns / 1000000000, ns % 1000000000};
    int64_t start;
    int i, started, ok = 1;

    atomic_store(&running, 0);
    for (started = 0; started < threads; started++) {
        struct worker *w = &workers[started];

        w->key = key;
        w->operation = operation;
        w->done = 0;
        w->failed = 0;
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            ok = complain("cannot start it", "a thread");
            break;
        }
    }
    start = now_ns();
    atomic_store(&running, 1);
    nanosleep(&pause, NULL);
    atomic_store(&running, 2);
    for (i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    cell->seconds += (double)(now_ns() - start) / 1e9;
    for (i = 0; i < started; i++)
        ok = collect(cell, &workers[i], plain) && ok;
    return ok;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double rate(const struct cell *cell)
{
    return (double)cell->done / cell->seconds;
}

static double quantile(const struct cell *cell, size_t percent)
{
    return cell->count > 0 ? cell->samples[cell->count * percent / 100] / 1e3
                           : 0;
}

/* One line of the table: the same work with both keys, turn by turn. */
static int compare(const struct key keys[2], enum operation operation,
                   int threads, double seconds, OSSL_LIB_CTX *plain, FILE *csv)
{
    struct cell cells[2] = {{0}, {0}};
    int turn, k, ok = 1;

    for (turn = 0; ok && turn < TURNS; turn++)
        for (k = 0; ok && k < 2; k++)
            ok = take_turn(&cells[k], &keys[k], operation, threads,
                           seconds / TURNS, plain);
    if (ok)
        printf("%-9s %7d", operation_names[operation], threads);
    for (k = 0; ok && k < 2; k++) {
        const struct cell *c = &cells[k];

        qsort(c->samples, c->count, sizeof(*c->samples), by_size);
        printf(" %10.0f %9.1f %9.1f", rate(c), quantile(c, 50),
               quantile(c, 99));
        if (csv != NULL)
            fprintf(csv, "%s,%d,%s,%.1f,%.1f,%.1f,%llu\n",
                    operation_names[operation], threads, keys[k].label, rate(c),
                    quantile(c, 50), quantile(c, 99),
                    (unsigned long long)c->done);
    }
    if (ok)
        printf(" %6.2f\n", rate(&cells[0]) / rate(&cells[1]));
    fflush(stdout);
    free(cells[0].samples);
    free(cells[1].samples);
    return ok;
}

static int run(const struct key keys[2], const char *threads, double seconds,
               OSSL_LIB_CTX *plain, FILE *csv)
{
    enum operation last = EVP_PKEY_is_a(keys[0].public, "RSA") ? DECRYPT : SIGN;
    enum operation operation;
    char *end;

    printf("%s, %d bits; %.1f s for each key and line\n",
           EVP_PKEY_get0_type_name(keys[0].public),
           EVP_PKEY_get_bits(keys[0].public), seconds);
    printf("%-9s %7s %10s %9s %9s %10s %9s %9s %6s\n", "operation", "threads",
           "URI: 1/s", "median us", "p99 us", "file: 1/s", "median us",
           "p99 us", "ratio");
    if (csv != NULL)
        fprintf(csv, "operation,threads,key,per_second,median_us,p99_us,"
                     "operations\n");
    for (operation = SIGN; operation <= last; operation++) {
        const char *p = threads;

        do {
            long n = strtol(p, &end, 10);

            if (end == p || n < 1 || n > THREADS_MAX
                || (*end != ',' && *end != '\0')) {
                complain("no list of numbers from 1 to 64", threads);
                return 2;
            }
            if (!compare(keys, operation, (int)n, seconds, plain, csv))
                return 1;
            p = end + 1;
        } while (*end == ',');
    }
    return 0;
}

int main(int argc, char **argv)
{
    enum { KEY, KEY_FILE, SECONDS, THREADS, CSV, PROVIDER, HELP };
    static const struct option options[] = {
        {"key", required_argument, NULL, KEY},
        {"file", required_argument, NULL, KEY_FILE},
        {"seconds", required_argument, NULL, SECONDS},
        {"threads", required_argument, NULL, THREADS},
        {"csv", required_argument, NULL, CSV},
        {"provider", required_argument, NULL, PROVIDER},
        {"help", no_argument, NULL, HELP},
        {0}};
    const char *given[HELP + 2] = {[SECONDS] = "1", [THREADS] = "1,2,4,8"};
    struct key keys[2] = {{.label = "uri"}, {.label = "file"}};
    OSSL_LIB_CTX *plain = OSSL_LIB_CTX_new();
    double seconds;
    FILE *csv = NULL;
    int c, status = 2;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == '?')
            goto usage;
        given[c] = c == HELP ? "" : optarg;
        if (c == PROVIDER && OSSL_PROVIDER_load(NULL, optarg) == NULL) {
            complain("cannot load the provider", optarg);
            goto end;
        }
    }
    if (given[HELP] != NULL) {
        fputs(help, stdout);
        status = 0;
        goto end;
    }
    seconds = atof(given[SECONDS]);
    keys[0].source = given[KEY];
    keys[1].source = given[KEY_FILE];
    if (plain == NULL || given[KEY] == NULL || given[KEY_FILE] == NULL
        || optind < argc || !(seconds >= 0.01 && seconds <= 3600))
        goto usage;
    if (!open_key(&keys[0], plain) || !open_key(&keys[1], plain))
        goto end;
    if (EVP_PKEY_get_bits(keys[0].public) != EVP_PKEY_get_bits(keys[1].public)
        || !EVP_PKEY_is_a(keys[0].public,
                          EVP_PKEY_get0_type_name(keys[1].public))) {
        complain("not the same kind of key as the URI's", given[KEY_FILE]);
        goto end;
    }
    if (given[CSV] != NULL && (csv = fopen(given[CSV], "w")) == NULL) {
        complain(strerror(errno), given[CSV]);
        goto end;
    }
    status = run(keys, given[THREADS], seconds, plain, csv);
    if (csv != NULL && fclose(csv) != 0) {
        complain(strerror(errno), given[CSV]);
        status = 2;
    }
    goto end;
usage:
    fputs(help, stderr);
end:
    for (c = 0; c < 2; c++) {
        EVP_PKEY_free(keys[c].private);
        EVP_PKEY_free(keys[c].public);
    }
    OSSL_LIB_CTX_free(plain);
    return status;
}
