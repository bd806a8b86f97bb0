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

#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECURE_HEAP        (256 * 1024)
#define SECURE_BLOCK_MIN   32
#define COMMAND_OPTION_MAX 16
#define HELP_WIDTH         78

enum { EXIT_USAGE = 2 };

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
    if (strcasecmp(word, mesh_kind_word(*kind)) == 0)
        return 1;
    *kind = MESH_PROFILE_DEVICE;
    if (strcasecmp(word, mesh_kind_word(*kind)) == 0)
        return 1;
    *kind = MESH_PROFILE_APPLICATION;
    for (size_t i = 0; (*type = mesh_application_type(i)) != NULL; i++)
        if (strcasecmp(word, *type) == 0)
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

json_t *failure_json(const struct failure *failure)
{
    return failure->reason != MESH_R_NONE ? json_sprintf(
               "%s: %s", mesh_reason_text(failure->reason), failure->text)
                                          : NULL;
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

static int take_option(struct mesh_context *ctx,
                       const struct command_option *option, const char *value)
{
    size_t i = 0;

    if (option->flag != NULL) {
        *option->flag = 1;
        return 1;
    }
    while (i < option->repeat && option->value[i] != NULL)
        i++;
    if (option->repeat > 0 && i == option->repeat)
        return mesh_raise(ctx, MESH_R_USAGE,
                          "--%s was given more than %zu times", option->name,
                          option->repeat);
    option->value[i] = value;
    return 1;
}

enum { OPTION_END = -1, OPTION_BAD = -2 };

/* The word that getopt_long() is going to take an option from. */
static const char *next_word(int argc, char **argv)
{
    int i = optind > 0 ? optind : 1;

    while (i < argc && (argv[i][0] != '-' || argv[i][1] == '\0'))
        i++;
    return i < argc ? argv[i] : "";
}

/* "; --out is" for -out. */
static const char *with_two(const char *word, size_t len,
                            const struct option *table, char *text, size_t size)
{
    text[0] = '\0';
    for (; word[1] != '-' && table->name != NULL; table++)
        if (strlen(table->name) == len - 1
            && strncmp(table->name, word + 1, len - 1) == 0)
            snprintf(text, size, "; --%s is", table->name);
    return text;
}

/*
 * The row of the next option in table, OPTION_END, or OPTION_BAD with the error
 * raised; command is "" or the command's name and a blank.  The abbreviations
 * that getopt_long() takes are refused: they would change their meaning with
 * the next option that is added, and --passphrase is none.  So are letters in
 * one word: -home is not -h.
 */
static int next_option(struct mesh_context *ctx, const char *command, int argc,
                       char **argv, const char *shorts,
                       const struct option *table)
{
    const char *word = next_word(argc, argv);
    int row = 0, c = getopt_long(argc, argv, shorts, table, &row);
    size_t len = strcspn(word, "=");
    char meant[64];

    if (c == -1)
        return OPTION_END;
    if (c != ':' && c != '?') {
        for (; c != 0 && table[row].val != c; row++)
            continue;
        if (len == (word[1] != '-' ? 2 : 2 + strlen(table[row].name)))
            return row;
    }
    mesh_raise(ctx, MESH_R_USAGE, "option %.*s %s%s; see 'meshctl %s--help'",
               (int)(len < 100 ? len : 100), word,
               c == ':' ? "wants a value" : "is not known",
               with_two(word, len, table, meant, sizeof(meant)), command);
    return OPTION_BAD;
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
    struct option table[COMMAND_OPTION_MAX + 1] = {{0}};
    const char *command = (*argv)[0];
    char name[32];
    int row;

    for (size_t i = 0; options[i].name != NULL && i < COMMAND_OPTION_MAX; i++) {
        table[i].name = options[i].name;
        table[i].has_arg =
            options[i].flag != NULL ? no_argument : required_argument;
    }
    snprintf(name, sizeof(name), "%s ", command);
    optind = 0; /* glibc: start afresh, main() has used it */
    while ((row = next_option(ctx, name, *argc, *argv, ":", table))
           != OPTION_END)
        if (row == OPTION_BAD || !take_option(ctx, &options[row], optarg))
            return 0;
    *argc -= optind;
    *argv += optind;
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
    puts("\n  --home DIR           folder of profiles.json, instead of "
         "~/.cryptomesh\n"
         "  --keyd-socket PATH   socket of mesh-keyd\n"
         "  --keyd-path PATH     mesh-keyd itself, to start it\n"
         "  -h, --help           this, or after a command what it takes\n"
         "  -V, --version");
}

/* The algorithms that this libcrypto has, in lines. */
static void print_algorithms(struct mesh_context *ctx, const char *title,
                             unsigned uses)
{
    char list[MESH_ALGORITHM_LIST_MAX], *word, *rest = NULL;
    size_t column = HELP_WIDTH;

    mesh_algorithm_list(ctx, uses, list);
    printf("\n%s", title);
    for (word = strtok_r(list, ", ", &rest); word != NULL;
         word = strtok_r(NULL, ", ", &rest)) {
        if (column + strlen(word) + 1 > HELP_WIDTH)
            column = (size_t)printf("\n ") - 1;
        column += (size_t)printf(" %s", word);
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
    static const struct option table[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"home", required_argument, NULL, 0},
        {"keyd-socket", required_argument, NULL, 0},
        {"keyd-path", required_argument, NULL, 0},
        {NULL, 0, NULL, 0},
    };
    int row;

    opterr = 0;
    while ((row = next_option(ctx, "", argc, argv, "+:hV", table))
           != OPTION_END) {
        if (row == OPTION_BAD)
            return 0;
        if (row == 0) {
            print_help();
            return 1;
        }
        if (row == 1) {
            puts("meshctl " MESH_VERSION);
            return 1;
        }
        if (!configure(ctx, table[row].name, optarg))
            return 0;
    }
    return mesh_keystore_open(ctx)
           && run_command(ctx, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    enum mesh_reason last = MESH_R_NONE;
    struct mesh_context *ctx;
    sigset_t signals;
    int ok;

    sigprocmask(SIG_SETMASK, NULL, &signals);

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
    /* Now come those that a change kept waiting. */
    sigprocmask(SIG_SETMASK, &signals, NULL);
    if (ok)
        return success;
    return last == MESH_R_USAGE ? EXIT_USAGE : EXIT_FAILURE;
}
