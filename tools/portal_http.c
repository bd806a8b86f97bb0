/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * HTTPS with a portal, by libcurl: limits, redirects, errors.
 */
#include "tools/portal_http.h"

#include "tools/change.h"
#include "tools/host.h"
#include "tools/portal_name.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_SECONDS 10
#define SLOW_SECONDS    15  /* so long less than … */
#define SLOW_OCTETS     100 /* … in a second is too slow */
#define REDIRECTS_MAX   5
#define HTTPS_PORT      443
#define URL_MAX         512

static size_t take_octets(char *data, size_t size, size_t count, void *arg)
{
    struct portal_http *http = arg;
    size_t len = size * count, need = http->answer_len + len + 1;
    char *grown = http->answer;

    if (len > PORTAL_ANSWER_MAX - http->answer_len) {
        http->too_large = 1;
        return 0;
    }
    if (need > http->answer_room) { /* twice: it comes in many small parts */
        grown = OPENSSL_realloc(http->answer, 2 * need);
        if (grown == NULL)
            return 0;
        http->answer = grown;
        http->answer_room = 2 * need;
    }
    memcpy(grown + http->answer_len, data, len);
    http->answer_len += len;
    grown[http->answer_len] = '\0';
    return len;
}

/* Whether a header has a name; then its value is copied. */
static int take_header(const char *line, size_t len, const char *name,
                       char *value, size_t size)
{
    size_t at = strlen(name), n = 0;

    if (len <= at || OPENSSL_strncasecmp(line, name, at) != 0)
        return 0;
    while (at < len && line[at] == ' ')
        at++;
    while (at < len && line[at] >= ' ' && n + 1 < size)
        value[n++] = line[at++];
    value[n] = '\0';
    return 1;
}

static size_t take_line(char *line, size_t size, size_t count, void *arg)
{
    struct portal_http *http = arg;
    char value[32];

    take_header(line, size * count, "location:", http->location,
                sizeof(http->location));
    if (take_header(line, size * count, "content-encoding:", value,
                    sizeof(value)))
        http->is_encoded = OPENSSL_strcasecmp(value, "identity") != 0;
    return size * count;
}

/* After a second, if somebody looks; and Ctrl-C need not wait for the end. */
static int show_progress(void *arg, curl_off_t total, curl_off_t now,
                         curl_off_t total_up, curl_off_t now_up)
{
    struct portal_http *http = arg;
    unsigned seconds = host_seconds() - http->start;

    (void)total;
    (void)total_up;
    if (seconds > 1 && host_is_terminal(stderr)) {
        fprintf(stderr, "\rmeshctl: %s: %u s, %ld KiB", http->where, seconds,
                (long)((now + now_up) / 1024));
        http->is_shown = 1;
    }
    return change_is_interrupted();
}

static void end_progress(struct portal_http *http)
{
    if (http->is_shown)
        fputs("\r\033[K", stderr);
    http->is_shown = 0;
}

/* The certificates that curl(1) would take. */
static const char *ca_file(const char *cacert)
{
    if (cacert == NULL)
        cacert = getenv("CURL_CA_BUNDLE");
    if (cacert == NULL || *cacert == '\0')
        cacert = getenv("SSL_CERT_FILE");
    return cacert != NULL && *cacert != '\0' ? cacert : NULL;
}

static CURLcode set_protocols(CURL *curl, int is_local)
{
    CURLcode code;

#if LIBCURL_VERSION_NUM >= 0x075500
    code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                            is_local ? "http,https" : "https");
    return code != CURLE_OK
               ? code
               : curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    code = curl_easy_setopt(
        curl, CURLOPT_PROTOCOLS,
        (long)(CURLPROTO_HTTPS | (is_local ? CURLPROTO_HTTP : 0)));
    return code != CURLE_OK ? code
                            : curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                                               (long)CURLPROTO_HTTPS);
#endif
}

static CURLcode set_limits(CURL *curl, long timeout)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout);
    long slow = timeout / 4 + 1;

    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
                                timeout < CONNECT_SECONDS ? timeout
                                                          : CONNECT_SECONDS);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                                slow < SLOW_SECONDS ? slow : SLOW_SECONDS);
    if (code == CURLE_OK)
        code =
            curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_OCTETS);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    return code;
}

