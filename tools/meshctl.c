/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl: options, help, errors.
 */
#include "platform/algorithm.h"
#include "platform/keystore.h"
#include "store/profile.h"
#include "store/uri.h"
#include "tools/command.h"
#include "tools/commands.h"
#include "tools/host.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECURE_HEAP      (256 * 1024)
#define SECURE_BLOCK_MIN 32
#define HELP_WIDTH       78

enum { EXIT_USAGE = 2 };

/* Options before the command: settings of openssl.cnf. */
static const struct {
    const char *name, *usage, *help;
} settings[] = {
#ifdef MESH_PLATFORM_WINDOWS
    {"home", "home KEY",
     "key of the registry, instead of SOFTWARE\\CryptoMesh"},
#else
    {"home", "home DIR", "folder of profiles.json, instead of ~/.cryptomesh"},
#endif
#ifdef MESH_PLATFORM_LINUX
    {"keyd-socket", "keyd-socket PATH", "socket of mesh-keyd"},
    {"keyd-path", "keyd-path PATH", "mesh-keyd itself, to start it"},
#elif defined(MESH_PLATFORM_WINDOWS)
    {"keystore", "keystore NAME",
     "auto, cng (new keys in software), or tpm (the TPM alone)"},
#else
    {"keystore", "keystore NAME", "auto or keychain, which is the same"},
#endif
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static int success = EXIT_SUCCESS;

void command_set_status(int status)
{
    success = status;
}

int kind_parse(const char *word, enum mesh_profile_kind *kind,
               const char **type)
{
    *type = NULL;
    *kind = MESH_PROFILE_PERSONAL;
    if (OPENSSL_strcasecmp(word, mesh_kind_word(*kind)) == 0)
        return 1;
    *kind = MESH_PROFILE_DEVICE;
    if (OPENSSL_strcasecmp(word, mesh_kind_word(*kind)) == 0)
        return 1;
    *kind = MESH_PROFILE_APPLICATION;
    for (size_t i = 0; (*type = mesh_application_type(i)) != NULL; i++)
        if (OPENSSL_strcasecmp(word, *type) == 0)
            return 1;
    return 0;
}

/* Where the key holder or the Secret Service is out of reach, a look at the
 * whole set-up helps. */
static const char *remedy(enum mesh_reason reason)
{
    if (reason == MESH_R_NO_SECRET_SERVICE)
        return "; without one: mesh-keyd(8), KEY FILES; see 'meshctl doctor'";
    return reason >= MESH_R_KEYD_START && reason <= MESH_R_NO_SECRET_SERVICE
               ? "; see 'meshctl doctor'"
               : "";
}

static void print_error(struct mesh_context *ctx, enum mesh_reason reason,
                        const char *file, int line, const char *func,
                        const char *text)
{
    char clean[sizeof(((struct failure *)0)->text)];

    (void)func;
    *(enum mesh_reason *)ctx->raise_arg = reason;
    OPENSSL_strlcpy(clean, text, sizeof(clean));
    mesh_text_clean(clean);
    fprintf(stderr, "meshctl: %s: %s%s\n", mesh_reason_text(reason), clean,
            remedy(reason));
    mesh_trace(ctx, "%s: %s (%s:%d)", mesh_reason_text(reason), text, file,
               line);
}

static void catch_error(struct mesh_context *ctx, enum mesh_reason reason,
                        const char *file, int line, const char *func,
                        const char *text)
{
    struct failure *failure = ctx->raise_arg;

    (void)func;
    mesh_trace(ctx, "%s: %s (%s:%d)", mesh_reason_text(reason), text, file,
               line);
    if (failure->reason != MESH_R_NONE)
        return;
    failure->reason = reason;
    OPENSSL_strlcpy(failure->text, text, sizeof(failure->text));
    mesh_text_clean(failure->text);
}

struct mesh_context failure_catch(const struct mesh_context *ctx,
                                  struct failure *failure)
{
    struct mesh_context copy = *ctx;

    memset(failure, 0, sizeof(*failure));
    copy.raise = catch_error;
    copy.raise_arg = failure;
    return copy;
}

json_t *command_text(const char *text)
{
    json_t *json = json_string(text);
    char *ascii;

    if (json != NULL || (ascii = OPENSSL_strdup(text)) == NULL)
        return json;
    for (char *at = ascii; *at != '\0'; at++)
        if ((*at & 0x80) != 0)
            *at = '?';
    json = json_string(ascii);
    OPENSSL_free(ascii);
    return json;
}

json_t *failure_json(const struct failure *failure)
{
    char text[MESH_ERROR_TEXT_MAX + 100];

    if (failure->reason == MESH_R_NONE)
        return NULL;
    snprintf(text, sizeof(text), "%s: %s", mesh_reason_text(failure->reason),
             failure->text);
    return command_text(text);
}

void command_note(const char *fmt, ...)
{
    va_list args;

    fputs("meshctl: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

int command_json(struct mesh_context *ctx, const json_t *value)
{
    if (json_dumpf(value, stdout, JSON_INDENT(2)) != 0)
        return mesh_raise(ctx, MESH_R_FILE_IO, "standard output");
    putchar('\n');
    return 1;
}

int command_made(struct mesh_context *ctx, const char *udf)
{
    char *uri = mesh_uri_print(ctx, udf, NULL);
    int ok = uri != NULL;

    if (ok && (puts(uri) == EOF || fflush(stdout) != 0)) {
        ok = mesh_raise(ctx, MESH_R_FILE_IO,
                        "standard output: %s; but %s was made", strerror(errno),
                        uri);
        clearerr(stdout); /* that is said */
    }
    OPENSSL_free(uri);
    return ok;
}

/* "; --out is" for -out. */
static const char *with_two(const struct command_option *options,
                            const char *word, size_t len, char *text,
                            size_t size)
{
    text[0] = '\0';
    for (; word[1] != '-' && options->name != NULL; options++)
        if (strlen(options->name) == len - 1
            && strncmp(options->name, word + 1, len - 1) == 0)
            snprintf(text, size, "; --%s is", options->name);
    return text;
}

/* The option that a word names, whole: an abbreviation would change its meaning
 * with the next option that is added, and --passphrase is none. */
static const struct command_option *
find_option(const struct command_option *options, const char *word, size_t len)
{
    char letter[] = {'-', word[1], '\0'};

    for (; options->name != NULL; options++)
        if (options->name[0] == '-'
                ? len == 2 && strcmp(options->name, letter) == 0
                : len > 2 && strncmp(word, "--", 2) == 0
                      && strlen(options->name) == len - 2
                      && strncmp(options->name, word + 2, len - 2) == 0)
            return options;
    return NULL;
}

static int keep_value(struct mesh_context *ctx,
                      const struct command_option *option, const char *value)
{
    size_t i = 0;

    while (i < option->repeat && option->value[i] != NULL)
        i++;
    if (option->repeat > 0 && i == option->repeat)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--%s was given more than %zu times", option->name,
                          option->repeat);
    option->value[i] = value;
    return 1;
}

static int is_setting(const char *word, size_t len)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (len == strlen(settings[i].name) + 2 && strncmp(word, "--", 2) == 0
            && strncmp(word + 2, settings[i].name, len - 2) == 0)
            return 1;
    return 0;
}

/*
 * Takes the option that words, which end with a NULL, begin with; how many
 * words it is, 0 with the error raised.  command is "" or the command's name
 * and a blank.
 */
static int take_option(struct mesh_context *ctx, const char *command,
                       const struct command_option *options, char **words)
{
    size_t len = strcspn(words[0], "=");
    const struct command_option *option = find_option(options, words[0], len);
    int has_value = words[0][len] == '=', wants = 0;
    const char *value = has_value ? words[0] + len + 1 : words[1];
    char meant[64];

    if (option != NULL && option->flag != NULL && !has_value) {
        *option->flag = 1;
        return 1;
    }
    wants = option != NULL && option->flag == NULL;
    if (wants && value != NULL)
        return keep_value(ctx, option, value) ? 2 - has_value : 0;
    return mesh_raise(
        ctx, MESH_R_USAGE, "option %.*s %s%s; see 'meshctl %s--help'",
        (int)(len < 100 ? len : 100), words[0],
        wants                       ? "wants a value"
        : option != NULL            ? "takes no value"
        : is_setting(words[0], len) ? "stands before the command"
                                    : "is not known",
        with_two(options, words[0], len, meant, sizeof(meant)), command);
}

/* An operand is missing: the i-th word of the command's usage. */
static int raise_missing(struct mesh_context *ctx, const char *command, int i)
{
    const char *usage = "";

    for (size_t c = 0; c < commands_count; c++)
        if (strcmp(commands[c].name, command) == 0)
            usage = commands[c].usage;
    for (; i > 0; i--)
        usage += strcspn(usage, " ") + 1;
    return mesh_raise(ctx, MESH_R_USAGE,
                      "missing argument: %.*s; see 'meshctl %s --help'",
                      (int)strcspn(usage, " \n"), usage, command);
}

int command_options(struct mesh_context *ctx, int *argc, char ***argv,
                    const struct command_option *options, int min, int max)
{
    const char *command = (*argv)[0];
    int operands = 0, taken, only_operands = 0;
    char name[32];

    snprintf(name, sizeof(name), "%s ", command);
    for (int i = 1; i < *argc; i += taken) {
        char *word = (*argv)[i];

        taken = 1;
        if (only_operands || word[0] != '-' || word[1] == '\0')
            (*argv)[operands++] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = 1;
        else if ((taken = take_option(ctx, name, options, *argv + i)) == 0)
            return 0;
    }
    *argc = operands;
    if (*argc < min)
        return raise_missing(ctx, command, *argc);
    if (*argc > max)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "unexpected argument '%.100s'; see 'meshctl %s "
                          "--help'",
                          (*argv)[max], command);
    return 1;
}

