/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a certificate request asks for: the subject and its other names.
 */
#include "tools/csr_names.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

/* One TYPE=VALUE of a subject; set as X509_NAME_add_entry_by_txt() takes it. */
static int add_part(struct mesh_context *ctx, X509_NAME *name, const char *type,
                    const char *value, int set)
{
    ASN1_OBJECT *known;
    int ok;

    ERR_set_mark();
    known = OBJ_txt2obj(type, 0);
    ok = X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
                                    (const unsigned char *)value, -1, -1, set);
    ERR_pop_to_mark();
    if (!ok && known == NULL)
        mesh_raise(ctx, MESH_R_USAGE,
                   "subject: '%.64s' is no type of name; there are CN, O, OU, "
                   "C, ST, L, emailAddress and others",
                   type);
    else if (!ok)
        mesh_raise(ctx, MESH_R_USAGE,
                   "subject: '%.200s' cannot be %.64s: too long, too short, or "
                   "not in the characters that it may have (UTF-8)",
                   value, type);
    ASN1_OBJECT_free(known);
    return ok;
}

/* Cuts what *at begins with at its end: one of ends, which is returned, without
 * backslashes before other characters. */
static char cut_part(char **at, const char *ends)
{
    char *to = *at, end;

    while (**at != '\0' && strchr(ends, **at) == NULL) {
        if (**at == '\\' && (*at)[1] != '\0')
            (*at)++;
        *to++ = *(*at)++;
    }
    end = **at;
    if (end != '\0')
        (*at)++;
    *to = '\0';
    return end;
}

/* at is written into. */
static int add_parts(struct mesh_context *ctx, X509_NAME *name, char *at,
                     const char *text)
{
    char *type, *value, before = '/', after;

    for (; *at != '\0'; before = after) {
        type = at;
        if (cut_part(&at, "=") != '=')
            return mesh_raise(ctx, MESH_R_USAGE,
                              "subject '%.200s': '%.64s' has no '='; one is "
                              "/O=Example/CN=www.example.net, and a backslash "
                              "stands before a '/' or '+' of a value",
                              text, type);
        value = at;
        after = cut_part(&at, "/+");
        if (!add_part(ctx, name, type, value, before == '+' ? -1 : 0))
            return 0;
    }
    return 1;
}

X509_NAME *csr_subject(struct mesh_context *ctx, const char *text)
{
    X509_NAME *name = X509_NAME_new();
    char *copy = OPENSSL_strdup(text);
    int ok = 0;

    if (name == NULL || copy == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "a subject");
    else if (text[0] != '/')
        mesh_raise(ctx, MESH_R_USAGE,
                   "subject '%.200s': it begins with '/', as in "
                   "/CN=www.example.net",
                   text);
    else
        ok = add_parts(ctx, name, copy + 1, text);
    OPENSSL_free(copy);
    if (ok)
        return name;
    X509_NAME_free(name);
    return NULL;
}

X509_NAME *csr_common_name(struct mesh_context *ctx, const char *text)
{
    X509_NAME *name = X509_NAME_new();

    if (name == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "a subject");
    else if (add_part(ctx, name, "CN", text, 0))
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* libcrypto would take any octets for these: what they are is looked at here.
 */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define MARKS   "!#$%&'*+/=?^_`{|}~.-"

static const struct name_type {
    const char *word;
    int type;
    const char
        *may; /* the characters that it may have; NULL: libcrypto knows */
    const char *must; /* and one of these, which it does not begin with */
    const char *example;
} name_types[] = {
    {"DNS", GEN_DNS, LETTERS DIGITS "-._*", NULL,
     "www.example.net (other letters than those of ASCII as DNS has them, "
     "xn--...)"},
    {"IP", GEN_IPADD, NULL, NULL, "192.0.2.1 or 2001:db8::1"},
    {"email", GEN_EMAIL, LETTERS DIGITS MARKS "@", "@", "alice@example.net"},
    {"URI", GEN_URI, LETTERS DIGITS MARKS "@:;,()[]", ":",
     "https://www.example.net/"},
};
#define NAME_TYPES (sizeof(name_types) / sizeof(name_types[0]))

/* *value is what follows the type; NULL: text has none. */
static const struct name_type *find_type(const char *text, const char **value)
{
    size_t len = strcspn(text, ":");

    for (size_t i = 0; text[len] == ':' && i < NAME_TYPES; i++)
        if (strlen(name_types[i].word) == len
            && OPENSSL_strncasecmp(text, name_types[i].word, len) == 0) {
            *value = text + len + 1;
            return &name_types[i];
        }
    return NULL;
}

static int may_be(const struct name_type *type, const char *value)
{
    return value[0] != '\0'
           && (type->may == NULL || value[strspn(value, type->may)] == '\0')
           && (type->must == NULL || strpbrk(value + 1, type->must) != NULL);
}

/* NULL is raised. */
static GENERAL_NAME *parse_name(struct mesh_context *ctx, const char *text)
{
    const char *value = NULL;
    const struct name_type *type = find_type(text, &value);
    GENERAL_NAME *name = NULL;

    if (type == NULL) {
        mesh_raise(ctx, MESH_R_USAGE,
                   "name '%.200s': it begins with its type, DNS, IP, email or "
                   "URI, as in DNS:www.example.net",
                   text);
        return NULL;
    }
    ERR_set_mark();
    if (may_be(type, value))
        name = a2i_GENERAL_NAME(NULL, NULL, NULL, type->type, value, 0);
    ERR_pop_to_mark();
    if (name == NULL)
        mesh_raise(ctx, MESH_R_USAGE,
                   "name '%.200s': that is no %s name; one is %s:%s", text,
                   type->word, type->word, type->example);
    return name;
}

GENERAL_NAMES *csr_names(struct mesh_context *ctx, const char *const *texts)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name;
    int ok = names != NULL || mesh_raise(ctx, MESH_R_MEMORY, "names");

    for (; ok && *texts != NULL; texts++) {
        name = parse_name(ctx, *texts);
        ok = name != NULL
             && (sk_GENERAL_NAME_push(names, name) > 0
                 || mesh_raise(ctx, MESH_R_MEMORY, "%.200s", *texts));
        if (!ok)
            GENERAL_NAME_free(name);
    }
    if (ok)
        return names;
    GENERAL_NAMES_free(names);
    return NULL;
}

const char *csr_first_dns(const char *const *texts)
{
    const struct name_type *type;
    const char *value = NULL;

    for (; *texts != NULL; texts++)
        if ((type = find_type(*texts, &value)) != NULL && type->type == GEN_DNS)
            return value;
    return NULL;
}