static CURLcode set_callbacks(CURL *curl, struct portal_http *http)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_octets);

    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show_progress);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    return code;
}

/* Redirects keep a POST what it is. */
static CURLcode set_requests(CURL *curl)
{
    CURLcode code =
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "meshctl/" MESH_VERSION);

    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_POSTREDIR,
                                (long)CURL_REDIR_POST_ALL);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    return code;
}

/* Windows has a store of trusted certificates.  The file that libcurl was built
 * with is a path of another system, or of any user here who makes it. */
#ifdef MESH_PLATFORM_WINDOWS
static const int is_native = 1;
#else
static const int is_native = 0;
#endif

static CURLcode set_tls(CURL *curl, const char *file)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                                     (long)CURL_SSLVERSION_TLSv1_2);

    /* that file alone, not the folder of the system beside it */
    if (code == CURLE_OK && (file != NULL || is_native))
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    if (code == CURLE_OK && (file != NULL || is_native))
        code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
#ifdef MESH_PLATFORM_WINDOWS
    if (code == CURLE_OK && file == NULL)
        code = curl_easy_setopt(curl, CURLOPT_SSL_OPTIONS,
                                (long)CURLSSLOPT_NATIVE_CA);
#endif
    return code;
}

int portal_http_open(struct mesh_context *ctx, struct portal_http *http,
                     const char *cacert, unsigned timeout)
{
    CURLcode code;

    memset(http, 0, sizeof(*http));
    cacert = ca_file(cacert);
    if (cacert != NULL && !host_can_read(cacert))
        return mesh_raise(ctx, MESH_R_FILE_MISSING, "%.200s: %s", cacert,
                          strerror(errno));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK
        || (http->curl = curl_easy_init()) == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "libcurl");
    code = set_callbacks(http->curl, http);
    if (code == CURLE_OK)
        code = set_requests(http->curl);
    if (code == CURLE_OK)
        code = set_limits(http->curl, (long)timeout);
    if (code == CURLE_OK)
        code = set_tls(http->curl, cacert);
    return code == CURLE_OK
           || mesh_raise(ctx, MESH_R_INTERNAL, "libcurl: %s",
                         curl_easy_strerror(code));
}

void portal_http_close(struct portal_http *http)
{
    curl_easy_cleanup(http->curl);
    OPENSSL_free(http->answer);
    memset(http, 0, sizeof(*http));
}

/* What curl says of it, which tells more than the code. */
static const char *detail(const struct portal_http *http, CURLcode code)
{
    return http->error[0] != '\0' ? http->error : curl_easy_strerror(code);
}

static int raise_connect(struct mesh_context *ctx, struct portal_http *http,
                         const char *host, CURLcode code)
{
    char text[HOST_TEXT_MAX];
    long number = 0;

    curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &number);
    return mesh_raise(ctx, MESH_R_PORTAL, "%s cannot be reached: %s (%s)", host,
                      number != 0 ? host_network_text(number, text)
                                  : "no connection",
                      detail(http, code));
}

static int raise_write(struct mesh_context *ctx, const struct portal_http *http,
                       const char *host, CURLcode code)
{
    if (http->too_large)
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: the answer is longer than %u MiB%s", host,
                          PORTAL_ANSWER_MAX >> 20,
                          http->is_encoded ? " when it is decompressed" : "");
    return mesh_raise(ctx, MESH_R_MEMORY, "%s: %s", host, detail(http, code));
}