static void print_help(void)
{
    puts("usage: meshctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
         "Makes and shows Mesh profiles and the keys that the mesh provider\n"
         "of OpenSSL uses.\n");
    for (size_t i = 0; i < commands_count; i++)
        printf("  %-20s %s\n", commands[i].name, commands[i].help);
    putchar('\n');
    for (size_t i = 0; i < SETTINGS; i++)
        printf("  --%-18s %s\n", settings[i].usage, settings[i].help);
    puts("  -h, --help           this, or after a command what it takes\n"
         "  -V, --version");
}

/* The algorithms that this libcrypto has, in lines. */
static void print_algorithms(struct mesh_context *ctx, const char *title,
                             unsigned uses)
{
    char list[MESH_ALGORITHM_LIST_MAX], *word, *rest;
    size_t column = HELP_WIDTH;
    int len;

    mesh_algorithm_list(ctx, uses, list);
    printf("\n%s", title);
    for (word = list; *word != '\0'; word = rest) {
        rest = word + strcspn(word, ", ");
        rest += strspn(rest, ", ");
        len = (int)strcspn(word, ", ");
        if (column + (size_t)len + 1 > HELP_WIDTH)
            column = (size_t)printf("\n ") - 1;
        column += (size_t)printf(" %.*s", len, word);
    }
    putchar('\n');
}

