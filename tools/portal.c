/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The exchange with a portal: requests, and what its answers say.
 */
#include "tools/portal.h"

#include "store/signed.h"
#include "tools/command.h"
#include "tools/portal_http.h"

#include <string.h>

#define STATUS_OK       201 /* in a portal's answer, whatever HTTP says */
#define DESCRIPTION_MAX 200

/* What was read is a page for people, as from a captive portal or a server that
 * knows no better. */
static int is_html(const struct portal_http *http)
{
    return http->answer != NULL
           && http->answer[strspn(http->answer, " \t\r\n\xef\xbb\xbf")] == '<';
}

/* Says why the answer has nothing for us; failure: that of parsing it. */
static int raise_answer(struct mesh_context *ctx,
                        const struct portal_http *http, const char *where,
                        const char *wanted, const struct failure *failure)
{
    if (http->status < 200 || http->status >= 300)
        return mesh_raise(ctx, MESH_R_PORTAL, "%s: HTTP status %ld%s", where,
                          http->status,
                          http->status == 404 ? ", not found" : "");
    if (is_html(http))
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s answers with an HTML page instead of JSON",
                          where);
    if (http->answer_len == 0)
        return mesh_raise(ctx, MESH_R_PORTAL, "%s: an empty answer", where);
    if (failure->reason != MESH_R_NONE)
        return mesh_raise(ctx, MESH_R_PORTAL, "%s: the answer is no JSON: %s",
                          where, failure->text);
    return mesh_raise(ctx, MESH_R_PORTAL, "%s: the answer has no %s", where,
                      wanted);
}

static json_t *parse_answer(struct mesh_context *ctx,
                            const struct portal_http *http,
                            struct failure *failure)
{
    struct mesh_context quiet = failure_catch(ctx, failure);

    return mesh_json_parse(&quiet, http->answer != NULL ? http->answer : "",
                           http->answer_len, "answer");
}

static int check_status(struct mesh_context *ctx, const json_t *response,
                        const char *where)
{
    const json_t *status = json_object_get(response, "Status");
    const char *text =
        json_string_value(json_object_get(response, "StatusDescription"));

    if (json_integer_value(status) == STATUS_OK)
        return 1;
    if (!json_is_integer(status))
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: the answer has no Status of a number", where);
    return mesh_raise(ctx, MESH_R_PORTAL, "%s: status %lld%s%.*s%s", where,
                      (long long)json_integer_value(status),
                      text != NULL ? " (" : "", DESCRIPTION_MAX,
                      text != NULL ? text : "", text != NULL ? ")" : "");
}

/* How servers of files refuse a POST; 403 is what nginx says of a folder. */
static int takes_no_post(long status)
{
    return status == 403 || status == 404 || status == 405 || status == 501;
}

/* Sends {name: body}, takes body over; *document, the caller's, has *response,
 * which is member and says that all is well.  Both are NULL if there is no such
 * member and the server takes no POST. */
static int exchange(struct mesh_context *ctx, struct portal_http *http,
                    const char *where, const char *name, json_t *body,
                    const char *member, json_t **document, json_t **response)
{
    json_t *request = json_pack("{s:o}", name, body);
    char *text = request != NULL ? mesh_json_print(request, 0) : NULL;
    struct failure failure;
    int ok;

    *document = *response = NULL;
    json_decref(request);
    if (text == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", where);
    ok = portal_http_do(ctx, http, where, "", text);
    OPENSSL_free(text);
    if (!ok)
        return 0;
    *document = parse_answer(ctx, http, &failure);
    *response = json_object_get(*document, member);
    if (*response != NULL) {
        ok = check_status(ctx, *response, where);
    } else {
        ok = takes_no_post(http->status);
        if (!ok)
            raise_answer(ctx, http, where, member, &failure);
    }
    if (!ok || *response == NULL) {
        json_decref(*document);
        *document = *response = NULL;
    }
    return ok;
}

/* A server of files. */
static int get_file(struct mesh_context *ctx, struct portal_http *http,
                    const char *where, const char *udf, json_t **entries)
{
    struct failure failure;
    json_t *document;
    char file[128];

    snprintf(file, sizeof(file), "%.100s.mmm", udf);
    if (!portal_http_do(ctx, http, where, file, NULL))
        return 0;
    document = parse_answer(ctx, http, &failure);
    if (http->status == 404)
        mesh_raise(ctx, MESH_R_PORTAL,
                   "%s: HTTP status 404, not found: neither a portal nor a "
                   "server that has %s",
                   where, file);
    else if (document == NULL || http->status != 200)
        raise_answer(ctx, http, where, file, &failure);
    else if ((*entries = json_pack("[O]", document)) == NULL)
        mesh_raise(ctx, MESH_R_MEMORY, "%s", where);
    json_decref(document);
    return *entries != NULL;
}

/* A server of files knows no accounts. */
static int raise_unnamed(struct mesh_context *ctx,
                         const struct portal_http *http, const char *where,
                         const char *account)
{
    return mesh_raise(ctx, MESH_R_PORTAL,
                      "%s: HTTP status %ld: no portal that knows %.100s; a "
                      "server of files is asked by the fingerprint: meshctl "
                      "refresh UDF --portal %s",
                      where, http->status, account, where);
}

int portal_get(struct mesh_context *ctx, struct portal_http *http,
               const char *host, const char *account, const char *udf,
               json_t **entries)
{
    json_t *document, *response;

    *entries = NULL;
    if (!exchange(ctx, http, host, "GetRequest",
                  json_pack("{s:s, s:b}",
                            account != NULL ? "Account" : "Identifier",
                            account != NULL ? account : udf, "Multiple", 0),
                  "GetResponse", &document, &response))
        return 0;
    if (response == NULL)
        return udf != NULL ? get_file(ctx, http, host, udf, entries)
                           : raise_unnamed(ctx, http, host, account);
    *entries = json_incref(json_object_get(response, "Entries"));
    json_decref(document);
    if (json_array_size(*entries) > 0)
        return 1;
    json_decref(*entries);
    *entries = NULL;
    return mesh_raise(ctx, MESH_R_PORTAL, "%s: no Entries: it has no %.100s",
                      host, account != NULL ? account : udf);
}

int portal_publish(struct mesh_context *ctx, struct portal_http *http,
                   const char *host, const char *account, json_t *entry)
{
    json_t *document, *response;
    int ok;

    ok = exchange(ctx, http, host, "PublishRequest",
                  json_pack("{s:s*, s:O}", "Account", account, "Entry", entry),
                  "PublishResponse", &document, &response);
    if (ok && response == NULL)
        ok = mesh_raise(ctx, MESH_R_PORTAL,
                        "%s: HTTP status %ld: no portal; on a server of files "
                        "put UDF.mmm there by other means: meshctl(1), PORTALS",
                        host, http->status);
    json_decref(document);
    return ok;
}
