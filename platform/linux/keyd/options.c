/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line and the configuration file of mesh-keyd.
 */
#include "platform/linux/keyd/options.h"

#include "platform/layout.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FILE  "/.config/mesh/keyd.conf"
#define CONFIG_MAX   ((size_t)64 << 10)
#define SECONDS_MAX  (7u * 24 * 3600)
#define GROUP_BUFFER 16384

struct option_row;
typedef int set_fn(struct mesh_context *ctx, struct mesh_options *options,
                   const struct option_row *row, const char *value);

static set_fn set_socket, set_home, set_ready_fd, set_foreground, set_config,
    set_log, set_seconds_idle, set_seconds_key, set_group, set_connections;

static const struct option_row {
    const char *name;
    const char *argument; /* NULL: takes none */
    set_fn *set;          /* NULL: printed and done */
    int in_file;
    const char *help;
} rows[] = {
    {"socket", "PATH", set_socket, 1,
     "listen there ($XDG_RUNTIME_DIR/mesh/keyd.sock)"},
    {"home", "DIR", set_home, 1, "the layout of profiles (~/.cryptomesh)"},
    {"idle-timeout", "SECONDS", set_seconds_idle, 1,
     "exit, and forget keys, when unused so long (600)"},
    {"key-timeout", "SECONDS", set_seconds_key, 1,
     "forget a key so long after it was read (3600)"},
    {"group", "NAME", set_group, 1, "members of the group may use keys, too"},
    {"max-connections", "N", set_connections, 1, "at a time (256)"},
    {"log", "FILE", set_log, 1, "instead of the system's log"},
    {"config", "FILE", set_config, 0,
     "instead of ~" CONFIG_FILE "; NAME = VALUE with the names above"},
    {"foreground", NULL, set_foreground, 0,
     "keep the terminal, log there if no log is named"},
    {"ready-fd", "N", set_ready_fd, 0,
     "write an octet to this descriptor when it serves"},
    {"help", NULL, NULL, 0, "print this"},
    {"version", NULL, NULL, 0, "print the version"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int set_string(struct mesh_context *ctx, char **to, const char *value)
{
    OPENSSL_free(*to);
    *to = OPENSSL_strdup(value);
    return *to != NULL || mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
}

static int set_number(struct mesh_context *ctx, const struct option_row *row,
                      const char *value, unsigned most, unsigned *number)
{
    unsigned long n;
    char *end;

    errno = 0;
    n = strtoul(value, &end, 10);
    if (errno != 0 || value[0] < '0' || value[0] > '9' || *end != '\0' || n == 0
        || n > most)
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "%s: a number from 1 to %u is wanted, not \"%.64s\"",
                          row->name, most, value);
    *number = (unsigned)n;
    return 1;
}

static int set_socket(struct mesh_context *ctx, struct mesh_options *options,
                      const struct option_row *row, const char *value)
{
    (void)options;
    (void)row;
    return mesh_context_configure(ctx, "keyd-socket", value);
}

static int set_home(struct mesh_context *ctx, struct mesh_options *options,
                    const struct option_row *row, const char *value)
{
    (void)options;
    (void)row;
    return mesh_context_configure(ctx, "home", value);
}

static int set_ready_fd(struct mesh_context *ctx, struct mesh_options *options,
                        const struct option_row *row, const char *value)
{
    unsigned fd;

    if (!set_number(ctx, row, value, 65535, &fd))
        return 0;
    options->ready_fd = (int)fd;
    return 1;
}

static int set_foreground(struct mesh_context *ctx,
                          struct mesh_options *options,
                          const struct option_row *row, const char *value)
{
    (void)ctx;
    (void)row;
    (void)value;
    options->foreground = 1;
    return 1;
}

static int set_config(struct mesh_context *ctx, struct mesh_options *options,
                      const struct option_row *row, const char *value)
{
    (void)row;
    return set_string(ctx, &options->config, value);
}

static int set_log(struct mesh_context *ctx, struct mesh_options *options,
                   const struct option_row *row, const char *value)
{
    (void)row;
    return set_string(ctx, &options->log, value);
}

static int set_seconds_idle(struct mesh_context *ctx,
                            struct mesh_options *options,
                            const struct option_row *row, const char *value)
{
    return set_number(ctx, row, value, SECONDS_MAX, &options->idle_timeout);
}

static int set_seconds_key(struct mesh_context *ctx,
                           struct mesh_options *options,
                           const struct option_row *row, const char *value)
{
    return set_number(ctx, row, value, SECONDS_MAX, &options->key_timeout);
}

static int set_connections(struct mesh_context *ctx,
                           struct mesh_options *options,
                           const struct option_row *row, const char *value)
{
    return set_number(ctx, row, value, 4096, &options->max_connections);
}

static int set_group(struct mesh_context *ctx, struct mesh_options *options,
                     const struct option_row *row, const char *value)
{
    char buffer[GROUP_BUFFER];
    struct group group, *found = NULL;

    if (getgrnam_r(value, &group, buffer, sizeof(buffer), &found) != 0
        || found == NULL)
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "%s: there is no group \"%.64s\"", row->name, value);
    options->group = found->gr_gid;
    return 1;
}

static void print_help(void)
{
    char usage[64];

    puts("Usage: mesh-keyd [OPTION]...\n"
         "Holds the private keys of one user and uses them for programs with\n"
         "the mesh provider, which start it by themselves.\n");
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(usage, sizeof(usage), "--%s%s%s", rows[i].name,
                 rows[i].argument != NULL ? " " : "",
                 rows[i].argument != NULL ? rows[i].argument : "");
        printf("  %-24s %s\n", usage, rows[i].help);
    }
}