static void print_command_help(const struct command *command, int again)
{
    int operands = (int)strcspn(command->usage, "\n");

    printf("%susage: meshctl %s%s%.*s\n\n%s\n%s", again ? "\n" : "",
           command->name, operands > 0 ? " " : "", operands, command->usage,
           command->help, command->usage + operands + 1);
}

/* How many words of argv are the command's name: 0 if it is another one. */
static int words_of(const struct command *command, int argc, char **argv)
{
    const char *space = strchr(command->name, ' ');
    size_t len =
        space != NULL ? (size_t)(space - command->name) : strlen(command->name);

    if (argc < 1 || strlen(argv[0]) != len
        || strncmp(argv[0], command->name, len) != 0)
        return 0;
    if (space == NULL)
        return 1;
    return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

static int wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

/* Whether argv begins with the first of a command's two words. */
static int begins(const struct command *command, int argc, char **argv)
{
    const char *space = strchr(command->name, ' ');

    return argc > 0 && space != NULL
           && strlen(argv[0]) == (size_t)(space - command->name)
           && strncmp(argv[0], command->name, strlen(argv[0])) == 0;
}

/* The command that argv begins with, or NULL. */
static const struct command *find_command(int argc, char **argv)
{
    for (size_t i = 0; i < commands_count; i++)
        if (words_of(&commands[i], argc, argv) > 0)
            return &commands[i];
    return NULL;
}

static int raise_unknown(struct mesh_context *ctx, int argc, char **argv)
{
    char more[128] = "";

    if (argc == 0)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "no command was given; see 'meshctl --help'");
    for (size_t i = 0; i < commands_count; i++)
        if (begins(&commands[i], argc, argv)) {
            OPENSSL_strlcat(more, more[0] != '\0' ? "," : "", sizeof(more));
            OPENSSL_strlcat(more, strchr(commands[i].name, ' '), sizeof(more));
        }
    if (more[0] != '\0')
        return mesh_raise(ctx, MESH_R_USAGE,
                          "%s what?%s; see 'meshctl %s --help'", argv[0], more,
                          argv[0]);
    return mesh_raise(ctx, MESH_R_USAGE,
                      "there is no command '%.100s'; see 'meshctl --help'",
                      argv[0]);
}

