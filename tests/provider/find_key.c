/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Looks for a private key in a file (a core dump) or in the memory of a running
 * process: `find_key PRIVATE.pem FILE|PID`.  Prints what it found, exit status
 * 0 if anything, 1 if nothing.
 *
 * d, p, q and the other secret numbers of RSA, the EC scalar or the seed are
 * looked for in both byte orders (BIGNUMs are little-endian), by 16 octets from
 * their middle: a partly overwritten copy is a copy.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE       16
#define SECRETS_MAX 16
#define WINDOW      (1u << 20)

static struct secret {
    char name[40];
    unsigned char piece[PIECE];
    unsigned long found;
} secrets[SECRETS_MAX];
static size_t secrets_count;

static void add(const char *name, const unsigned char *bytes, size_t len)
{
    const unsigned char *middle = bytes + (len - PIECE) / 2;
    int i;

    for (i = 0; i < 2; i++) {
        struct secret *s = &secrets[secrets_count++];
        int j;

        snprintf(s->name, sizeof(s->name), "%s (%s)", name,
                 i == 0 ? "big-endian" : "little-endian");
        for (j = 0; j < PIECE; j++)
            s->piece[j] = middle[i == 0 ? j : PIECE - 1 - j];
    }
}

static void add_number(EVP_PKEY *key, const char *name)
{
    unsigned char bytes[1024];
    BIGNUM *bn = NULL;

    if (!EVP_PKEY_get_bn_param(key, name, &bn))
        return;
    if (BN_num_bytes(bn) >= PIECE && BN_num_bytes(bn) <= (int)sizeof(bytes))
        add(name, bytes, (size_t)BN_bn2bin(bn, bytes));
    BN_clear_free(bn);
}

static int add_key(const char *path)
{
    static const char *const numbers[] = {
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    unsigned char raw[64];
    size_t len = sizeof(raw), i;
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = NULL;

    if (file != NULL) {
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    }
    if (key == NULL) {
        fprintf(stderr, "find_key: no private key in %s\n", path);
        return 0;
    }
    if (EVP_PKEY_is_a(key, "RSA"))
        for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
            add_number(key, numbers[i]);
    else if (EVP_PKEY_is_a(key, "EC"))
        add_number(key, OSSL_PKEY_PARAM_PRIV_KEY);
    else if (EVP_PKEY_get_raw_private_key(key, raw, &len))
        add("seed", raw, len);
    EVP_PKEY_free(key);
    return secrets_count > 0;
}

static void look(const unsigned char *data, size_t len)
{
    size_t i;

    for (i = 0; i < secrets_count; i++) {
        const unsigned char *p = data, *end = data + len;

        while ((p = memmem(p, (size_t)(end - p), secrets[i].piece, PIECE))
               != NULL) {
            secrets[i].found++;
            p++;
        }
    }
}

/* Reads [from, to) by windows that overlap by a piece. */
static unsigned long long look_range(int fd, unsigned long long from,
                                     unsigned long long to)
{
    static unsigned char window[WINDOW];
    unsigned long long total = 0;
    size_t kept = 0;

    while (from < to) {
        size_t want = WINDOW - kept;
        ssize_t n;

        if (to - from < want)
            want = (size_t)(to - from);
        n = pread(fd, window + kept, want, (off_t)from);
        if (n <= 0)
            break;
        look(window, kept + (size_t)n);
        total += (unsigned long long)n;
        from += (unsigned long long)n;
        kept += (size_t)n;
        if (kept >= PIECE) {
            memmove(window, window + kept - (PIECE - 1), PIECE - 1);
            kept = PIECE - 1;
        }
    }
    return total;
}

static unsigned long long look_process(const char *pid)
{
    unsigned long long from, to, total = 0;
    char path[64], line[512];
    FILE *maps;
    int fd;

    snprintf(path, sizeof(path), "/proc/%s/mem", pid);
    fd = open(path, O_RDONLY);
    snprintf(path, sizeof(path), "/proc/%s/maps", pid);
    maps = fopen(path, "r");
    while (fd >= 0 && maps != NULL && fgets(line, sizeof(line), maps) != NULL)
        if (sscanf(line, "%llx-%llx r", &from, &to) == 2)
            total += look_range(fd, from, to);
    if (maps != NULL)
        fclose(maps);
    if (fd >= 0)
        close(fd);
    return total;
}

int main(int argc, char **argv)
{
    unsigned long long total;
    int any = 0, fd;
    size_t i;

    if (argc != 3 || !add_key(argv[1]))
        return 2;
    if (isdigit((unsigned char)argv[2][0])) {
        total = look_process(argv[2]);
    } else {
        if ((fd = open(argv[2], O_RDONLY)) < 0) {
            perror(argv[2]);
            return 2;
        }
        total = look_range(fd, 0, (unsigned long long)lseek(fd, 0, SEEK_END));
        close(fd);
    }
    if (total == 0) {
        fprintf(stderr, "find_key: %s: nothing could be read\n", argv[2]);
        return 2;
    }
    for (i = 0; i < secrets_count; i++)
        if (secrets[i].found != 0) {
            printf("%s: %lu times\n", secrets[i].name, secrets[i].found);
            any = 1;
        }
    printf("%llu octets searched, %s\n", total,
           any ? "the key is there" : "no part of the key");
    return !any;
}