/* given[i]: the command line has row i. */
static enum mesh_options_result read_arguments(struct mesh_context *ctx,
                                               int argc, char **argv,
                                               struct mesh_options *options,
                                               int given[ROWS])
{
    struct option known[ROWS + 1];
    int found, i;

    memset(known, 0, sizeof(known));
    for (size_t r = 0; r < ROWS; r++) {
        known[r].name = rows[r].name;
        known[r].has_arg =
            rows[r].argument != NULL ? required_argument : no_argument;
    }
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", known, &i)) != -1) {
        if (found != 0) {
            mesh_raise(ctx, MESH_R_USAGE, "%s: %s (--help lists them)",
                       argv[optind - 1],
                       found == ':' ? "the option needs an argument"
                                    : "no such option");
            return MESH_OPTIONS_BAD;
        }
        if (rows[i].set == NULL) {
            if (strcmp(rows[i].name, "help") == 0)
                print_help();
            else
                puts("mesh-keyd " MESH_VERSION);
            return MESH_OPTIONS_DONE;
        }
        if (!rows[i].set(ctx, options, &rows[i], optarg))
            return MESH_OPTIONS_BAD;
        given[i] = 1;
    }
    if (optind < argc) {
        mesh_raise(ctx, MESH_R_USAGE, "%s: mesh-keyd takes options alone",
                   argv[optind]);
        return MESH_OPTIONS_BAD;
    }
    return MESH_OPTIONS_RUN;
}

static int apply(struct mesh_context *ctx, struct mesh_options *options,
                 const int given[ROWS], const char *path,
                 const CONF_VALUE *value)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].in_file || strcmp(rows[i].name, value->name) != 0)
            continue;
        return given[i] || rows[i].set(ctx, options, &rows[i], value->value);
    }
    return mesh_raise(ctx, MESH_R_CONFIGURATION,
                      "%s: there is no setting \"%.64s\"", path, value->name);
}

/* A setting in a section of its own would be passed over. */
static int has_sections(struct mesh_context *ctx, const char *path,
                        const CONF *conf)
{
    STACK_OF(OPENSSL_CSTRING) *names = NCONF_get_section_names(conf);
    int some = 0;

    for (int i = 0; !some && i < sk_OPENSSL_CSTRING_num(names); i++) {
        const char *name = sk_OPENSSL_CSTRING_value(names, i);

        some = strcmp(name, "default") != 0;
        if (some)
            mesh_raise(ctx, MESH_R_CONFIGURATION,
                       "%s: there are no sections, but one is [%.64s]", path,
                       name);
    }
    sk_OPENSSL_CSTRING_free(names);
    return some;
}

static int read_config(struct mesh_context *ctx, struct mesh_options *options,
                       const int given[ROWS], const char *path)
{
    unsigned char *text = NULL;
    STACK_OF(CONF_VALUE) * values;
    CONF *conf = NCONF_new_ex(ctx->libctx, NULL);
    BIO *bio = NULL;
    size_t len;
    long line = 0;
    int ok = 0;

    if (!mesh_layout_read_file(ctx, path, CONFIG_MAX, &text, &len))
        goto end;
    bio = BIO_new_mem_buf(text, (int)len);
    if (conf == NULL || bio == NULL) {
        mesh_raise(ctx, MESH_R_MEMORY, "out of memory");
        goto end;
    }
    if (NCONF_load_bio(conf, bio, &line) <= 0) {
        mesh_raise(ctx, MESH_R_CONFIGURATION, "%s, line %ld: %s", path, line,
                   ERR_reason_error_string(ERR_peek_last_error()));
        goto end;
    }
    if (has_sections(ctx, path, conf))
        goto end;
    values = NCONF_get_section(conf, "default");
    ok = 1;
    for (int i = 0; ok && i < sk_CONF_VALUE_num(values); i++)
        ok = apply(ctx, options, given, path, sk_CONF_VALUE_value(values, i));
end:
    ERR_clear_error();
    NCONF_free(conf);
    BIO_free(bio);
    OPENSSL_free(text);
    return ok;
}

enum mesh_options_result mesh_options_read(struct mesh_context *ctx, int argc,
                                           char **argv,
                                           struct mesh_options *options)
{
    int given[ROWS] = {0}, ok = 1;
    const char *home = secure_getenv("HOME");
    char path[4096];
    enum mesh_options_result result;

    *options = (struct mesh_options){
        .ready_fd = -1,
        .group = (gid_t)-1,
        .idle_timeout = 600,
        .key_timeout = 3600,
        .max_connections = 256,
    };
    result = read_arguments(ctx, argc, argv, options, given);
    if (result != MESH_OPTIONS_RUN)
        return result;
    if (options->config != NULL)
        ok = read_config(ctx, options, given, options->config);
    else if (home != NULL
             && snprintf(path, sizeof(path), "%s" CONFIG_FILE, home)
                    < (int)sizeof(path)
             && access(path, F_OK) == 0)
        ok = read_config(ctx, options, given, path);
    return ok ? MESH_OPTIONS_RUN : MESH_OPTIONS_BAD;
}

void mesh_options_clear(struct mesh_options *options)
{
    OPENSSL_free(options->config);
    OPENSSL_free(options->log);
}
