/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From a name to a profile of this device, verified with its trust chain.
 */
#include "store/search.h"

#include "platform/refresh.h"
#include "store/attempt.h"
#include "store/locate.h"
#include "store/resolve.h"
#include "store/trust.h"

#include <openssl/crypto.h>
#include <string.h>

#define WHERE_MAX 256
#define BITS_FULL 140 /* of a fingerprint that is no abbreviation */

/* Words that stand for a default. */
static const struct word {
    const char *name;
    enum mesh_profile_kind kind;
    const char *application;
} words[] = {
    {"personal", MESH_PROFILE_PERSONAL, NULL},
    {"device", MESH_PROFILE_DEVICE, NULL},
    {"web", MESH_PROFILE_APPLICATION, "Web"},
    {"ssh", MESH_PROFILE_APPLICATION, "SSH"},
    {"mail", MESH_PROFILE_APPLICATION, "Mail"},
    {"network", MESH_PROFILE_APPLICATION, "Network"},
};

static const struct word *find_word(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (OPENSSL_strcasecmp(name, words[i].name) == 0)
            return &words[i];
    return NULL;
}

/* Adds to an error's text where was searched: " (in HOME)". */
static const char *where(struct mesh_search *s, char *text, size_t size)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    char *home = mesh_layout_home(&quiet);

    BIO_snprintf(text, size, home != NULL ? " (in %.200s)" : "", home);
    OPENSSL_free(home);
    return text;
}

/* Reads the profile of an entry that was asked for by its name; one that has no
 * good copy here may come from its portal. */
static int locate(struct mesh_search *s, const struct mesh_layout_entry *entry,
                  struct mesh_profile **profile)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    struct mesh_attempt attempt;

    mesh_attempt_begin(&attempt, s->ctx);
    if (mesh_locate(&attempt.ctx, s->layout, entry, MESH_LOCATE_QUICK, profile)
        || (mesh_refresh_missing(s->ctx, entry->name)
            && mesh_locate(&quiet, s->layout, entry, MESH_LOCATE_QUICK,
                           profile)))
        return 1;
    return mesh_attempt_raise(s->ctx, &attempt);
}

static int find_default(struct mesh_search *s, const struct word *word)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_default(s->layout, word->kind, word->application);
    char in[WHERE_MAX];

    if (entry == NULL)
        return mesh_raise(s->ctx, MESH_R_NO_DEFAULT,
                          "no default for \"%s\" on this device%s; meshctl "
                          "default sets it, meshctl create makes one",
                          word->name, where(s, in, sizeof(in)));
    return locate(s, entry, &s->profile);
}

static int find_account(struct mesh_search *s, const char *account)
{
    const struct mesh_layout_entry *entry =
        mesh_layout_find_account(s->layout, account);
    char in[WHERE_MAX];

    if (entry != NULL)
        return locate(s, entry, &s->profile);
    return mesh_raise(s->ctx, MESH_R_ACCOUNT,
                      "no personal profile on this device%s is registered as "
                      "\"%.100s\"; 'meshctl refresh %.100s' asks its portal",
                      where(s, in, sizeof(in)), account, account);
}

/*
 * A profile of the layout by its fingerprint: only such files are read.  An
 * application profile can call itself what it likes: it answers to a random
 * fingerprint alone, never to what may be the hash of somebody's key.
 */
static int find_profile(struct mesh_search *s, const char *name,
                        const struct mesh_udf *udf)
{
    const struct mesh_layout_entry *found = NULL;
    struct mesh_profile *profile;
    int ok, named;
    size_t i;

    for (i = 0; i < mesh_layout_count(s->layout); i++) {
        const struct mesh_layout_entry *entry = mesh_layout_entry(s->layout, i);

        if (!mesh_udf_may_equal(udf, &entry->udf)
            || (entry->kind == MESH_PROFILE_APPLICATION
                && !mesh_udf_is_random(udf)))
            continue;
        if (found != NULL)
            return mesh_raise(s->ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                              "%.64s may be %.64s or %.64s", name, found->name,
                              entry->name);
        found = entry;
    }
    if (found == NULL)
        return 1;
    if (!locate(s, found, &profile))
        return 0;
    ok = mesh_trust_name(s->ctx, profile, udf, &named);
    if (ok && named)
        s->profile = profile;
    else
        mesh_profile_free(profile);
    return ok;
}

/* Keeps a profile if the fingerprint names a key in it; else *taken is 0. */
static int take_if_named(struct mesh_search *s, struct mesh_context *attempt,
                         struct mesh_profile *profile, const char *name,
                         const struct mesh_udf *udf, int *taken)
{
    const struct mesh_profile_key *key;

    *taken = 0;
    if (mesh_profile_find_named(attempt, profile, udf, &key, 1) == 0)
        return 1;
    if (s->key == NULL) {
        s->profile = profile;
        s->key = key;
        *taken = 1;
    } else if (strcmp(s->key->udf, key->udf) != 0) {
        return mesh_raise(s->ctx, MESH_R_FINGERPRINT_AMBIGUOUS,
                          "%.64s may be key %.64s or %.64s", name, s->key->udf,
                          key->udf);
    }
    return 1;
}

/* The same for the devices in a personal profile; one is taken out of it. */
static int take_device_if_named(struct mesh_search *s,
                                struct mesh_context *attempt,
                                struct mesh_profile *personal, const char *name,
                                const struct mesh_udf *udf)
{
    size_t i = 0;
    int taken;

    while (i < personal->devices_count) {
        if (!take_if_named(s, attempt, personal->devices[i], name, udf, &taken))
            return 0;
        if (taken)
            personal->devices[i] = personal->devices[--personal->devices_count];
        else
            i++;
    }
    return 1;
}