static int raise_curl(struct mesh_context *ctx, struct portal_http *http,
                      const char *host, CURLcode code)
{
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return change_go_on(ctx)
               && mesh_raise(ctx, MESH_R_INTERRUPTED, "%s", host);
    case CURLE_COULDNT_RESOLVE_HOST:
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: DNS does not have this name (%s)", host,
                          detail(http, code));
    case CURLE_COULDNT_CONNECT:
        return raise_connect(ctx, http, host, code);
    case CURLE_OPERATION_TIMEDOUT:
        return mesh_raise(ctx, MESH_R_TIMEOUT, "portal %s: %s", host,
                          detail(http, code));
    case CURLE_PEER_FAILED_VERIFICATION:
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: its TLS certificate is not accepted: %s", host,
                          detail(http, code));
    case CURLE_TOO_MANY_REDIRECTS:
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: more than %d redirects, the last to %s", host,
                          REDIRECTS_MAX, http->location);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s redirects to %s, which is not https", host,
                          http->location);
    case CURLE_WRITE_ERROR:
        return raise_write(ctx, http, host, code);
    default:
        return mesh_raise(ctx, MESH_R_PORTAL, "%s: %s", host,
                          detail(http, code));
    }
}

/* One request; to server, if that is not NULL, in the place of the host. */
static CURLcode request(struct portal_http *http,
                        const struct portal_name *name, const char *url,
                        const char *body, const struct portal_server *server)
{
    struct curl_slist *headers = NULL, *to = NULL;
    char text[2 * PORTAL_NAME_MAX + 32];
    CURLcode code;

    http->answer_len = 0;
    http->too_large = http->is_encoded = 0;
    http->error[0] = http->location[0] = '\0';
    if (server != NULL) {
        /* The certificate is that of the name: who answers DNS may not choose
         * whose it is. */
        snprintf(text, sizeof(text), "%.255s:%d:%.255s:%u", name->host,
                 HTTPS_PORT, server->host, server->port);
        to = curl_slist_append(NULL, text);
    }
    if (body != NULL)
        headers = curl_slist_append(NULL, "Content-Type: application/json");
    if ((server != NULL && to == NULL) || (body != NULL && headers == NULL))
        code = CURLE_OUT_OF_MEMORY;
    else
        code = curl_easy_setopt(http->curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(http->curl, CURLOPT_CONNECT_TO, to);
    if (code == CURLE_OK)
        code = curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK && body != NULL)
        code = curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
    else if (code == CURLE_OK)
        code = curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK)
        code = set_protocols(http->curl, name->is_local);
    /* what has no TLS does not leave this machine; NULL: as the environment
     * says */
    if (code == CURLE_OK)
        code =
            curl_easy_setopt(http->curl, CURLOPT_PROXY,
                             strcmp(name->scheme, "http://") == 0 ? "" : NULL);
    http->start = host_seconds();
    if (code == CURLE_OK)
        code = curl_easy_perform(http->curl);
    end_progress(http);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &http->status);
    curl_easy_setopt(http->curl, CURLOPT_CONNECT_TO, NULL);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    curl_slist_free_all(to);
    return code;
}

static int is_unreached(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT
           || code == CURLE_OPERATION_TIMEDOUT
           || code == CURLE_SSL_CONNECT_ERROR;
}

int portal_http_do(struct mesh_context *ctx, struct portal_http *http,
                   const char *host, const char *file, const char *body)
{
    struct portal_server servers[PORTAL_SERVERS_MAX];
    struct portal_name name;
    char url[URL_MAX], port[16] = "";
    size_t count = 0, i = 0;
    CURLcode code;
    int is_ipv6;

    if (!portal_name_parse(ctx, host, &name))
        return 0;
    if (name.port != 0)
        snprintf(port, sizeof(port), ":%u", name.port);
    else if (!name.is_address && !name.is_local)
        count = portal_find_servers(ctx, name.host, servers);
    if (count > 0 && servers[0].host[0] == '\0')
        return mesh_raise(ctx, MESH_R_PORTAL,
                          "%s: DNS says that it has no portal", host);
    is_ipv6 = strchr(name.host, ':') != NULL;
    snprintf(url, sizeof(url), "%s%s%s%s%s/.well-known/mmm/%s", name.scheme,
             is_ipv6 ? "[" : "", name.host, is_ipv6 ? "]" : "", port, file);
    http->where = host;
    do
        code = request(http, &name, url, body, count > 0 ? &servers[i] : NULL);
    while (is_unreached(code) && ++i < count);
    return code == CURLE_OK || raise_curl(ctx, http, host, code);
}
