/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SRV records by the resolver of the C library (resolver(3)).
 */
#include "tools/srv.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#define ANSWER_MAX  8192
#define DNS_SECONDS 3
#define DNS_TRIES   2

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
    /* whose name differs; all have the type of its address */
    __typeof__(*(res_state)NULL) state;
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

size_t srv_query(const char *name,
                 struct portal_server servers[PORTAL_SERVERS_MAX])
{
    unsigned char answer[ANSWER_MAX];
    size_t count = 0;
    ns_msg message;
    int len = query(name, answer, sizeof(answer));

    if (len < 0 || ns_initparse(answer, len, &message) != 0)
        return 0;
    for (int i = 0;
         i < ns_msg_count(message, ns_s_an) && count < PORTAL_SERVERS_MAX; i++)
        if (read_server(&message, i, &servers[count]))
            count++;
    return count;
}
