/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Archives: appended to, and read line by line from the end.
 */
#include "store/archive.h"

#include <string.h>

#define BLOCK 65536

struct mesh_archive {
    struct mesh_context *ctx;
    char *path;
    uint64_t end;  /* what follows has been read */
    uint64_t stop; /* what precedes is not looked at */
    size_t lines;
    int skipping; /* in the middle of a line that is too long */
    /* A part of the file, from chunk_at to behind end. */
    unsigned char *chunk;
    uint64_t chunk_at;
};

int mesh_archive_open(struct mesh_context *ctx, const char *path, uint64_t most,
                      struct mesh_archive **archive)
{
    struct mesh_archive *a = OPENSSL_zalloc(sizeof(*a));
    size_t len;

    *archive = NULL;
    if (a == NULL || (a->path = OPENSSL_strdup(path)) == NULL) {
        OPENSSL_free(a);
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
    }
    a->ctx = ctx;
    if (!mesh_layout_read_part(ctx, path, 0, 0, &a->chunk, &len, &a->end)) {
        mesh_archive_close(a);
        return 0;
    }
    a->chunk_at = a->end;
    a->stop = most != 0 && a->end > most ? a->end - most : 0;
    *archive = a;
    return 1;
}

void mesh_archive_close(struct mesh_archive *archive)
{
    if (archive == NULL)
        return;
    OPENSSL_free(archive->path);
    OPENSSL_free(archive->chunk);
    OPENSSL_free(archive);
}

int mesh_archive_is_read(const struct mesh_archive *archive)
{
    return archive->end == 0;
}

size_t mesh_archive_lines(const struct mesh_archive *archive)
{
    return archive->lines;
}

/* Makes the chunk what precedes end, so many octets of it. */
static int read_back(struct mesh_archive *a, size_t size)
{
    uint64_t from = a->end - a->stop > size ? a->end - size : a->stop, ignored;
    size_t len;

    OPENSSL_free(a->chunk);
    if (!mesh_layout_read_part(a->ctx, a->path, from, (size_t)(a->end - from),
                               &a->chunk, &len, &ignored))
        return 0;
    a->chunk_at = from;
    return len == (size_t)(a->end - from)
           || mesh_raise(a->ctx, MESH_R_FILE_IO,
                         "%s became shorter while it was read", a->path);
}

/* Where the line that ends at a->end begins, if that is in the chunk; its own
 * line feed, the last octet, does not count. */
static int find_start(const struct mesh_archive *a, uint64_t *start)
{
    for (uint64_t at = a->end; at > a->chunk_at + 1; at--)
        if (a->chunk[at - a->chunk_at - 2] == '\n') {
            *start = at - 1;
            return 1;
        }
    *start = a->chunk_at;
    return a->chunk_at == a->stop;
}

/* The line before end, in the chunk, from *start on.  What is too long is only
 * passed over.  *start is end if there is none. */
static int previous_line(struct mesh_archive *a, uint64_t *start)
{
    size_t size = BLOCK;

    while (a->end > a->stop) {
        if (find_start(a, start)) {
            if (!a->skipping)
                return 1;
            a->skipping = 0;
            a->end = *start;
            size = BLOCK;
        } else if (a->end - a->chunk_at > MESH_ARCHIVE_LINE_MAX) {
            mesh_trace(a->ctx,
                       "%s: a line of more than %u octets is no version",
                       a->path, MESH_ARCHIVE_LINE_MAX);
            a->skipping = 1;
            /* its octet that is left cannot be taken for the next line's end */
            a->end = a->chunk_at + 1;
        } else {
            if (!read_back(a, size))
                return 0;
            size = size * 4 < MESH_ARCHIVE_LINE_MAX ? size * 4
                                                    : MESH_ARCHIVE_LINE_MAX + 1;
        }
    }
    *start = a->end;
    return 1;
}

/* A line's JSON, out of the reference implementation's log; NULL if there is
 * none, with a trace line. */
static json_t *parse_line(struct mesh_archive *a, const char *line, size_t len)
{
    struct mesh_context quiet = mesh_context_quiet(a->ctx);
    json_t *json = mesh_json_parse(&quiet, line, len, a->path), *text;

    text = json_object_get(json_object_get(json, "DataItem"), "Text");
    if (json_is_string(text)) {
        json_t *inner = mesh_json_parse(&quiet, json_string_value(text),
                                        json_string_length(text), a->path);

        json_decref(json);
        json = inner;
    }
    if (json != NULL && !json_is_object(json)) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

int mesh_archive_previous(struct mesh_archive *archive, json_t **document)
{
    struct mesh_archive *a = archive;
    uint64_t start;

    *document = NULL;
    while (*document == NULL && a->end > a->stop) {
        if (!previous_line(a, &start))
            return 0;
        if (start == a->end)
            break;
        a->lines++;
        *document = parse_line(a, (char *)a->chunk + (start - a->chunk_at),
                               (size_t)(a->end - start));
        a->end = start;
    }
    return 1;
}

/* Whether the last version is this one. */
static int ends_with(struct mesh_context *ctx, const char *path,
                     const json_t *document)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_archive *archive;
    json_t *last = NULL;
    int same = mesh_archive_open(&quiet, path, MESH_ARCHIVE_LINE_MAX, &archive)
               && mesh_archive_previous(archive, &last)
               && json_equal(last, document);

    json_decref(last);
    mesh_archive_close(archive);
    return same;
}

int mesh_archive_append(struct mesh_context *ctx, const char *path,
                        const json_t *document, uint64_t *before)
{
    char *line;
    size_t len;
    int ok;

    *before = MESH_LAYOUT_UNCHANGED;
    if (ends_with(ctx, path, document))
        return 1;
    if ((line = mesh_json_print(document, JSON_COMPACT)) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", path);
    len = strlen(line);
    line[len] = '\n'; /* in place of its end */
    ok = mesh_layout_append_file(ctx, path, line, len + 1, before);
    OPENSSL_free(line);
    return ok;
}