/* Help for the command that argv begins with, or for all of its first word. */
static int help_for(struct mesh_context *ctx, int argc, char **argv)
{
    const struct command *command = find_command(argc, argv);
    int helped = 0, makes = 0;

    for (size_t i = 0; i < commands_count; i++)
        if (command != NULL ? command == &commands[i]
                            : begins(&commands[i], argc, argv)) {
            print_command_help(&commands[i], helped++ > 0);
            makes |= strstr(commands[i].usage, "--algorithm") != NULL;
        }
    if (makes) {
        print_algorithms(ctx, "Algorithms of keys that sign:", MESH_USE_SIGN);
        print_algorithms(
            ctx, "Algorithms of keys for encryption:", MESH_USE_ENCRYPT);
#ifndef MESH_PLATFORM_LINUX
        printf("\nOf these the key store here has RSA-2048, RSA-3072, "
               "RSA-4096, P-256,\nP-384 and P-521.\n");
#endif
    }
    return helped > 0 || raise_unknown(ctx, argc, argv);
}

int command_help(struct mesh_context *ctx, int argc, char **argv)
{
    static const struct command_option options[] = {{NULL, NULL, NULL, 0}};

    if (!command_options(ctx, &argc, &argv, options, 0, 2))
        return 0;
    if (argc > 0)
        return help_for(ctx, argc, argv);
    print_help();
    return 1;
}

static int run_command(struct mesh_context *ctx, int argc, char **argv)
{
    const struct command *command = find_command(argc, argv);
    int more;

    if (wants_help(argc, argv))
        return help_for(ctx, argc, argv);
    if (command == NULL)
        return raise_unknown(ctx, argc, argv);
    more = words_of(command, argc, argv) - 1;
    argv[more] = (char *)command->name;
    return command->run(ctx, argc - more, argv + more);
}

/* A value of an option before the command. */
static int configure(struct mesh_context *ctx, const char *name,
                     const char *value)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(ctx, &failure);

    if (!mesh_context_configure(&quiet, name, value))
        return mesh_raise(ctx, MESH_R_USAGE, "option --%s", failure.text);
    ctx->config = quiet.config;
    return 1;
}

/* The options before the command, then the command. */
static int run(struct mesh_context *ctx, int argc, char **argv)
{
    const char *values[SETTINGS] = {NULL};
    int help = 0, version = 0, at = 1, taken;
    struct command_option options[SETTINGS + 5] = {
        {"help", NULL, &help, 0},
        {"-h", NULL, &help, 0},
        {"version", NULL, &version, 0},
        {"-V", NULL, &version, 0},
    };

    for (size_t i = 0; i < SETTINGS; i++) {
        options[4 + i].name = settings[i].name;
        options[4 + i].value = &values[i];
    }
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0';
         at += taken) {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if ((taken = take_option(ctx, "", options, argv + at)) == 0)
            return 0;
        if (help || version) {
            help ? print_help() : (void)puts("meshctl " MESH_VERSION);
            return 1;
        }
    }
    for (size_t i = 0; i < SETTINGS; i++)
        if (values[i] != NULL && !configure(ctx, settings[i].name, values[i]))
            return 0;
    return mesh_keystore_open(ctx) && run_command(ctx, argc - at, argv + at);
}

int main(int argc, char **argv)
{
    enum mesh_reason last = MESH_R_NONE;
    struct mesh_context *ctx;
    int ok;

    if (!host_begin(&argc, &argv)) {
        fputs("meshctl: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    /* What openssl.cnf activates would load the mesh module into its own tool.
     */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_BLOCK_MIN);
    ctx = mesh_context_new(NULL, print_error, &last);
    if (ctx == NULL) {
        fputs("meshctl: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    ok = run(ctx, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        ok = mesh_raise(ctx, MESH_R_FILE_IO, "standard output: %s",
                        strerror(errno));
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    host_end();
    if (ok)
        return success;
    return last == MESH_R_USAGE ? EXIT_USAGE : EXIT_FAILURE;
}
