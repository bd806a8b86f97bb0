/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UDF, the Mesh fingerprint: base32, the two digests, the two truncations, and
 * the three rules by which a fingerprint names a key.
 */
#include "platform/udf.h"

#include "platform/algorithm.h"
#include "platform/keystore.h"
#include "platform/public_der.h"

#include <openssl/rand.h>
#include <string.h>

#define CHARACTERS_MAX    (MESH_UDF_BYTES_MAX * 8 / 5)
#define CHARACTERS_MIN    (MESH_UDF_BITS_MIN / 5)
#define GROUP             5
#define TYPE_RANDOM       136 /* 'R' */
#define X509_KEYINFO_TYPE "application/x509-keyinfo"
#define PKIX_KEYINFO_TYPE "application/pkix-keyinfo"

static const struct {
    unsigned char type; /* first octet of B */
    const char *digest;
} hashes[] = {
    {96, "SHA2-512"},  /* 'M' */
    {144, "SHA3-512"}, /* 'S' */
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Value of a base32 character in either case, or -1. */
static int value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

/* Decodes text into udf; how many characters it has, 0 if it is no base32 or
 * longer than any fingerprint. */
static size_t decode(const char *text, struct mesh_udf *udf)
{
    size_t count = 0;
    int last = 0;

    memset(udf, 0, sizeof(*udf));
    for (; *text != '\0'; text++) {
        size_t at = count * 5 / 8, shift = count * 5 % 8;

        if (*text == '-')
            continue;
        last = value(*text);
        if (last < 0 || count == CHARACTERS_MAX)
            return 0;
        /* 16 bits from octet `at` on, the five go in from the left. */
        unsigned bits = (unsigned)last << (11 - shift);

        udf->bytes[at] |= (unsigned char)(bits >> 8);
        if ((bits & 0xff) != 0)
            udf->bytes[at + 1] |= (unsigned char)bits;
        count++;
    }
    /* The reference sometimes wrote 19 whole octets, whose last two bits and
     * padding are a seventh group "A". */
    if (count == MESH_UDF_BITS / 5 + 1 && last == 0)
        count--;
    udf->bits = count * 5;
    return count;
}

int mesh_udf_looks_like(const char *text)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct mesh_udf udf;

    if (text[0] == '\0' || strchr("MmSsRr", text[0]) == NULL
        || decode(text, &udf) < CHARACTERS_MIN)
        return 0;
    /* SSHAuthenticationKey is a member name. */
    return strchr(text, '-') != NULL || strpbrk(text, lower) == NULL
           || strpbrk(text, upper) == NULL;
}

int mesh_udf_parse(struct mesh_context *ctx, const char *text,
                   struct mesh_udf *udf)
{
    size_t count = decode(text, udf);

    if (count == 0)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_SYNTAX,
                          "\"%.80s\": a fingerprint has 20 to %d letters and "
                          "digits 2 to 7, in groups",
                          text, CHARACTERS_MAX);
    if (count < CHARACTERS_MIN)
        return mesh_raise(ctx, MESH_R_FINGERPRINT_TOO_SHORT,
                          "\"%.80s\": %zu characters, at least %d are needed",
                          text, count, CHARACTERS_MIN);
    return 1;
}

int mesh_udf_decode(const char *text, struct mesh_udf *udf)
{
    return decode(text, udf) >= CHARACTERS_MIN;
}

void mesh_udf_print(const struct mesh_udf *udf, char text[MESH_UDF_TEXT_MAX])
{
    for (size_t i = 0; i < udf->bits / 5; i++) {
        size_t at = i * 5 / 8, shift = i * 5 % 8;
        unsigned bits = (unsigned)udf->bytes[at] << 8;

        if (at + 1 < sizeof(udf->bytes))
            bits |= udf->bytes[at + 1];
        if (i > 0 && i % GROUP == 0)
            *text++ = '-';
        *text++ = alphabet[bits >> (11 - shift) & 31];
    }
    *text = '\0';
}

