/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh: URIs: taking apart and printing.
 */
#include "store/uri.h"

#include <openssl/crypto.h>
#include <string.h>

#define SCHEME     "mesh:"
#define SCHEME_LEN (sizeof(SCHEME) - 1)

/* Letters and digits are meant too; "%" starts an encoded octet. */
static const char unreserved[] = "-._~";
static const char sub_delims[] = "!$&'()*+,;=:@";

static const struct {
    const char *name;
    enum mesh_object_type type;
} types[] = {
    {"private", MESH_OBJECT_PRIVATE},
    {"public", MESH_OBJECT_PUBLIC},
    {"cert", MESH_OBJECT_CERTIFICATE},
};

int mesh_uri_is(const char *text)
{
    return OPENSSL_strncasecmp(text, SCHEME, SCHEME_LEN) == 0;
}

/* Not isalnum(): that one knows the application's locale. */
static int is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z');
}

static int is_kept(char c)
{
    return is_alnum(c) || (c != '\0' && strchr(unreserved, c) != NULL);
}

/* Refuses first what no URI holds, so that later errors can repeat the text. */
static int check_characters(struct mesh_context *ctx, const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        if (i == MESH_URI_MAX)
            return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                              "the URI is longer than %d octets", MESH_URI_MAX);
        if (!is_kept(text[i]) && strchr(sub_delims, text[i]) == NULL
            && strchr("%/?", text[i]) == NULL)
            return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                              "octet 0x%02X at position %zu of the URI; write "
                              "it as %%%02X",
                              (unsigned char)text[i], i + 1,
                              (unsigned char)text[i]);
    }
    return 1;
}

/* Percent-decodes one part. */
static int decode_part(struct mesh_context *ctx, const char *what,
                       const char *text, size_t len,
                       char part[MESH_URI_PART_MAX])
{
    size_t i, n = 0;

    if (len == 0)
        return mesh_raise(ctx, MESH_R_URI_SYNTAX, "the %s in the URI is empty",
                          what);
    for (i = 0; i < len; i++) {
        int c = (unsigned char)text[i];

        if (c == '%') {
            int high = i + 2 < len ? OPENSSL_hexchar2int(text[i + 1]) : -1;
            int low = i + 2 < len ? OPENSSL_hexchar2int(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                                  "\"%.3s\" in the %s is no percent-encoded "
                                  "octet",
                                  text + i, what);
            c = high << 4 | low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                              "control character 0x%02X in the %s", c, what);
        if (n == MESH_URI_PART_MAX - 1)
            return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                              "the %s in the URI is longer than %d octets",
                              what, MESH_URI_PART_MAX - 1);
        part[n++] = (char)c;
    }
    part[n] = '\0';
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
        return mesh_raise(ctx, MESH_R_URI_SYNTAX, "\"%s\" as the %s", part,
                          what);
    return 1;
}

static int parse_query(struct mesh_context *ctx, const char *query,
                       enum mesh_object_type *type)
{
    size_t i;

    if (strncmp(query, "type=", 5) != 0)
        return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                          "unknown parameter \"%.64s\"; only type=private, "
                          "type=public and type=cert are known",
                          query);
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (OPENSSL_strcasecmp(query + 5, types[i].name) == 0) {
            *type = types[i].type;
            return 1;
        }
    return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                      "unknown type \"%.64s\"; known are private, public and "
                      "cert",
                      query + 5);
}

int mesh_uri_parse(struct mesh_context *ctx, const char *text,
                   struct mesh_uri *uri)
{
    size_t path, profile;

    memset(uri, 0, sizeof(*uri));
    if (!mesh_uri_is(text))
        return mesh_raise(ctx, MESH_R_URI_SYNTAX, "no \"mesh:\" URI");
    if (!check_characters(ctx, text))
        return 0;
    text += SCHEME_LEN;
    if (strncmp(text, "//", 2) == 0)
        text += 2;

    path = strcspn(text, "?");
    if (text[path] == '?' && !parse_query(ctx, text + path + 1, &uri->type))
        return 0;
    if (path == 0)
        return 1;
    profile = strcspn(text, "/?");
    if (!decode_part(ctx, "profile", text, profile, uri->profile))
        return 0;
    if (profile == path)
        return 1;
    text += profile + 1;
    path -= profile + 1;
    if (memchr(text, '/', path) != NULL)
        return mesh_raise(ctx, MESH_R_URI_SYNTAX,
                          "\"%.*s\" has more parts than profile and role",
                          (int)(path < 64 ? path : 64), text);
    return decode_part(ctx, "role", text, path, uri->role);
}

int mesh_uri_profile_name(struct mesh_context *ctx, const char *text,
                          char name[MESH_URI_PART_MAX])
{
    struct mesh_uri uri;

    if (!mesh_uri_is(text)) {
        OPENSSL_strlcpy(name, text, MESH_URI_PART_MAX);
        return 1;
    }
    if (!mesh_uri_parse(ctx, text, &uri))
        return 0;
    if (uri.profile[0] == '\0' || uri.role[0] != '\0')
        return mesh_raise(ctx, MESH_R_USAGE,
                          "'%.100s' does not name a profile alone", text);
    OPENSSL_strlcpy(name, uri.profile, MESH_URI_PART_MAX);
    return 1;
}

/* Appends a part, percent-encoded; "@" and ":" may stand as they are. */
static char *encode_part(char *out, const char *part)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *part != '\0'; part++) {
        if (is_kept(*part) || *part == '@' || *part == ':') {
            *out++ = *part;
        } else {
            *out++ = '%';
            *out++ = digits[(unsigned char)*part >> 4];
            *out++ = digits[(unsigned char)*part & 15];
        }
    }
    return out;
}

char *mesh_uri_print(struct mesh_context *ctx, const char *profile,
                     const char *role)
{
    size_t room = sizeof(SCHEME "///") + 3 * strlen(profile);
    char *text, *end;

    if (role != NULL)
        room += 3 * strlen(role);
    text = OPENSSL_malloc(room);
    if (text == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "printing a URI");
        return NULL;
    }
    memcpy(text, SCHEME "//", SCHEME_LEN + 2);
    end = encode_part(text + SCHEME_LEN + 2, profile);
    if (role != NULL && *role != '\0') {
        *end++ = '/';
        end = encode_part(end, role);
    }
    *end = '\0';
    return text;
}
