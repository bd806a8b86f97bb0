/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lenient JSON.
 */
#include "store/json.h"

#include <openssl/crypto.h>

#define JSON_DEPTH_MAX 64 /* real files have 10 */

static const struct {
    enum json_error_code code;
    const char *text;
} json_errors[] = {
    {json_error_premature_end_of_input, "the text is truncated"},
    {json_error_duplicate_key, "a member stands twice in an object"},
    {json_error_invalid_utf8, "not UTF-8"},
};

/*
 * Copies text without the CR and LF inside strings, at most *count octets; how
 * many in *count, and how many of text they were in *used.  0 if it is nested
 * too deeply: a parser that recurses must not meet that on an application's
 * small stack.
 */
static int join_strings(const char *text, size_t len, char *out, size_t *count,
                        size_t *used)
{
    enum { OUTSIDE, INSIDE, ESCAPED } state = OUTSIDE;
    size_t i, n = 0, depth = 0;

    for (i = 0; i < len && n < *count && depth <= JSON_DEPTH_MAX; i++) {
        char c = text[i];

        if (state != OUTSIDE && (c == '\n' || c == '\r'))
            continue;
        out[n++] = c;
        if (state == ESCAPED)
            state = INSIDE;
        else if (state == INSIDE)
            state = c == '"' ? OUTSIDE : c == '\\' ? ESCAPED : INSIDE;
        else if (c == '"')
            state = INSIDE;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    *count = n;
    *used = i;
    return depth <= JSON_DEPTH_MAX;
}

json_t *mesh_json_parse(struct mesh_context *ctx, const char *text, size_t len,
                        const char *where)
{
    char *joined = OPENSSL_malloc(len + 1);
    const char *reason = "nested too deeply";
    json_t *json = NULL;
    json_error_t error;
    size_t count = len, used, i;
    int line = 1, column = 1;

    if (joined == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "reading %s", where);
        return NULL;
    }
    if (join_strings(text, len, joined, &count, &used)) {
        json = json_loadb(joined, count, JSON_REJECT_DUPLICATES, &error);
        if (json == NULL) {
            reason = error.text;
            for (i = 0; i < sizeof(json_errors) / sizeof(json_errors[0]); i++)
                if (json_error_code(&error) == json_errors[i].code)
                    reason = json_errors[i].text;
            count = (size_t)error.position;
            join_strings(text, len, joined, &count, &used);
        }
    }
    if (json == NULL) {
        for (i = 0; i < used; i++) {
            column = text[i] == '\n' ? 1 : column + 1;
            line += text[i] == '\n';
        }
        mesh_raise(ctx, MESH_R_PROFILE_MALFORMED, "%s: line %d, column %d: %s",
                   where, line, column, reason);
    }
    OPENSSL_free(joined);
    return json;
}

char *mesh_json_print(const json_t *value, size_t flags)
{
    size_t len = json_dumpb(value, NULL, 0, flags);
    char *text = len > 0 ? OPENSSL_malloc(len + 1) : NULL;

    if (text != NULL)
        text[json_dumpb(value, text, len, flags)] = '\0';
    return text;
}