/* B, whole: type octet and digest. */
static int whole_digest(struct mesh_context *ctx, unsigned char type,
                        const char *content_type, const void *data, size_t len,
                        unsigned char full[MESH_UDF_BYTES_MAX])
{
    const char *name = NULL;
    unsigned char inner[128]; /* content type ':' H(data) */
    size_t prefix = strlen(content_type);
    EVP_MD *digest;
    int ok;

    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        if (hashes[i].type == type)
            name = hashes[i].digest;
    if (name == NULL || prefix + 1 + 64 > sizeof(inner))
        return mesh_raise(ctx, MESH_R_USAGE,
                          "fingerprint of type octet %u, content type %s", type,
                          content_type);
    memcpy(inner, content_type, prefix);
    inner[prefix++] = ':';
    full[0] = type;
    digest = EVP_MD_fetch(ctx->libctx, name, NULL);
    ok = digest != NULL
         && EVP_Digest(data, len, inner + prefix, NULL, digest, NULL)
         && EVP_Digest(inner, prefix + 64, full + 1, NULL, digest, NULL);
    EVP_MD_free(digest);
    return ok
           || mesh_raise(ctx, MESH_R_INTERNAL,
                         "%s is not available in libcrypto", name);
}

/* The first bits of B as the reference took them: of an incomplete octet the
 * low ones. */
static void truncate_low(const unsigned char full[MESH_UDF_BYTES_MAX],
                         size_t bits, struct mesh_udf *udf)
{
    size_t whole = bits / 8, rest = bits % 8;

    memset(udf, 0, sizeof(*udf));
    udf->bits = bits;
    memcpy(udf->bytes, full, whole);
    if (rest != 0)
        udf->bytes[whole] = (unsigned char)(full[whole] << (8 - rest));
}

/* Whether udf is what one of the truncations leaves of B. */
static int matches(const struct mesh_udf *udf,
                   const unsigned char full[MESH_UDF_BYTES_MAX])
{
    size_t whole = udf->bits / 8, rest = udf->bits % 8;
    unsigned char mask = (unsigned char)(0xff00 >> rest), last;
    struct mesh_udf low;

    if (memcmp(udf->bytes, full, whole) != 0)
        return 0;
    if (rest == 0)
        return 1;
    last = udf->bytes[whole];
    truncate_low(full, udf->bits, &low);
    if (last == (full[whole] & mask) || last == low.bytes[whole])
        return 1;
    /* 29 characters may be a cut of the text that the reference wrote. */
    truncate_low(full, MESH_UDF_BITS, &low);
    return udf->bits < MESH_UDF_BITS && last == (low.bytes[whole] & mask);
}

int mesh_udf_compute(struct mesh_context *ctx, unsigned char type,
                     const char *content_type, const void *data, size_t len,
                     size_t bits, struct mesh_udf *udf)
{
    unsigned char full[MESH_UDF_BYTES_MAX];

    if (bits == 0 || bits % 5 != 0 || bits > sizeof(full) * 8)
        return mesh_raise(ctx, MESH_R_USAGE, "fingerprint of %zu bits", bits);
    if (!whole_digest(ctx, type, content_type, data, len, full))
        return 0;
    truncate_low(full, bits, udf);
    return 1;
}

/* How keys are encoded and under which content type, the canonical rule of a
 * key first.  pkcs1 is for RSA only. */
struct rule {
    int pkcs1;
    const char *content_type;
};
static const struct rule rules[] = {
    {1, X509_KEYINFO_TYPE}, /* RSA, since 2017 */
    {0, PKIX_KEYINFO_TYPE}, /* all others */
    {0, X509_KEYINFO_TYPE}, /* 2016 */
};

static int key_digest(struct mesh_context *ctx, const struct rule *rule,
                      unsigned char type, EVP_PKEY *key,
                      unsigned char full[MESH_UDF_BYTES_MAX])
{
    unsigned char *der;
    int len = rule->pkcs1 ? mesh_public_pkcs1(ctx, key, &der)
                          : mesh_public_spki(ctx, key, &der);
    int ok;

    if (len == 0)
        return 0;
    ok = whole_digest(ctx, type, rule->content_type, der, (size_t)len, full);
    OPENSSL_free(der);
    return ok;
}

static const struct rule *canonical(EVP_PKEY *key)
{
    return &rules[EVP_PKEY_is_a(key, "RSA") ? 0 : 1];
}

int mesh_udf_of_key(struct mesh_context *ctx, EVP_PKEY *key,
                    struct mesh_udf *udf)
{
    unsigned char full[MESH_UDF_BYTES_MAX];

    if (!key_digest(ctx, canonical(key), hashes[0].type, key, full))
        return 0;
    truncate_low(full, MESH_UDF_BITS, udf);
    return 1;
}

