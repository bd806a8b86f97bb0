/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The commands of meshctl, and what all of them use: options, errors, notes.
 */
#ifndef MESH_TOOLS_COMMAND_H
#define MESH_TOOLS_COMMAND_H

#include "platform/context.h"
#include "platform/layout.h"

#include <jansson.h>

/* Does a command; argv[0] is its name.  1, or 0: failed, and what there is to
 * say of it was raised or printed. */
typedef int command_fn(struct mesh_context *ctx, int argc, char **argv);

command_fn command_create_device, command_create_personal,
    command_create_application, command_describe, command_rollover,
    command_add_device, command_remove_device, command_remove_application,
    command_import, command_certificate, command_ssh_key, command_list,
    command_show, command_verify, command_reference, command_default,
    command_delete, command_lock, command_doctor, command_help, command_log,
    command_archive, command_repair, command_adopt, command_refresh,
    command_publish, command_csr, command_remove_account;

/* One option of a command. */
struct command_option {
    const char *name;
    const char **value; /* takes an argument, kept here (of argv) … */
    int *flag;          /* … or takes none: set to 1 */
    size_t repeat; /* value is an array: at most so many, then a NULL; 0: the
                    * last one counts */
};

/* Takes the options out of argv, which then holds the operands alone; fails
 * with MESH_R_USAGE, also if these are fewer than min or more than max. argv[0]
 * is the command's name; options ends with a row of no name. */
int command_options(struct mesh_context *ctx, int *argc, char ***argv,
                    const struct command_option *options, int min, int max);

/* Tells the user something on stderr that is neither a result nor an error. */
void command_note(const char *fmt, ...) MESH_PRINTF(1, 2);

/* The exit status of a command that succeeds, instead of 0. */
void command_set_status(int status);

/* A text as JSON, such as a path, which need not be UTF-8 as JSON must: of one
 * that is not, only ASCII is left, with '?' in the place of each other octet.
 * NULL without memory. */
json_t *command_text(const char *text);
/* Prints value, for --json. */
int command_json(struct mesh_context *ctx, const json_t *value);
/* Prints the URI of a profile or key that was made; if that cannot be written,
 * the error says that it was made all the same. */
int command_made(struct mesh_context *ctx, const char *udf);

/* The first error of a try. */
struct failure {
    enum mesh_reason reason; /* MESH_R_NONE: there was none */
    char text[MESH_ERROR_TEXT_MAX];
};
/* A copy of ctx whose first error goes to failure and is not printed. */
struct mesh_context failure_catch(const struct mesh_context *ctx,
                                  struct failure *failure);

/* Its text; NULL if there was none. */
json_t *failure_json(const struct failure *failure);

/* "device" is a kind, "web" an application type (*type "Web").  0, and nothing
 * raised, if word is neither. */
int kind_parse(const char *word, enum mesh_profile_kind *kind,
               const char **type);

#endif
