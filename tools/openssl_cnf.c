/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What meshctl doctor finds in openssl.cnf, and whether the module loads.
 */
#include "tools/command.h"
#include "tools/doctor.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE_FILE "mesh.so"
#define EXAMPLE     "see openssl.cnf.example and provider-mesh(7)"

/* A provider of [provider_sect]: its place in the order, its file. */
struct listed {
    int place;          /* -1: not listed, or not activated */
    const char *module; /* owned by the CONF */
};

static const char *value_of(const CONF *conf, const char *section,
                            const char *name)
{
    return NCONF_get_string(conf, section, name);
}

static struct listed find_provider(const CONF *conf, const char *name)
{
    struct listed found = {-1, NULL};
    const char *init = value_of(conf, NULL, "openssl_conf");
    const char *providers =
        init != NULL ? value_of(conf, init, "providers") : NULL;
    STACK_OF(CONF_VALUE) *rows =
        providers != NULL ? NCONF_get_section(conf, providers) : NULL;

    for (int i = 0; i < sk_CONF_VALUE_num(rows) && found.place < 0; i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        const char *identity = value_of(conf, row->value, "identity");

        if (strcmp(identity != NULL ? identity : row->name, name) == 0
            && value_of(conf, row->value, "activate") != NULL) {
            found.place = i;
            found.module = value_of(conf, row->value, "module");
        }
    }
    return found;
}

/* What the linker said, if it did; else the last error. */
static const char *load_error(void)
{
    const char *data = NULL, *found = NULL;
    unsigned long code = 0;
    int flags = 0;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        found = (flags & ERR_TXT_STRING) != 0 && data[0] != '\0'
                    ? data
                    : ERR_reason_error_string(code);
        if (ERR_GET_LIB(code) == ERR_LIB_DSO)
            break;
    }
    return found != NULL ? found : "unknown reason";
}

/* The module as an application would find it, loaded into a library context of
 * its own. */
static void report_module(struct report *report, const char *module)
{
    const char *folder = secure_getenv("OPENSSL_MODULES");
    OSSL_LIB_CTX *libctx = NULL;
    OSSL_PROVIDER *provider = NULL;
    char path[1024];

    if (folder == NULL)
        folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    if (module == NULL)
        module = MODULE_FILE;
    if (module[0] == '/' || folder == NULL)
        snprintf(path, sizeof(path), "%s", module);
    else
        snprintf(path, sizeof(path), "%s/%s", folder, module);
    if (access(path, R_OK) != 0) {
        report_add(report, FOUND_PROBLEM,
                   "install it there, or set OPENSSL_MODULES or 'module' to "
                   "where it is",
                   "module %s not found", path);
        return;
    }
    ERR_clear_error();
    if ((libctx = OSSL_LIB_CTX_new()) != NULL)
        provider = OSSL_PROVIDER_load(libctx, path);
    if (provider != NULL)
        report_add(report, FOUND_OK, NULL, "module %s loads", path);
    else
        report_add(report, FOUND_PROBLEM,
                   "was it built for this version of OpenSSL?",
                   "module %s does not load: %s", path, load_error());
    ERR_clear_error();
    if (provider != NULL)
        OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(libctx);
}

/* Whether the file does in the end what it says: in a library context of its
 * own, as a program's start would. */
static int activates_both(const char *file)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    int ok;

    OPENSSL_load_builtin_modules(); /* what reads the providers' section */
    ok = libctx != NULL && OSSL_LIB_CTX_load_config(libctx, file)
         && OSSL_PROVIDER_available(libctx, "default")
         && OSSL_PROVIDER_available(libctx, "mesh");
    OSSL_LIB_CTX_free(libctx);
    return ok;
}

static void report_activation(struct report *report, const struct listed *mesh,
                              const struct listed *standard, const char *file)
{
    if (mesh->place < 0)
        report_add(report, FOUND_WARNING, EXAMPLE,
                   "%s does not activate mesh: programs must be told to use it",
                   file);
    else if (standard->place < 0)
        report_add(report, FOUND_PROBLEM,
                   "activate default, before mesh; " EXAMPLE,
                   "%s activates mesh but not default: nothing else of "
                   "OpenSSL works",
                   file);
    else if (standard->place > mesh->place)
        report_add(report, FOUND_WARNING, "put default before mesh; " EXAMPLE,
                   "%s activates mesh before default", file);
    else if (!activates_both(file))
        report_add(report, FOUND_PROBLEM, EXAMPLE,
                   "%s lists default and mesh, but OpenSSL cannot activate "
                   "them: %s",
                   file, load_error());
    else
        report_add(report, FOUND_OK, NULL, "%s activates default, then mesh",
                   file);
}

void report_openssl(struct report *report)
{
    char *file = CONF_get1_default_config_file();
    CONF *conf = NCONF_new_ex(report->ctx->libctx, NULL);
    struct listed mesh = {-1, NULL}, standard;
    long line = 0;

    if (file == NULL || conf == NULL) {
        report_add(report, FOUND_PROBLEM, NULL, "out of memory");
        goto end;
    }
    if (access(file, R_OK) != 0) {
        report_add(report, FOUND_WARNING, EXAMPLE,
                   "%s cannot be read: programs must be told to use mesh",
                   file);
    } else if (NCONF_load(conf, file, &line) <= 0) {
        report_add(report, FOUND_PROBLEM, "correct that line",
                   "%s, line %ld: malformed", file, line);
    } else {
        mesh = find_provider(conf, "mesh");
        standard = find_provider(conf, "default");
        report_activation(report, &mesh, &standard, file);
    }
    report_module(report, mesh.module);
end:
    NCONF_free(conf);
    OPENSSL_free(file);
}