#ifdef MESH_PLATFORM_MACOS
static int add_identifier(struct mesh_context *ctx, EVP_PKEY *key,
                          const unsigned char *spki, int len,
                          struct mesh_key_name *name)
{
    name->family = mesh_algorithm_family(key);
    name->bits = (unsigned)EVP_PKEY_get_bits(key);
    /* the curves that it has are NIST's */
    if (name->family == MESH_FAMILY_EC
        && strncmp(mesh_algorithm_of(key), "P-", 2) != 0)
        name->family = 0;
    return mesh_public_identifier(ctx, spki, (size_t)len, name->identifier);
}
#endif

/* Both digests are of the same octets, but for RSA. */
int mesh_key_name_of(struct mesh_context *ctx, EVP_PKEY *key,
                     struct mesh_key_name *name)
{
    const struct rule *rule = canonical(key);
    unsigned char *spki, full[MESH_UDF_BYTES_MAX];
    int len = mesh_public_spki(ctx, key, &spki), ok;
    struct mesh_udf udf;

    memset(name, 0, sizeof(*name)); /* it travels whole, by its size */
    if (len == 0)
        return 0;
    ok = (EVP_Q_digest(ctx->libctx, "SHA2-256", NULL, spki, (size_t)len,
                       name->spki_sha256, NULL)
          || mesh_raise(ctx, MESH_R_INTERNAL,
                        "SHA2-256 is not available in libcrypto"))
         && (rule->pkcs1 ? key_digest(ctx, rule, hashes[0].type, key, full)
                         : whole_digest(ctx, hashes[0].type, rule->content_type,
                                        spki, (size_t)len, full));
#ifdef MESH_PLATFORM_MACOS
    ok = ok && add_identifier(ctx, key, spki, len, name);
#endif
    OPENSSL_free(spki);
    if (ok) {
        truncate_low(full, MESH_UDF_BITS, &udf);
        mesh_udf_print(&udf, name->udf);
    }
    return ok;
}

int mesh_udf_names_key(struct mesh_context *ctx, const struct mesh_udf *udf,
                       EVP_PKEY *key, int *named)
{
    int is_rsa = EVP_PKEY_is_a(key, "RSA");

    *named = 0;
    if (udf->bits < MESH_UDF_BITS_MIN
        || (udf->bytes[0] != hashes[0].type && udf->bytes[0] != hashes[1].type))
        return 1;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !*named; i++) {
        unsigned char full[MESH_UDF_BYTES_MAX];

        if (rules[i].pkcs1 && !is_rsa)
            continue;
        if (!key_digest(ctx, &rules[i], udf->bytes[0], key, full))
            return 0;
        *named = matches(udf, full);
    }
    return 1;
}

int mesh_udf_of_digest(const EVP_MD *algorithm, const unsigned char *digest,
                       size_t len, struct mesh_udf *udf)
{
    if (len != sizeof(udf->bytes) - 1)
        return 0;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        if (EVP_MD_is_a(algorithm, hashes[i].digest)) {
            udf->bytes[0] = hashes[i].type;
            memcpy(udf->bytes + 1, digest, len);
            udf->bits = sizeof(udf->bytes) * 8;
            return 1;
        }
    return 0;
}

int mesh_udf_is_random(const struct mesh_udf *udf)
{
    return udf->bytes[0] == TYPE_RANDOM;
}

int mesh_udf_may_equal(const struct mesh_udf *a, const struct mesh_udf *b)
{
    size_t bits = a->bits < b->bits ? a->bits : b->bits;
    size_t whole = bits / 8, rest = bits % 8;

    if (bits < MESH_UDF_BITS_MIN || memcmp(a->bytes, b->bytes, whole) != 0)
        return 0;
    if (rest == 0 || !mesh_udf_is_random(a))
        return 1;
    return (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

int mesh_udf_random(struct mesh_context *ctx, struct mesh_udf *udf)
{
    unsigned char full[MESH_UDF_BYTES_MAX] = {TYPE_RANDOM};

    if (RAND_bytes_ex(ctx->libctx, full + 1, sizeof(full) - 1, 0) <= 0)
        return mesh_raise(ctx, MESH_R_INTERNAL, "no random numbers");
    truncate_low(full, MESH_UDF_BITS, udf);
    return 1;
}
