/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-bench: what a key behind a URI costs against the same key in a file.
 * All are measured in one run in short turns, so that whatever else the machine
 * does meets all of them alike.
 */
#include "tests/bench/operation.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_SECONDS 0.1
#define TURNS_MIN    3
#define TURNS_MAX    10000
#define THREADS_MAX  64
#define SAMPLES      8192 /* latencies kept of a thread and turn */
#define KEPT         4    /* results of a thread and turn that are checked */
#define KEYS_MAX     3

static const char help[] =
    "Usage: mesh-bench [options] --key URI --file PEM\n"
    "\n"
    "Measures operations per second and their latency with the key behind a "
    "URI and\n"
    "with a key of the same kind in a file: signatures, decryptions (RSA, "
    "OAEP),\n"
    "secrets derived (EC, X25519) or decapsulated (ML-KEM); load: OSSL_STORE "
    "for\n"
    "both, of a key that was used before; load-pem: the file by\n"
    "PEM_read_bio_PrivateKey; load-sign: load and sign once.  Each turn takes "
    "100 ms,\n"
    "and the keys take turns; rate and ratio (to the file) are the medians of "
    "all\n"
    "turns.  Of every thread and turn the last results are checked by OpenSSL "
    "alone.\n"
    "\n"
    "  --key URI           the key to measure\n"
    "  --file PEM          the private key to compare with\n"
    "  --provider-key URI  a key of another provider as a third; \"-\" where "
    "it fails\n"
    "  --seconds N         for each key in each line (default 1)\n"
    "  --threads LIST      numbers of threads (default 1,2,4,8)\n"
    "  --operations LIST   of those above (default: all that the key can)\n"
    "  --csv FILE          appends the figures to FILE, too\n"
    "  --provider NAME     loads a provider first; may be repeated\n"
    "  --help\n"
    "\n"
    "Status: 0; 1 an operation failed or its result is wrong; 2 cannot "
    "start.\n";

struct worker {
    pthread_t thread;
    uint64_t done; /* in this turn */
    int failed;
    uint32_t samples[SAMPLES]; /* nanoseconds */
    struct result kept[KEPT];
};

/* One key in one line of the table. */
struct cell {
    struct bench_key *key;
    uint64_t operations; /* all, those before the clock ran, too */
    double rates[TURNS_MAX], ratios[TURNS_MAX];
    uint32_t *samples;
    size_t count;
};

static struct worker workers[THREADS_MAX];
static struct cell cells[KEYS_MAX];

/* What the workers do in this turn; changed while they wait at `start`. */
static const struct operation *operation;
static const struct bench_key *turn_key; /* NULL: end */
static atomic_int running;
static pthread_barrier_t start, end;

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

static void take_turn(struct worker *w)
{
    while (atomic_load(&running) && !w->failed) {
        int64_t from = now_ns();
        struct result *result = &w->kept[w->done % KEPT];

        result->number = w->done;
        if (!operation->run(turn_key, result)) {
            w->failed = 1;
            complain(operation->name, turn_key->source);
            break;
        }
        if (w->done < SAMPLES)
            w->samples[w->done] = (uint32_t)(now_ns() - from);
        w->done++;
    }
}

static void *work(void *arg)
{
    pthread_barrier_wait(&start);
    while (turn_key != NULL) {
        take_turn(arg);
        pthread_barrier_wait(&end);
        pthread_barrier_wait(&start);
    }
    return NULL;
}

/* Adds what a worker did to the cell, and checks its last results. */
static int collect(struct cell *cell, const struct worker *w)
{
    size_t n = w->done < SAMPLES ? w->done : SAMPLES;
    size_t kept = w->done < KEPT ? w->done : KEPT, i;
    uint32_t *more;

    cell->operations += w->done;
    if (w->failed || n == 0)
        return !w->failed;
    more = realloc(cell->samples, (cell->count + n) * sizeof(*more));
    if (more == NULL)
        return complain("out of memory", cell->key->source);
    memcpy(more + cell->count, w->samples, n * sizeof(*more));
    cell->samples = more;
    cell->count += n;
    for (i = 0; i < kept; i++)
        if (!operation->check(cell->key, &w->kept[i]))
            return complain("A RESULT IS WRONG", cell->key->source);
    return 1;
}

