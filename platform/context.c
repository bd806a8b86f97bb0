/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The context: configuration, errors, traces.
 */
#include "platform/context.h"
#include "platform/system.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROMPT_TIMEOUT_DEFAULT 60
#define PROMPT_TIMEOUT_MAX     3600

static const char *const reason_texts[MESH_R_END] = {
    [MESH_R_NONE] = "no error",
    [MESH_R_MEMORY] = "out of memory",
    [MESH_R_INTERNAL] = "internal error",
    [MESH_R_USAGE] = "wrong use",
    [MESH_R_CONFIGURATION] = "wrong configuration",
    [MESH_R_URI_SYNTAX] = "malformed mesh: URI",
    [MESH_R_FINGERPRINT_SYNTAX] = "malformed fingerprint",
    [MESH_R_FINGERPRINT_TOO_SHORT] = "fingerprint too short",
    [MESH_R_FINGERPRINT_UNKNOWN] = "unknown fingerprint",
    [MESH_R_FINGERPRINT_AMBIGUOUS] = "ambiguous fingerprint",
    [MESH_R_NO_DEFAULT] = "no default profile",
    [MESH_R_NO_ROLE] = "no such key in the profile",
    [MESH_R_PROFILE_MISSING] = "profile missing",
    [MESH_R_PROFILE_MALFORMED] = "malformed profile",
    [MESH_R_PROFILE_TOO_LARGE] = "file too large",
    [MESH_R_PROFILE_KIND] = "wrong kind of profile",
    [MESH_R_PROFILE_NAME] = "profile of another name",
    [MESH_R_PROFILE_SIGNER] = "signed by the wrong key",
    [MESH_R_PROFILE_DIGEST] = "payload changed",
    [MESH_R_PROFILE_SIGNATURE] = "bad signature",
    [MESH_R_KEY_FINGERPRINT] = "key does not have its fingerprint",
    [MESH_R_LAYOUT_MALFORMED] = "malformed profiles.json",
    [MESH_R_UNSAFE_FILE] = "unsafe file",
    [MESH_R_UNSAFE_PATH] = "unsafe path",
    [MESH_R_FILE_IO] = "file error",
    [MESH_R_FILE_LOCKED] = "locked by another program",
    [MESH_R_KEYD_START] = "cannot start the key holder",
    [MESH_R_KEYD_LOST] = "lost the key holder",
    [MESH_R_KEYD_FOREIGN] = "key holder of another user",
    [MESH_R_KEYD_PROTOCOL] = "key holder protocol error",
    [MESH_R_KEYD_BUSY] = "key holder busy",
    [MESH_R_TIMEOUT] = "time limit exceeded",
    [MESH_R_NO_SECRET_SERVICE] = "no Secret Service",
    [MESH_R_LOCKED] = "key store locked",
    [MESH_R_PROMPT_DISMISSED] = "unlocking was refused",
    [MESH_R_KEY_NOT_HELD] = "private key not held by this device",
    [MESH_R_KEY_DUPLICATE] = "key found more than once",
    [MESH_R_KEY_EXISTS] = "key is there already",
    [MESH_R_KEY_MISMATCH] = "key store has another key under this name",
    [MESH_R_KEY_MALFORMED] = "malformed key",
    [MESH_R_PASSPHRASE] = "wrong or missing passphrase",
    [MESH_R_ALGORITHM] = "unknown algorithm",
    [MESH_R_OPERATION_UNSUPPORTED] = "operation not supported",
    [MESH_R_OPERATION_FAILED] = "operation failed",
    [MESH_R_BUFFER_TOO_SMALL] = "buffer too small",
    [MESH_R_NOT_EXPORTABLE] = "private key stays in its key store",
    [MESH_R_CERTIFICATE] = "wrong certificate",
    [MESH_R_ACCOUNT] = "unknown portal account",
    [MESH_R_FILE_MISSING] = "file missing",
    [MESH_R_IN_USE] = "still needed",
    [MESH_R_NO_TERMINAL] = "no terminal",
    [MESH_R_INTERRUPTED] = "interrupted",
    [MESH_R_REFERENCE_MALFORMED] = "malformed key reference",
    [MESH_R_AMBIGUOUS] = "ambiguous name",
    [MESH_R_PROFILE_OLDER] = "older than what is here",
    [MESH_R_PORTAL] = "portal",
};

const char *mesh_reason_text(enum mesh_reason reason)
{
    if ((unsigned)reason >= MESH_R_END)
        return "unknown reason";
    return reason_texts[reason];
}

