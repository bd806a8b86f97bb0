/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl doctor: session bus, mesh-keyd, Secret Service, key files.
 */
#include "platform/keystore.h"
#include "store/signed.h"
#include "tools/command.h"
#include "tools/doctor.h"
#include "tools/host.h"
#include "tools/owner.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whether somebody listens at a session bus's address: 1, 0 with errno, or -1:
 * it is of a kind that is not tried. */
static int try_bus(const char *address, size_t len)
{
    static const char *const kinds[] = {"unix:path=", "unix:abstract="};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd, result = -1, saved;

    for (size_t i = 0; i < 2; i++) {
        size_t skip = strlen(kinds[i]), size = len - skip;

        /* An abstract name comes after a NUL. */
        if (len <= skip || strncmp(address, kinds[i], skip) != 0
            || size + i >= sizeof(to.sun_path)
            || memchr(address, '%', len) != NULL)
            continue;
        memcpy(to.sun_path + i, address + skip, size);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result = fd >= 0
                 && connect(fd, (struct sockaddr *)&to,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path)
                                        + i + size))
                        == 0;
        saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
    }
    return result;
}

static void report_bus(struct report *report)
{
    static const char todo[] =
        "log in to a desktop session or run under dbus-run-session; key files "
        "need no bus: mesh-keyd(8), KEY FILES";
    const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char path[512];
    int len, told = address != NULL && address[0] != '\0';

    if (!told) {
        snprintf(path, sizeof(path), "unix:path=%s/bus",
                 runtime != NULL ? runtime : "");
        address = path;
    }
    len = (int)strcspn(address, ",;");
    report->bus = try_bus(address, (size_t)len);
    if (report->bus != 0)
        report_add(report, FOUND_OK, NULL, "session bus %.*s%s", len, address,
                   report->bus > 0 ? " answers" : ", which was not tried");
    else if (told)
        report_add(report, FOUND_WARNING, todo, "session bus %.*s: %s", len,
                   address, strerror(errno));
    else
        report_add(report, FOUND_WARNING, todo,
                   "no session bus: the Secret Service is out of reach");
}

static void report_service(struct report *report,
                           const struct mesh_keystore_status *status,
                           size_t key_files)
{
    int never = report->ctx->config.prompt == MESH_PROMPT_NEVER;

    if (status->no_bus && report->bus)
        report_add(report, FOUND_PROBLEM, NULL, MESH_KEYSTORE_NO_BUS,
                   status->pid);
    else if (!status->secret_service)
        report_add(report, key_files > 0 ? FOUND_WARNING : FOUND_PROBLEM,
                   report->bus ? "start gnome-keyring, KeePassXC or KWallet in "
                                 "the session; key files need none: "
                                 "mesh-keyd(8), KEY FILES"
                               : "it needs the session bus; key files do not: "
                                 "mesh-keyd(8), KEY FILES",
                   "no Secret Service answers");
    else if (status->locked)
        report_add(report, FOUND_WARNING,
                   never ? "unlock it: with prompt = never nobody is asked"
                         : "the first use of a key will ask to unlock it",
                   "the Secret Service's collection is locked");
    else
        report_add(report, FOUND_OK, NULL,
                   "Secret Service answers, its collection is unlocked");
}

static void report_holder(struct report *report,
                          const struct mesh_keystore_status *status)
{
    struct mesh_context quiet = mesh_context_quiet(report->ctx);
    const char *program = report->ctx->config.keyd_path != NULL
                              ? report->ctx->config.keyd_path
                              : MESH_KEYD_PATH;
    char *home = mesh_layout_home(&quiet);

    report_add(report, FOUND_OK, NULL, "key holder %s, process %d",
               status->program, status->pid);
    if (!host_can_execute(program))
        report_add(report, FOUND_WARNING,
                   "install it there or correct keyd-path",
                   "%s, which will be started when this one ends: %s", program,
                   strerror(errno));
    if (home != NULL && strcmp(home, status->home) != 0)
        report_add(report, FOUND_WARNING,
                   "only keys in the Secret Service are found, no key files",
                   "the key holder uses %s, meshctl uses %s", status->home,
                   home);
    OPENSSL_free(home);
}

/* Signs something with a key, without asking anybody: only that shows whether
 * the file is still there and holds this key. */
static void try_key_file(struct report *report,
                         const struct mesh_profile_key *key)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    json_t *payload = json_object(), *made;

    quiet.config.prompt = MESH_PROMPT_NEVER;
    made = mesh_signed_make(&quiet, key->udf, payload, key->public);
    if (made != NULL)
        report_add(report, FOUND_OK, NULL, "the key file of %s is usable",
                   key->udf);
    else
        report_add(report,
                   failure.reason == MESH_R_LOCKED ? FOUND_WARNING
                                                   : FOUND_PROBLEM,
                   "put the right file back, or 'meshctl delete' the key and "
                   "import it again",
                   "key file of %s: %s: %s", key->udf,
                   mesh_reason_text(failure.reason), failure.text);
    json_decref(made);
    json_decref(payload);
}

/* The key files that are registered; how many. */
static size_t report_key_files(struct report *report)
{
    struct mesh_context quiet = mesh_context_quiet(report->ctx);
    const struct mesh_profile_key *key;
    const struct mesh_profile *ignored;
    struct mesh_keystore_item *items = NULL;
    struct mesh_layout *layout = NULL;
    struct owners owners = {NULL, 0, 0};
    size_t count = 0, files = 0;

    if (!mesh_keystore_list(&quiet, &items, &count)
        || !mesh_layout_open(&quiet, &layout)
        || !owners_read(&quiet, layout, &owners))
        count = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].source, "key-file") != 0)
            continue;
        files++;
        /* One of no profile has no name to be used by. */
        if ((key = owners_find(&owners, &items[i].name, &ignored)) != NULL)
            try_key_file(report, key);
    }
    owners_clear(&owners);
    mesh_layout_free(layout);
    OPENSSL_free(items);
    return files;
}

/* What to do when the key holder does not answer as it should. */
static const char *holder_remedy(enum mesh_reason reason)
{
    switch (reason) {
    case MESH_R_TIMEOUT:
    case MESH_R_KEYD_LOST:
    case MESH_R_KEYD_BUSY:
    case MESH_R_KEYD_PROTOCOL:
        return "end it ('pgrep -x mesh-keyd' tells its process); the next use "
               "starts another one";
    case MESH_R_KEYD_FOREIGN:
        return "--keyd-socket names another socket";
    default:
        return "put that right; --keyd-path names another mesh-keyd";
    }
}

void report_keystore(struct report *report, const struct mesh_profile *device)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    struct mesh_keystore_status status = {0};

    report_bus(report);
    if (!mesh_keystore_status(&quiet, &status)) {
        report_add(report, FOUND_PROBLEM, holder_remedy(failure.reason),
                   "key holder: %s: %s", mesh_reason_text(failure.reason),
                   failure.text);
        return;
    }
    report_holder(report, &status);
    report_service(report, &status, report_key_files(report));
    if (device != NULL)
        report_keys(report, device,
                    status.secret_service
                        ? NULL
                        : "they may be in the Secret Service, which does not "
                          "answer; this device's key files need none: "
                          "mesh-keyd(8), KEY FILES");
}
