/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where a portal is: its name, and the servers that DNS has for it.
 */
#include "tools/portal_name.h"
#include "tools/srv.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX        65535
#define HTTP            "http://"
#define HTTPS           "https://"
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
    static const unsigned char loopback[16] = {[15] = 1};
    ASN1_OCTET_STRING *address = NULL;
    const unsigned char *octets;

    ERR_set_mark(); /* a name is no error */
    address = a2i_IPADDRESS(name->host);
    ERR_pop_to_mark();
    if (address == NULL) {
        name->is_local = OPENSSL_strcasecmp(name->host, "localhost") == 0;
        return;
    }
    octets = ASN1_STRING_get0_data(address);
    name->is_address = 1;
    name->is_local = ASN1_STRING_length(address) == 4
                         ? octets[0] == 127
                         : memcmp(octets, loopback, sizeof(loopback)) == 0;
    ASN1_OCTET_STRING_free(address);
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

size_t portal_find_servers(const struct mesh_context *ctx, const char *host,
                           struct portal_server servers[PORTAL_SERVERS_MAX])
{
    char name[PORTAL_NAME_MAX + 16];
    size_t count;

    snprintf(name, sizeof(name), "_mmm._tcp.%s", host);
    count = srv_query(name, servers);
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
