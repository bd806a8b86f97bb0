/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Letting meshctl ask a portal for a profile that is missing.
 */
#include "platform/refresh.h"

#include "platform/layout.h"
#include "platform/posix/launch.h"
#include "platform/posix/portable.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

/* Waits for its end, which closes the pipe. */
static void wait_for_end(struct mesh_context *ctx, int fd, const char *program)
{
    char word[1 + sizeof(int)];
    ssize_t n =
        mesh_launch_read(fd, word, sizeof(word), MESH_REFRESH_SECONDS, 0);
    int error = errno;

    if (n == (ssize_t)sizeof(word))
        memcpy(&error, word + 1, sizeof(error));
    if (n != 0)
        mesh_trace(ctx, "%s: %s", program, strerror(error));
}

int mesh_refresh_check(struct mesh_context *ctx, char **program)
{
    *program = OPENSSL_strdup(ctx->config.meshctl_path != NULL
                                  ? ctx->config.meshctl_path
                                  : MESH_MESHCTL_PATH);
    return *program != NULL
               ? mesh_launch_check(ctx, *program, "meshctl", "meshctl-path")
               : mesh_raise(ctx, MESH_R_MEMORY, "meshctl-path");
}

int mesh_refresh_missing(struct mesh_context *ctx, const char *udf)
{
    static const char *const more[] = {
        "http_proxy",     "https_proxy", "HTTPS_PROXY", "all_proxy",
        "ALL_PROXY",      "no_proxy",    "NO_PROXY",    "SSL_CERT_FILE",
        "CURL_CA_BUNDLE", NULL};
    struct mesh_context quiet = mesh_context_quiet(ctx);
    struct mesh_launch launch = {0};
    char *program = NULL, *home = NULL;
    int fd = -1, ok;

    if (ctx->config.refresh != MESH_REFRESH_ON_MISSING
        || mesh_has_foreign_rights() || !mesh_refresh_is_first(udf))
        return 0;
    ok = mesh_refresh_check(&quiet, &program)
         && (home = mesh_layout_home(&quiet)) != NULL;
    if (ok) {
        launch.program = program;
        memcpy(launch.argv,
               (char *[]){program, "--home", home, "refresh", "--timeout",
                          MESH_REFRESH_TIMEOUT, (char *)udf, NULL},
               sizeof(launch.argv));
        mesh_trace(ctx, "%s refresh %s", program, udf);
        ok = mesh_launch_start(&quiet, &launch, more, &fd);
    }
    if (ok)
        wait_for_end(ctx, fd, program);
    if (fd >= 0)
        close(fd);
    OPENSSL_free(home);
    OPENSSL_free(program);
    return ok;
}