struct mesh_context *mesh_context_new(OSSL_LIB_CTX *libctx,
                                      mesh_raise_fn *raise, void *raise_arg)
{
    struct mesh_context *ctx = OPENSSL_zalloc(sizeof(*ctx));

    if (ctx == NULL) {
        OSSL_LIB_CTX_free(libctx);
        return NULL;
    }
    ctx->libctx = libctx != NULL ? libctx : OSSL_LIB_CTX_new();
    ctx->raise = raise;
    ctx->raise_arg = raise_arg;
    ctx->config.prompt_timeout = PROMPT_TIMEOUT_DEFAULT;
    /* Explicitly: a library context of its own has no implicit default once
     * another provider is there, and "default" must be first. */
    if (ctx->libctx == NULL
        || (ctx->software = OSSL_PROVIDER_load(ctx->libctx, "default")) == NULL
        || !mesh_system_environment("CRYPTOMESH_HOME", &ctx->config.home)
        || !mesh_system_environment("MESH_KEYD_SOCKET",
                                    &ctx->config.keyd_socket)
        || !mesh_system_environment("MESH_PROVIDER_TRACE", &ctx->trace)) {
        mesh_context_free(ctx);
        return NULL;
    }
    return ctx;
}

void mesh_context_free(struct mesh_context *ctx)
{
    if (ctx == NULL)
        return;
    if (ctx->software != NULL)
        OSSL_PROVIDER_unload(ctx->software);
    OSSL_LIB_CTX_free(ctx->libctx);
    OPENSSL_free(ctx->config.home);
    OPENSSL_free(ctx->config.keyd_socket);
    OPENSSL_free(ctx->config.keyd_path);
    OPENSSL_free(ctx->config.meshctl_path);
    OPENSSL_free(ctx->trace);
    OPENSSL_free(ctx);
}

static int set_text(struct mesh_context *ctx, char **to, const char *name,
                    const char *value)
{
    char *copy = OPENSSL_strdup(value);

    if (copy == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "%s", name);
    OPENSSL_free(*to);
    *to = copy;
    return 1;
}

static int raise_not_absolute(struct mesh_context *ctx, const char *name,
                              const char *value)
{
    return mesh_raise(ctx, MESH_R_CONFIGURATION,
                      "%s = %.100s: an absolute path is wanted", name, value);
}

static int set_path(struct mesh_context *ctx, char **to, const char *name,
                    const char *value)
{
    return mesh_system_is_absolute(value)
               ? set_text(ctx, to, name, value)
               : raise_not_absolute(ctx, name, value);
}

static int raise_not_home(struct mesh_context *ctx, const char *name,
                          const char *value)
{
#ifdef MESH_PLATFORM_WINDOWS
    return mesh_raise(ctx, MESH_R_CONFIGURATION,
                      "%s = %.100s: a key of the registry below "
                      "HKEY_CURRENT_USER is wanted, as SOFTWARE\\CryptoMesh",
                      name, value);
#else
    return raise_not_absolute(ctx, name, value);
#endif
}

static int set_home(struct mesh_context *ctx, const char *name,
                    const char *value)
{
    return mesh_system_is_home(value)
               ? set_text(ctx, &ctx->config.home, name, value)
               : raise_not_home(ctx, name, value);
}

#ifdef MESH_PLATFORM_LINUX
static int set_keyd_socket(struct mesh_context *ctx, const char *name,
                           const char *value)
{
    return set_path(ctx, &ctx->config.keyd_socket, name, value);
}

static int set_keyd_path(struct mesh_context *ctx, const char *name,
                         const char *value)
{
    return set_path(ctx, &ctx->config.keyd_path, name, value);
}

#endif

static int set_meshctl_path(struct mesh_context *ctx, const char *name,
                            const char *value)
{
    return set_path(ctx, &ctx->config.meshctl_path, name, value);
}

static int set_prompt(struct mesh_context *ctx, const char *name,
                      const char *value)
{
    if (strcmp(value, "at-use") == 0)
        ctx->config.prompt = MESH_PROMPT_AT_USE;
    else if (strcmp(value, "never") == 0)
        ctx->config.prompt = MESH_PROMPT_NEVER;
    else
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "%s = %.100s: at-use or never is wanted", name,
                          value);
    return 1;
}