/*
 * A key of any profile of the layout, then of the devices in the personal ones.
 * What is broken is passed over, and only named if nothing else is found.
 */
static int find_key(struct mesh_search *s, const char *name,
                    const struct mesh_udf *udf)
{
    struct mesh_profile *profile;
    struct mesh_attempt attempt;
    char in[WHERE_MAX];
    size_t i, count = mesh_layout_count(s->layout);
    int ok = 1, taken;

    mesh_attempt_begin(&attempt, s->ctx);
    for (i = 0; ok && i < 2 * count; i++) {
        const struct mesh_layout_entry *entry =
            mesh_layout_entry(s->layout, i % count);
        int in_devices = i >= count;

        if (s->key != NULL && udf->bits >= BITS_FULL)
            break;
        if ((in_devices && entry->kind != MESH_PROFILE_PERSONAL)
            || !mesh_locate(&attempt.ctx, s->layout, entry, MESH_LOCATE_QUICK,
                            &profile))
            continue;
        taken = 0;
        ok = in_devices
                 ? take_device_if_named(s, &attempt.ctx, profile, name, udf)
                 : take_if_named(s, &attempt.ctx, profile, name, udf, &taken);
        if (!taken)
            mesh_profile_free(profile);
    }
    if (!ok)
        return 0;
    if (s->key == NULL)
        return mesh_raise(
            s->ctx, MESH_R_FINGERPRINT_UNKNOWN,
            "%.64s names no profile and no key on this device%s%s%s", name,
            where(s, in, sizeof(in)),
            attempt.reason == MESH_R_NONE ? "" : "; unread: ", attempt.text);
    /* A device only in a personal profile, or another rule's name for the key
     * that is a profile's identity. */
    if (mesh_trust_is_identity(s->ctx, s->profile, s->key))
        s->key = NULL;
    return 1;
}

/* What is no word is a fingerprint, or a word with a typing error. */
static int parse_fingerprint(struct mesh_search *s, const char *name,
                             struct mesh_udf *udf)
{
    struct mesh_attempt attempt;
    char known[80] = "";
    size_t i;

    mesh_attempt_begin(&attempt, s->ctx);
    if (mesh_udf_parse(&attempt.ctx, name, udf))
        return 1;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        OPENSSL_strlcat(known, i > 0 ? ", " : "", sizeof(known));
        OPENSSL_strlcat(known, words[i].name, sizeof(known));
    }
    return mesh_raise(s->ctx, attempt.reason,
                      "%s; the words for a profile are %s", attempt.text,
                      known);
}

int mesh_search_named(struct mesh_search *s, const char *name)
{
    const struct word *word = find_word(name);
    struct mesh_udf udf;

    if (word != NULL)
        return find_default(s, word);
    if (strchr(name, '@') != NULL)
        return find_account(s, name);
    return parse_fingerprint(s, name, &udf) && find_profile(s, name, &udf)
           && (s->profile != NULL || find_key(s, name, &udf));
}

int mesh_search_all(struct mesh_search *s, struct mesh_profile ***profiles,
                    size_t *count)
{
    struct mesh_context quiet = mesh_context_quiet(s->ctx);
    size_t i, entries = mesh_layout_count(s->layout);

    *count = 0;
    *profiles = OPENSSL_zalloc((entries + 1) * sizeof(**profiles));
    if (*profiles == NULL)
        return mesh_raise(s->ctx, MESH_R_MEMORY, "reading all profiles");
    for (i = 0; i < entries; i++)
        if (mesh_locate(&quiet, s->layout, mesh_layout_entry(s->layout, i),
                        MESH_LOCATE_QUICK, &(*profiles)[*count]))
            ++*count;
    return 1;
}

int mesh_resolve_profile(struct mesh_context *ctx, const char *name,
                         struct mesh_profile **profile,
                         const struct mesh_profile_key **key)
{
    struct mesh_search s = {.ctx = ctx};
    int ok = mesh_layout_open(ctx, &s.layout) && mesh_search_named(&s, name)
             && mesh_profile_open_keys(ctx, s.profile);

    if (!ok) {
        mesh_profile_free(s.profile);
        s.profile = NULL;
        s.key = NULL;
    }
    mesh_layout_free(s.layout);
    *profile = s.profile;
    *key = s.key;
    return ok;
}

int mesh_resolve_trust(struct mesh_context *ctx, struct mesh_profile *profile)
{
    struct mesh_layout *layout;
    int ok;

    if (profile->kind != MESH_PROFILE_APPLICATION)
        return 1;
    ok = mesh_layout_open(ctx, &layout)
         && mesh_locate_trust(ctx, layout, profile);
    mesh_layout_free(layout);
    return ok;
}

void mesh_search_describe(const struct mesh_search *s,
                          const struct mesh_layout_entry *entry, char *text,
                          size_t size)
{
    struct mesh_profile *profile;
    struct mesh_attempt attempt;
    const char *about;
    size_t i;

    mesh_attempt_begin(&attempt, s->ctx);
    if (mesh_locate(&attempt.ctx, s->layout, entry, MESH_LOCATE_QUICK,
                    &profile)) {
        about = profile->description;
        BIO_snprintf(text, size, "%s, %.32s%s%s", mesh_kind_word(entry->kind),
                     profile->type, about != NULL ? ", " : "",
                     about != NULL ? about : "");
    } else {
        BIO_snprintf(text, size, "%s, unusable: %s",
                     mesh_kind_word(entry->kind), attempt.text);
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (mesh_layout_default(s->layout, words[i].kind, words[i].application)
            == entry) {
            OPENSSL_strlcat(text, ", default for mesh://", size);
            OPENSSL_strlcat(text, words[i].name, size);
        }
    mesh_text_clean(text);
    mesh_profile_free(profile);
}
