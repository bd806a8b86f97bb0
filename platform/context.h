/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The context: library context, configuration, where errors and traces go.
 *
 * The provider makes one whose errors are the core's upcalls, meshctl one that
 * prints, mesh-keyd one that puts the reason into its answer.  Code below
 * raises and never asks who is above.
 *
 * One convention of results everywhere: int, 1 for success, 0 for failure with
 * the error raised in the context.
 */
#ifndef MESH_PLATFORM_CONTEXT_H
#define MESH_PLATFORM_CONTEXT_H

#include <openssl/types.h>
#include <stdarg.h>
#include <stddef.h>

#define MESH_VERSION "0.1.0"

/* Why something failed.  The numbers are part of mesh-keyd's protocol: append
 * only.  mesh_reason_text() has the fixed text of each. */
enum mesh_reason {
    MESH_R_NONE = 0,
    MESH_R_MEMORY,
    MESH_R_INTERNAL,
    MESH_R_USAGE, /* a value the caller may not pass */
    MESH_R_CONFIGURATION,
    MESH_R_URI_SYNTAX,
    MESH_R_FINGERPRINT_SYNTAX,
    MESH_R_FINGERPRINT_TOO_SHORT,
    MESH_R_FINGERPRINT_UNKNOWN,
    MESH_R_FINGERPRINT_AMBIGUOUS,
    MESH_R_NO_DEFAULT, /* no default profile of that kind */
    MESH_R_NO_ROLE,    /* the profile has no such key */
    MESH_R_PROFILE_MISSING,
    MESH_R_PROFILE_MALFORMED,
    MESH_R_PROFILE_TOO_LARGE,
    MESH_R_PROFILE_KIND,      /* another kind of profile than expected */
    MESH_R_PROFILE_NAME,      /* another profile than expected */
    MESH_R_PROFILE_SIGNER,    /* signed by a key that may not sign it */
    MESH_R_PROFILE_DIGEST,    /* the payload was changed */
    MESH_R_PROFILE_SIGNATURE, /* the signature does not verify */
    MESH_R_KEY_FINGERPRINT,   /* a key whose UDF is not its own */
    MESH_R_LAYOUT_MALFORMED,  /* profiles.json */
    MESH_R_UNSAFE_FILE,       /* others may write it, or it is a link */
    MESH_R_UNSAFE_PATH,       /* ".." in a path of the layout */
    MESH_R_FILE_IO,
    MESH_R_FILE_LOCKED,  /* another writer held the lock too long */
    MESH_R_KEYD_START,   /* mesh-keyd cannot be reached or started */
    MESH_R_KEYD_LOST,    /* it went away in the middle */
    MESH_R_KEYD_FOREIGN, /* the socket is another user's */
    MESH_R_KEYD_PROTOCOL,
    MESH_R_KEYD_BUSY,
    MESH_R_TIMEOUT,
    MESH_R_NO_SECRET_SERVICE,
    MESH_R_LOCKED, /* key store locked, nobody may be asked */
    MESH_R_PROMPT_DISMISSED,
    MESH_R_KEY_NOT_HELD,
    MESH_R_KEY_DUPLICATE, /* more than one item for the key */
    MESH_R_KEY_EXISTS,
    MESH_R_KEY_MISMATCH, /* the key store's key is another one */
    MESH_R_KEY_MALFORMED,
    MESH_R_PASSPHRASE,
    MESH_R_ALGORITHM,
    MESH_R_OPERATION_UNSUPPORTED,
    MESH_R_OPERATION_FAILED,
    MESH_R_BUFFER_TOO_SMALL,
    MESH_R_NOT_EXPORTABLE,
    MESH_R_CERTIFICATE,  /* of another key, or none at all */
    MESH_R_ACCOUNT,      /* no personal profile has this portal account */
    MESH_R_FILE_MISSING, /* a file that the user named */
    MESH_R_IN_USE,       /* something else depends on it */
    MESH_R_NO_TERMINAL,  /* nobody can be asked */
    MESH_R_INTERRUPTED,  /* by a signal */
    MESH_R_REFERENCE_MALFORMED, /* a key-reference file */
    MESH_R_AMBIGUOUS,           /* several keys have this name */
    MESH_R_PROFILE_OLDER,       /* than the one that is here */
    MESH_R_PORTAL,              /* it cannot be reached, or answers nonsense */
    MESH_R_END                  /* number of reasons */
};

enum mesh_refresh { MESH_REFRESH_NEVER, MESH_REFRESH_ON_MISSING };

enum mesh_prompt { MESH_PROMPT_AT_USE, MESH_PROMPT_NEVER };

/* The compiler checks a function's format like printf()'s. */
#if defined(__MINGW32__) && !defined(__clang__)
#define MESH_PRINTF(format_at, args_at)                                        \
    __attribute__((format(gnu_printf, format_at, args_at)))
#elif defined(__GNUC__)
#define MESH_PRINTF(format_at, args_at)                                        \
    __attribute__((format(printf, format_at, args_at)))