/* One turn of all threads with one key. */
static int give_turn(struct cell *cell, int threads, double seconds,
                     double *rate)
{
    const struct timespec pause = {(time_t)seconds,
                                   (long)((seconds - (time_t)seconds) * 1e9)};
    uint64_t before = cell->operations;
    int64_t from;
    int i, ok = 1;

    for (i = 0; i < threads; i++) {
        workers[i].done = 0;
        workers[i].failed = 0;
    }
    turn_key = cell->key;
    atomic_store(&running, 1);
    /* before: they work as soon as they may, and may keep us from looking at
     * the clock */
    from = now_ns();
    pthread_barrier_wait(&start);
    nanosleep(&pause, NULL);
    atomic_store(&running, 0);
    pthread_barrier_wait(&end);
    *rate = (double)(now_ns() - from);
    for (i = 0; i < threads; i++)
        ok = collect(cell, &workers[i]) && ok;
    *rate = (double)(cell->operations - before) / (*rate / 1e9);
    return ok;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

static double quantile(const struct cell *cell, size_t percent)
{
    return cell->count > 0 ? cell->samples[cell->count * percent / 100] / 1e3
                           : 0;
}

/* The turns of one line, the order of the keys reversed each time.  The first
 * of each key opens connections and fills caches, and does not count.  A third
 * key that fails is left out from then on. */
static int measure(int *able, int threads, double seconds, size_t turns)
{
    int keys = *able;
    double rates[KEYS_MAX];
    size_t turn;
    int i, k, ok = 1;

    for (turn = 0; ok && turn <= turns; turn++) {
        for (i = 0; ok && i < keys; i++) {
            k = turn % 2 == 0 ? i : keys - 1 - i;
            ok = give_turn(&cells[k], threads, seconds / (double)turns,
                           &rates[k]);
            if (!ok && k > 1) {
                ok = 1;
                *able = k;
            }
        }
        keys = *able;
        for (k = 0; k < keys && turn == 0; k++)
            cells[k].count = 0;
        for (k = 0; k < keys && turn > 0; k++) {
            cells[k].rates[turn - 1] = rates[k];
            cells[k].ratios[turn - 1] = rates[k] / rates[1];
        }
    }
    return ok;
}

/* Each key does the operation once, and right.  That a third cannot is no
 * error.  How many can; 0 on failure. */
static int try_keys(struct bench_key *keys, int count)
{
    struct result *result = &workers[0].kept[0];
    int k, ok;

    for (k = 0; k < count; k++) {
        memset(&cells[k], 0, sizeof(cells[k]));
        cells[k].key = &keys[k];
        cells[k].operations = 1;
        ERR_clear_error();
        ok = (operation->prepare == NULL || operation->prepare(&keys[k]))
             && operation->run(&keys[k], result);
        if (!ok && k > 1)
            return k;
        if (!ok)
            return complain("failed", keys[k].source);
        if (!operation->check(&keys[k], result))
            return complain("A RESULT IS WRONG", keys[k].source);
    }
    return count;
}

static void print_line(int count, int keys, int threads, size_t turns,
                       const char *name, FILE *csv)
{
    int k;

    printf("%-11s %7d", operation->name, threads);
    for (k = 0; k < count; k++) {
        struct cell *c = &cells[k];
        double rate;

        if (k >= keys) {
            printf(" %10s %9s", "-", "-");
            continue;
        }
        rate = median(c->rates, turns);
        median(c->ratios, turns);
        qsort(c->samples, c->count, sizeof(*c->samples), by_size);
        printf(" %10.0f %9.1f", rate, quantile(c, 50));
        if (csv != NULL)
            fprintf(csv, "%s,%s,%d,%s,%.1f,%.1f,%.1f,%llu,%.3f\n", name,
                    operation->name, threads, c->key->label, rate,
                    quantile(c, 50), quantile(c, 99),
                    (unsigned long long)c->operations, c->ratios[turns / 2]);
    }
    printf(" %6.2f", cells[0].ratios[turns / 2]);
    if (count > 2 && keys > 2)
        printf(" %6.2f", cells[2].ratios[turns / 2]);
    printf(count > keys ? "      -\n" : "\n");
    fflush(stdout);
}

/* One line of the table. */
static int compare(struct bench_key *keys, int count, int threads,
                   double seconds, const char *name, FILE *csv)
{
    size_t turns = (size_t)(seconds / TURN_SECONDS);
    int able = try_keys(keys, count), i, k, ok;

    if (!able)
        return 0;
    turns = turns < TURNS_MIN   ? TURNS_MIN
            : turns > TURNS_MAX ? TURNS_MAX
                                : turns;
    pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&end, NULL, (unsigned)threads + 1);
    for (i = 0; i < threads; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            complain("cannot start it", "a thread");
            exit(2); /* the others wait for it */
        }
    ok = measure(&able, threads, seconds, turns);
    turn_key = NULL;
    pthread_barrier_wait(&start);
    for (i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        for (k = 0; k < KEPT; k++) {
            EVP_PKEY_free(workers[i].kept[k].loaded);
            workers[i].kept[k].loaded = NULL;
        }
    }
    pthread_barrier_destroy(&start);
    pthread_barrier_destroy(&end);
    if (ok)
        print_line(count, able, threads, turns, name, csv);
    for (k = 0; k < count; k++)
        free(cells[k].samples);
    return ok;
}

