/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What meshctl doctor finds in openssl.cnf, and whether the module loads.
 */
#include "platform/layout.h"
#include "platform/refresh.h"
#include "platform/system.h"
#include "tools/command.h"
#include "tools/doctor.h"
#include "tools/host.h"
#include "tools/input.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLE "see openssl.cnf.example and provider-mesh(7)"

/* A provider of [provider_sect]: its place in the order, its file. */
struct listed {
    int place;           /* -1: not listed, or not activated */
    const char *section; /* NULL: not listed; owned by the CONF */
    const char *module;  /* NULL: the default */
};

static const char *value_of(const CONF *conf, const char *section,
                            const char *name)
{
    return NCONF_get_string(conf, section, name);
}

static struct listed find_provider(const CONF *conf, const char *name)
{
    struct listed found = {-1, NULL, NULL};
    const char *init = value_of(conf, NULL, "openssl_conf");
    const char *providers =
        init != NULL ? value_of(conf, init, "providers") : NULL;
    STACK_OF(CONF_VALUE) *rows =
        providers != NULL ? NCONF_get_section(conf, providers) : NULL;

    for (int i = 0; i < sk_CONF_VALUE_num(rows) && found.section == NULL; i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        const char *identity = value_of(conf, row->value, "identity");

        if (strcmp(identity != NULL ? identity : row->name, name) != 0)
            continue;
        found.section = row->value;
        found.module = value_of(conf, row->value, "module");
        if (value_of(conf, row->value, "activate") != NULL)
            found.place = i;
    }
    return found;
}

/* The settings that are paths and that meshctl may have been told, too. */
static const struct path {
    const char *name;
    size_t at; /* in struct mesh_config */
    const char *standard;
} paths[] = {
    {"home", offsetof(struct mesh_config, home), NULL},
#ifdef MESH_PLATFORM_LINUX
    {"keyd-socket", offsetof(struct mesh_config, keyd_socket), "its default"},
    {"keyd-path", offsetof(struct mesh_config, keyd_path), MESH_KEYD_PATH},
#endif
};

static const struct path *find_path(const char *name)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(name, paths[i].name) == 0)
            return &paths[i];
    return NULL;
}

/* A path of openssl.cnf beside meshctl's own, which is NULL if it was told
 * none. */
static void report_path(struct report *report, const char *section,
                        const struct path *setting, const char *path,
                        const char *own)
{
    struct mesh_context quiet = mesh_context_quiet(report->ctx);
    const char *name = setting->name, *used = own;
    char *home = NULL, todo[512];

    if (used == NULL)
        used = setting->standard;
    if (used == NULL)
        used = home = mesh_layout_home(&quiet);
    if (used == NULL)
        return;
    snprintf(todo, sizeof(todo),
             "meshctl --%s %.300s uses the same; checked below is %s", name,
             path, own != NULL ? "meshctl's" : "that of programs");
    if (strcmp(used, path) != 0)
        report_add(report, FOUND_WARNING, todo,
                   "[%s] of openssl.cnf has %s = %s for programs, meshctl uses "
                   "%s",
                   section, name, path, used);
    OPENSSL_free(home);
}

/* Takes a setting over into the report's context, but for a path that meshctl
 * was told itself.  0: it is wrong. */
static int take_setting(struct report *report, const char *section,
                        const char *name, const char *value)
{
    struct failure failure;
    struct mesh_context trial = failure_catch(report->ctx, &failure);
    const struct path *setting = find_path(name);
    char **path =
        setting != NULL ? (char **)((char *)&trial.config + setting->at) : NULL;
    char *own = path != NULL ? *path : NULL;

    if (path != NULL)
        *path = NULL;
    if (!mesh_context_configure(&trial, name, value)) {
        report_add(report, FOUND_PROBLEM,
                   "correct it: with this value mesh is not loaded",
                   "[%s] of openssl.cnf: %s", section, failure.text);
        return 0;
    }
    if (path != NULL)
        report_path(report, section, setting, *path, own);
    if (own != NULL) {
        OPENSSL_free(*path);
        *path = own;
    }
    report->ctx->config = trial.config;
    return 1;
}

/* A name without what OpenSSL passes over, so that it may stand twice. */
static int is_openssls(const char *name)
{
    static const char *const names[] = {"identity", "soft_load", "module",
                                        "activate"};
    const char *dot = strchr(name, '.');

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(dot != NULL ? dot + 1 : name, names[i]) == 0)
            return 1;
    return 0;
}

static int is_ours(const char *name)
{
    const char *setting;

    for (size_t i = 0; (setting = mesh_context_setting(i)) != NULL; i++)
        if (strcmp(name, setting) == 0)
            return 1;
    return 0;
}