#else
#define MESH_PRINTF(format_at, args_at)
#endif

/* What openssl.cnf or the command line set.  All strings are owned by the
 * context; NULL means the default. */
struct mesh_config {
    char *home;           /* instead of ~/.cryptomesh; absolute */
    const char *keystore; /* one of several, static; NULL: whichever has it */
    char *keyd_socket;    /* absolute path */
    char *keyd_path;      /* absolute path of the program */
    enum mesh_prompt prompt;
    enum mesh_refresh refresh;
    char *meshctl_path;      /* absolute path of the program, for refresh */
    unsigned prompt_timeout; /* seconds that a caller waits for a prompt */
};

struct mesh_keystore;
struct mesh_context;

#define MESH_ERROR_TEXT_MAX 1024 /* octets of an error's text, with the NUL */

/* Takes one error: reason, where (file, line, function: static strings) and a
 * text that names what was wrong and what to do; text is the callee's only
 * during the call. */
typedef void mesh_raise_fn(struct mesh_context *ctx, enum mesh_reason reason,
                           const char *file, int line, const char *func,
                           const char *text);

/*
 * Makes a key of an algorithm (platform/algorithm.h) in the key store and
 * enters it in a profile: by default in that of this device, as an imported
 * key.  All of it or nothing.  *public and *uri, which no other key will ever
 * answer to, are the caller's.
 */
typedef int mesh_make_key_fn(struct mesh_context *ctx, const char *algorithm,
                             const char *profile, const char *role,
                             EVP_PKEY **public, char **uri);
/* Removes such a key from the key store, and from the profile that uri names.
 */
typedef int mesh_unmake_key_fn(struct mesh_context *ctx, EVP_PKEY *public,
                               const char *uri);
/* Keeps the module's provider from being freed, for ever. */
typedef void mesh_stay_fn(struct mesh_context *ctx);

/* Immutable once made, but for what keystore points to; so a copy on the stack
 * with another raise is a context too (mesh_context_quiet). */
struct mesh_context {
    OSSL_LIB_CTX *libctx;    /* our own, with the default provider */
    OSSL_PROVIDER *software; /* the default provider in it */
    struct mesh_config config;
    mesh_raise_fn *raise;
    void *raise_arg;                /* for raise alone */
    char *trace;                    /* path of the trace file; NULL: none */
    struct mesh_keystore *keystore; /* made by mesh_keystore_open() */
    struct mesh_layout_kept *kept;  /* made by mesh_layout_keep(), or NULL */
    /* of store/, for keymgmt/ below it; set by the roof */
    mesh_make_key_fn *make_key;
    mesh_unmake_key_fn *unmake_key;
    mesh_stay_fn *stay; /* of the roof; NULL where there is no core */
};

/*
 * Makes a context: library context with the default provider, defaults for the
 * configuration, CRYPTOMESH_HOME, MESH_KEYD_SOCKET and MESH_PROVIDER_TRACE from
 * the environment.  libctx is taken over; NULL makes one.
 * Opens nothing.  NULL only when memory is short.
 */
struct mesh_context *mesh_context_new(OSSL_LIB_CTX *libctx,
                                      mesh_raise_fn *raise, void *raise_arg);
/* Frees ctx with all it owns; NULL is allowed.  The key store is closed by
 * whoever opened it, before. */
void mesh_context_free(struct mesh_context *ctx);

/* Sets one configuration value by its name in openssl.cnf (home, keystore,
 * keyd-socket, keyd-path, prompt, prompt-timeout, refresh, meshctl-path). Fails
 * with MESH_R_CONFIGURATION for an unknown name or a value that does not fit.
 */
int mesh_context_configure(struct mesh_context *ctx, const char *name,
                           const char *value);

/* The name of the i-th setting, NULL past the end. */
const char *mesh_context_setting(size_t i);

/* A copy of ctx for speculative work: its errors become trace lines. */
struct mesh_context mesh_context_quiet(const struct mesh_context *ctx);

/* The fixed text of a reason, never NULL. */
const char *mesh_reason_text(enum mesh_reason reason);

/* Raises an error in ctx and is 0, so that a function can return it.  The text
 * repeats the part of the input that was wrong, never a secret. */
#define mesh_raise(ctx, reason, ...)                                           \
    mesh_raise_at(ctx, reason, __FILE__, __LINE__, __func__, __VA_ARGS__)
int mesh_raise_at(struct mesh_context *ctx, enum mesh_reason reason,
                  const char *file, int line, const char *func, const char *fmt,
                  ...) MESH_PRINTF(6, 7);

/* Makes text that repeats a file or a URI harmless for terminals and logs: '?'
 * for control characters. */
void mesh_text_clean(char *text);

/* Appends a line to the trace, if there is one: time, pid and the text.  The
 * file is opened for each line: no descriptor of ours stays in the process. */
void mesh_trace(const struct mesh_context *ctx, const char *fmt, ...)
    MESH_PRINTF(2, 3);

#endif
