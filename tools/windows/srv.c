/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SRV records by the DNS client of Windows.
 */
#include "tools/srv.h"

#include "platform/windows/wide.h"

#include <openssl/crypto.h>
#include <string.h>
#include <windows.h>

#include <windns.h> /* wants the one above */

static int read_server(const DNS_RECORDW *record, struct portal_server *server)
{
    char *host;

    if (record->wType != DNS_TYPE_SRV
        || record->Flags.S.Section != DnsSectionAnswer
        || (host = mesh_utf8(NULL, record->Data.SRV.pNameTarget)) == NULL)
        return 0;
    server->priority = record->Data.SRV.wPriority;
    server->weight = record->Data.SRV.wWeight;
    server->port = record->Data.SRV.wPort;
    /* The root, which means that there is no such service, has no name here. */
    OPENSSL_strlcpy(server->host, host[0] != '\0' ? host : ".",
                    sizeof(server->host));
    OPENSSL_free(host);
    return strspn(server->host, HOST_LETTERS) == strlen(server->host);
}

size_t srv_query(const char *name,
                 struct portal_server servers[PORTAL_SERVERS_MAX])
{
    wchar_t *wide = mesh_wide(NULL, name);
    DNS_RECORD *records = NULL;
    size_t count = 0;

    if (wide == NULL
        || DnsQuery_W(wide, DNS_TYPE_SRV, DNS_QUERY_STANDARD, NULL, &records,
                      NULL)
               != 0)
        records = NULL;
    for (const DNS_RECORDW *record = (const DNS_RECORDW *)records;
         record != NULL && count < PORTAL_SERVERS_MAX; record = record->pNext)
        if (read_server(record, &servers[count]))
            count++;
    if (records != NULL)
        DnsRecordListFree(records, DnsFreeRecordList);
    OPENSSL_free(wide);
    return count;
}