static int set_prompt_timeout(struct mesh_context *ctx, const char *name,
                              const char *value)
{
    char *end;
    unsigned long seconds;

    errno = 0;
    seconds = strtoul(value, &end, 10);
    if (errno != 0 || value[0] < '0' || value[0] > '9' || *end != '\0'
        || seconds < 1 || seconds > PROMPT_TIMEOUT_MAX)
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "%s = %.100s: a number of seconds from 1 to %d is "
                          "wanted",
                          name, value, PROMPT_TIMEOUT_MAX);
    ctx->config.prompt_timeout = (unsigned)seconds;
    return 1;
}

/* The key stores of this system.  A name of another one's is refused, so that a
 * configuration written there does not fail here by silence. */
static const char *const keystores[] = {
    "auto",
#if defined(MESH_PLATFORM_WINDOWS)
    "cng",
    "tpm",
#elif defined(MESH_PLATFORM_MACOS)
    "keychain",
#else
    "keyd",
#endif
};

static int set_keystore(struct mesh_context *ctx, const char *name,
                        const char *value)
{
    char known[64] = "";

    for (size_t i = 0; i < sizeof(keystores) / sizeof(keystores[0]); i++) {
        if (strcmp(value, keystores[i]) == 0) {
            ctx->config.keystore = i > 0 ? keystores[i] : NULL;
            return 1;
        }
        OPENSSL_strlcat(known, i > 0 ? " or " : "", sizeof(known));
        OPENSSL_strlcat(known, keystores[i], sizeof(known));
    }
    return mesh_raise(ctx, MESH_R_CONFIGURATION, "%s = %.100s: %s is wanted",
                      name, value, known);
}

static int set_refresh(struct mesh_context *ctx, const char *name,
                       const char *value)
{
    if (strcmp(value, "never") == 0)
        ctx->config.refresh = MESH_REFRESH_NEVER;
    else if (strcmp(value, "on-missing") == 0)
        ctx->config.refresh = MESH_REFRESH_ON_MISSING;
    else
        return mesh_raise(ctx, MESH_R_CONFIGURATION,
                          "%s = %.100s: never or on-missing is wanted", name,
                          value);
    return 1;
}

static const struct setting {
    const char *name;
    int (*set)(struct mesh_context *ctx, const char *name, const char *value);
} settings[] = {
    {"home", set_home},
    {"keystore", set_keystore},
#ifdef MESH_PLATFORM_LINUX
    {"keyd-socket", set_keyd_socket},
    {"keyd-path", set_keyd_path},
#endif
    {"prompt", set_prompt},
    {"prompt-timeout", set_prompt_timeout},
    {"refresh", set_refresh},
    {"meshctl-path", set_meshctl_path},
};

const char *mesh_context_setting(size_t i)
{
    return i < sizeof(settings) / sizeof(settings[0]) ? settings[i].name : NULL;
}

int mesh_context_configure(struct mesh_context *ctx, const char *name,
                           const char *value)
{
    size_t i;

    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strcmp(name, settings[i].name) == 0)
            return settings[i].set(ctx, name, value);
    return mesh_raise(ctx, MESH_R_CONFIGURATION,
                      "%.100s: no such setting of the mesh provider", name);
}

static void raise_to_trace(struct mesh_context *ctx, enum mesh_reason reason,
                           const char *file, int line, const char *func,
                           const char *text)
{
    (void)func;
    mesh_trace(ctx, "%s: %s (%s:%d)", mesh_reason_text(reason), text, file,
               line);
}

struct mesh_context mesh_context_quiet(const struct mesh_context *ctx)
{
    struct mesh_context quiet = *ctx;

    quiet.raise = raise_to_trace;
    return quiet;
}

void mesh_text_clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == '\177')
            *text = '?';
}

int mesh_raise_at(struct mesh_context *ctx, enum mesh_reason reason,
                  const char *file, int line, const char *func, const char *fmt,
                  ...)
{
    char text[MESH_ERROR_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    mesh_text_clean(text);
    ctx->raise(ctx, reason, file, line, func, text);
    return 0;
}

void mesh_trace(const struct mesh_context *ctx, const char *fmt, ...)
{
    char line[MESH_ERROR_TEXT_MAX + 64];
    unsigned milliseconds;
    struct tm now;
    va_list args;
    size_t len;
    int saved = errno;

    if (ctx->trace == NULL)
        return;
    mesh_system_now(&now, &milliseconds);
    len = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &now);
    len += (size_t)snprintf(line + len, sizeof(line) - len, ".%03uZ %ld ",
                            milliseconds, mesh_system_process());
    va_start(args, fmt);
    vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
    va_end(args);
    mesh_text_clean(line + len);
    len = strlen(line);
    line[len++] = '\n';
    mesh_system_append(ctx->trace, line, len);
    errno = saved;
}
