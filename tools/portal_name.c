/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a portal is: its name, and the servers that DNS has for it.
 */
#include "tools/portal_name.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX  8192
#define PORT_MAX    65535
#define DNS_SECONDS 3
#define DNS_TRIES   2
#define HTTP        "http://"
#define HTTPS       "https://"
#define HOST_LETTERS                                                           \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define ADDRESS_LETTERS "0123456789abcdefABCDEF:."

static int raise_name(struct mesh_context *ctx, const char *text)
{
    return mesh_raise(ctx, MESH_R_USAGE,
                      "portal '%.100s': HOST or HOST:PORT is wanted", text);
}

/* Takes the host from text; *rest is what follows it. */
static int take_host(const char *text, struct portal_name *name,
                     const char **rest)
{
    int is_ipv6 = *text == '[';
    const char *start = text + is_ipv6;
    size_t len = strspn(start, is_ipv6 ? ADDRESS_LETTERS : HOST_LETTERS);

    if (len == 0 || len >= sizeof(name->host) || *start == '.' || *start == '-'
        || (is_ipv6 && start[len] != ']'))
        return 0;
    memcpy(name->host, start, len);
    name->host[len] = '\0';
    *rest = start + len + is_ipv6;
    return 1;
}

static int take_port(const char *text, unsigned *port)
{
    char *end;
    unsigned long number;

    *port = 0;
    if (*text == '\0')
        return 1;
    if (*text != ':' || text[1] < '0' || text[1] > '9')
        return 0;
    number = strtoul(text + 1, &end, 10);
    *port = (unsigned)number;
    return *end == '\0' && number > 0 && number <= PORT_MAX;
}

/* The whole of 127.0.0.0/8 is this machine; a name that merely begins so is
 * not. */
static void note_address(struct portal_name *name)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, name->host, &v4) == 1) {
        name->is_address = 1;
        name->is_local = ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    } else if (inet_pton(AF_INET6, name->host, &v6) == 1) {
        name->is_address = 1;
        name->is_local = IN6_IS_ADDR_LOOPBACK(&v6);
    } else {
        name->is_local = strcasecmp(name->host, "localhost") == 0;
    }
}

int portal_name_parse(struct mesh_context *ctx, const char *text,
                      struct portal_name *name)
{
    const char *host = text, *rest;

    memset(name, 0, sizeof(*name));
    name->scheme = HTTPS;
    if (strncmp(text, HTTPS, strlen(HTTPS)) == 0) {
        host += strlen(HTTPS);
    } else if (strncmp(text, HTTP, strlen(HTTP)) == 0) {
        host += strlen(HTTP);
        name->scheme = HTTP;
    }
    if (!take_host(host, name, &rest) || !take_port(rest, &name->port))
        return raise_name(ctx, text);
    note_address(name);
    if (strchr(name->host, ':') != NULL && !name->is_address)
        return raise_name(ctx, text);
    if (strcmp(name->scheme, HTTP) == 0 && !name->is_local)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "portal '%.100s': http without TLS is for this "
                          "machine alone",
                          text);
    return 1;
}

static int order(const void *a, const void *b)
{
    const struct portal_server *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->weight == y->weight ? 0 : x->weight > y->weight ? -1 : 1;
}

/* The i-th answer, if it is an SRV record. */
static int read_server(ns_msg *message, int i, struct portal_server *server)
{
    const unsigned char *data;
    ns_rr record;

    if (ns_parserr(message, ns_s_an, i, &record) != 0
        || ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7)
        return 0;
    data = ns_rr_rdata(record);
    server->priority = ns_get16(data);
    server->weight = ns_get16(data + 2);
    server->port = ns_get16(data + 4);
    return ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
                              data + 6, server->host, sizeof(server->host))
               > 0
           && strspn(server->host, HOST_LETTERS) == strlen(server->host);
}

static int query(const char *name, unsigned char *answer, int size)
{
    struct __res_state state;
    int len;

    memset(&state, 0, sizeof(state));
    if (res_ninit(&state) != 0)
        return -1;
    state.retrans = DNS_SECONDS;
    state.retry = DNS_TRIES;
    len = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, size);
    res_nclose(&state);
    return len < size ? len : size;
}

size_t portal_find_servers(const struct mesh_context *ctx, const char *host,
                           struct portal_server servers[PORTAL_SERVERS_MAX])
{
    char name[PORTAL_NAME_MAX + 16];
    unsigned char answer[ANSWER_MAX];
    size_t count = 0;
    ns_msg message;
    int len;

    snprintf(name, sizeof(name), "_mmm._tcp.%s", host);
    len = query(name, answer, sizeof(answer));
    if (len < 0 || ns_initparse(answer, len, &message) != 0)
        return 0;
    for (int i = 0;
         i < ns_msg_count(message, ns_s_an) && count < PORTAL_SERVERS_MAX; i++)
        if (read_server(&message, i, &servers[count]))
            count++;
    qsort(servers, count, sizeof(servers[0]), order);
    for (size_t i = 0; i < count; i++) {
        mesh_trace(ctx, "%s: %s port %u, priority %u, weight %u", name,
                   servers[i].host, servers[i].port, servers[i].priority,
                   servers[i].weight);
        if (strcmp(servers[i].host, ".") == 0)
            servers[i].host[0] = '\0';
    }
    return count;
}
