/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * put_secret FILE SCHEMA NAME=VALUE...: makes an item of the Secret Service, as
 * another program would, beside those that have the same attributes.
 */
#define SECRET_WITH_UNSTABLE
#define SECRET_API_SUBJECT_TO_CHANGE
#include <libsecret/secret.h>
#include <stdio.h>
#include <string.h>

#define ITEM "org.freedesktop.Secret.Item."

int main(int argc, char **argv)
{
    GHashTable *properties = g_hash_table_new_full(
        g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
    SecretService *service;
    SecretValue *value;
    GVariantBuilder attributes;
    GError *error = NULL;
    char *data, *path = NULL;
    gsize len;

    if (argc < 4 || !g_file_get_contents(argv[1], &data, &len, NULL))
        return 2;
    g_variant_builder_init(&attributes, G_VARIANT_TYPE("a{ss}"));
    g_variant_builder_add(&attributes, "{ss}", "xdg:schema", argv[2]);
    for (int i = 3; i < argc; i++) {
        char **pair = g_strsplit(argv[i], "=", 2);

        g_variant_builder_add(&attributes, "{ss}", pair[0], pair[1]);
        g_strfreev(pair);
    }
    g_hash_table_insert(properties, ITEM "Label",
                        g_variant_ref_sink(g_variant_new_string("test")));
    g_hash_table_insert(properties, ITEM "Attributes",
                        g_variant_ref_sink(g_variant_builder_end(&attributes)));
    value = secret_value_new(data, (gssize)len, "application/octet-stream");
    service =
        secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, NULL, &error);
    if (service != NULL)
        path = secret_service_create_item_dbus_path_sync(
            service, "/org/freedesktop/secrets/collection/login", properties,
            value, SECRET_ITEM_CREATE_NONE, NULL, &error);
    g_hash_table_unref(properties);
    if (path == NULL) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "dismissed");
        return 1;
    }
    puts(path);
    g_free(path);
    g_free(data);
    secret_value_unref(value);
    g_object_unref(service);
    return 0;
}