/* Whether a list separated by commas has the word. */
static int has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (; list != NULL; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncmp(list, word, len) == 0
            && (list[len] == ',' || list[len] == '\0'))
            return 1;
    }
    return 0;
}

static int run(struct bench_key *keys, int count, const char *threads,
               const char *wanted, double seconds, FILE *csv)
{
    char name[64], *end_of_number;
    int k, lines = 0;
    size_t i;

    bench_key_name(&keys[0], name, sizeof(name));
    printf("%s; %.1f s for each key and line\n%-11s %7s", name, seconds,
           "operation", "threads");
    for (k = 0; k < count; k++)
        printf(" %6s 1/s %9s", keys[k].label, "median us");
    printf(" %6s%s\n", "ratio", count > 2 ? "  other" : "");
    for (i = 0; (operation = operation_row(i)) != NULL; i++) {
        const char *p = threads;

        if (!operation->applies(&keys[0])
            || (wanted != NULL && !has_word(wanted, operation->name)))
            continue;
        do {
            long n = strtol(p, &end_of_number, 10);

            if (end_of_number == p || n < 1 || n > THREADS_MAX
                || (*end_of_number != ',' && *end_of_number != '\0')) {
                complain("no list of numbers from 1 to 64", threads);
                return 2;
            }
            if (!compare(keys, count, (int)n, seconds, name, csv))
                return 1;
            p = end_of_number + 1;
            lines++;
        } while (*end_of_number == ',');
    }
    if (lines == 0) {
        complain("nothing that this key can do", wanted);
        return 2;
    }
    return 0;
}

static FILE *open_csv(const char *path)
{
    FILE *csv = fopen(path, "a");

    if (csv == NULL)
        complain(strerror(errno), path);
    else if (ftell(csv) == 0)
        fprintf(csv, "algorithm,operation,threads,key,per_second,median_us,"
                     "p99_us,operations,ratio\n");
    return csv;
}

/* How many there are: a third need not be one.  0 on failure. */
static int open_keys(struct bench_key *keys, int count, OSSL_LIB_CTX *plain)
{
    char first[64], name[64];
    int k;

    for (k = 0; k < count; k++) {
        if (!bench_key_open(&keys[k], plain)) {
            complain("no private key", keys[k].source);
            return k > 1 ? k : 0;
        }
        bench_key_name(&keys[k], name, sizeof(name));
        if (k == 0)
            memcpy(first, name, sizeof(first));
        if (strcmp(first, name) != 0)
            return complain("not the same kind of key as the URI's",
                            keys[k].source);
    }
    return count;
}

int main(int argc, char **argv)
{
    enum {
        KEY,
        KEY_FILE,
        OTHER,
        SECONDS,
        THREADS,
        OPERATIONS,
        CSV,
        PROVIDER,
        HELP
    };
    static const struct option options[] = {
        {"key", required_argument, NULL, KEY},
        {"file", required_argument, NULL, KEY_FILE},
        {"provider-key", required_argument, NULL, OTHER},
        {"seconds", required_argument, NULL, SECONDS},
        {"threads", required_argument, NULL, THREADS},
        {"operations", required_argument, NULL, OPERATIONS},
        {"csv", required_argument, NULL, CSV},
        {"provider", required_argument, NULL, PROVIDER},
        {"help", no_argument, NULL, HELP},
        {0}};
    static struct bench_key keys[KEYS_MAX] = {
        {.label = "uri"}, {.label = "file"}, {.label = "other"}};
    const char *given[HELP + 1] = {[SECONDS] = "1", [THREADS] = "1,2,4,8"};
    OSSL_LIB_CTX *plain = OSSL_LIB_CTX_new();
    double seconds;
    FILE *csv = NULL;
    int c, count, status = 2;

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
    if (plain == NULL || given[KEY] == NULL || given[KEY_FILE] == NULL
        || optind < argc || !(seconds >= 0.01 && seconds <= 3600))
        goto usage;
    count = given[OTHER] != NULL ? 3 : 2;
    keys[0].source = given[KEY];
    keys[1].source = given[KEY_FILE];
    keys[2].source = given[OTHER];
    if ((count = open_keys(keys, count, plain)) == 0
        || (given[CSV] != NULL && (csv = open_csv(given[CSV])) == NULL))
        goto end;
    status = run(keys, count, given[THREADS], given[OPERATIONS], seconds, csv);
    if (csv != NULL && fclose(csv) != 0) {
        complain(strerror(errno), given[CSV]);
        status = 2;
    }
    goto end;
usage:
    fputs(help, stderr);
end:
    for (c = 0; c < KEYS_MAX; c++)
        bench_key_close(&keys[c]);
    OSSL_LIB_CTX_free(plain);
    if (given[OTHER] != NULL) {
        fflush(stdout);
        _exit(status); /* SoftHSM crashes in the process's exit functions */
    }
    return status;
}