/* All that stands in the provider's section.  0: the module would refuse it. */
static int report_settings(struct report *report, const CONF *conf,
                           const char *section)
{
    STACK_OF(CONF_VALUE) *rows =
        section != NULL ? NCONF_get_section(conf, section) : NULL;
    int ok = 1;

    for (int i = 0; i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);

        if (is_ours(row->name))
            ok &= take_setting(report, section, row->name, row->value);
        else if (!is_openssls(row->name))
            report_add(report, FOUND_WARNING, "provider-mesh(7) lists them",
                       "[%s] of openssl.cnf: '%s' is no setting of mesh and "
                       "does nothing",
                       section, row->name);
    }
    return ok;
}

/* What a load of a missing profile starts, if it does. */
static void report_refresh(struct report *report)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    char *program;

    if (report->ctx->config.refresh != MESH_REFRESH_ON_MISSING)
        return;
    if (mesh_refresh_check(&quiet, &program))
        report_add(report, FOUND_OK, NULL,
                   "%s, which gets missing profiles (refresh = on-missing)",
                   program);
    else
        report_add(report, FOUND_PROBLEM,
                   "correct meshctl-path in openssl.cnf, or remove refresh = "
                   "on-missing",
                   "refresh = on-missing: %s", failure.text);
    OPENSSL_free(program);
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
static int report_module(struct report *report, const char *module)
{
    const char *folder = input_modules();
    OSSL_LIB_CTX *libctx = NULL;
    OSSL_PROVIDER *provider = NULL;
    char path[1024];
    int ok;

    if (module == NULL)
        module = MESH_MODULE_FILE;
    if (mesh_system_is_absolute(module)) {
        snprintf(path, sizeof(path), "%s", module);
    } else if (folder[0] == '\0') {
        report_add(report, FOUND_PROBLEM, "set it to the folder of the module",
                   "module %s: OPENSSL_MODULES names no folder", module);
        return 0;
    } else {
        snprintf(path, sizeof(path), "%s/%s", folder, module);
    }
    if (!host_can_read(path)) {
        report_add(report, FOUND_PROBLEM,
                   "install it there, or set OPENSSL_MODULES or 'module' to "
                   "where it is",
                   "module %s not found", path);
        return 0;
    }
    ERR_clear_error();
    if ((libctx = OSSL_LIB_CTX_new()) != NULL)
        provider = OSSL_PROVIDER_load(libctx, path);
    ok = provider != NULL;
    if (ok)
        report_add(report, FOUND_OK, NULL, "module %s loads", path);
    else
        report_add(report, FOUND_PROBLEM,
                   "was it built for this version of OpenSSL?",
                   "module %s does not load: %s", path, load_error());
    ERR_clear_error();
    if (ok)
        OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(libctx);
    return ok;
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

/* loads: the module does, and its settings fit. */
static void report_activation(struct report *report, const struct listed *mesh,
                              const struct listed *standard, const char *file,
                              int loads)
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
    else if (loads && !activates_both(file))
        report_add(report, FOUND_PROBLEM, EXAMPLE,
                   "%s lists default and mesh, but OpenSSL cannot activate "
                   "them: %s",
                   file, load_error());
    else if (loads)
        report_add(report, FOUND_OK, NULL, "%s activates default, then mesh",
                   file);
}

/* The file that programs read, to be freed; "" if nobody says.  On Windows each
 * libcrypto has a standard place of its own; ours is no folder of this
 * computer, and anybody might make it. */
static char *config_file(void)
{
#ifdef MESH_PLATFORM_WINDOWS
    const char *file = getenv("OPENSSL_CONF");

    return OPENSSL_strdup(file != NULL ? file : "");
#else
    return CONF_get1_default_config_file();
#endif
}

void report_openssl(struct report *report)
{
    char *file = config_file();
    CONF *conf = NCONF_new_ex(report->ctx->libctx, NULL);
    struct listed mesh = {-1, NULL, NULL}, standard;
    long line = 0;
    int loads;

    if (file == NULL || conf == NULL) {
        report_add(report, FOUND_PROBLEM, NULL, "out of memory");
        goto end;
    }
    if (file[0] == '\0') {
        report_add(report, FOUND_WARNING, "set it to a file; " EXAMPLE,
                   "OPENSSL_CONF names no file: programs must be told to use "
                   "mesh");
        report_module(report, NULL);
    } else if (!host_can_read(file)) {
        report_add(report, FOUND_WARNING, EXAMPLE,
                   "%s cannot be read: programs must be told to use mesh",
                   file);
        report_module(report, NULL);
    } else if (NCONF_load(conf, file, &line) <= 0) {
        report_add(report, FOUND_PROBLEM, "correct that line",
                   "%s, line %ld: malformed", file, line);
        report_module(report, NULL);
    } else {
        mesh = find_provider(conf, "mesh");
        standard = find_provider(conf, "default");
        loads = report_module(report, mesh.module);
        loads &= report_settings(report, conf, mesh.section);
        report_refresh(report);
        report_activation(report, &mesh, &standard, file, loads);
    }
end:
    NCONF_free(conf);
    OPENSSL_free(file);
}
