/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Keys on their way to key management.  The reference is a pointer to a
 * pointer: who takes the key clears it, and what is not taken is freed here.
 */
#include "keymgmt/hand_over.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>

int mesh_key_give(struct mesh_key *key, OSSL_CALLBACK *cb, void *cbarg)
{
    struct mesh_key *given = mesh_key_up_ref(key);
    int type = OSSL_OBJECT_PKEY, ok;
    OSSL_PARAM params[4];

    params[0] = OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                                 (char *)mesh_key_type(key), 0);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE,
                                                  &given, sizeof(given));
    params[3] = OSSL_PARAM_construct_end();
    ok = cb(params, cbarg);
    mesh_key_free(given);
    return ok;
}

struct mesh_key *mesh_key_take(const void *reference, size_t size)
{
    struct mesh_key **from, *key;

    if (size != sizeof(key))
        return NULL;
    from = *(struct mesh_key ***)&reference;
    key = *from;
    *from = NULL;
    return key;
}

int mesh_key_export_given(const void *reference, size_t size, OSSL_CALLBACK *cb,
                          void *cbarg)
{
    const struct mesh_key *key;

    if (size != sizeof(key))
        return 0;
    key = *(struct mesh_key *const *)reference;
    return key != NULL && mesh_key_kind(key) == MESH_KEY_PUBLIC
           && EVP_PKEY_export(mesh_key_public(key), EVP_PKEY_PUBLIC_KEY, cb,
                              cbarg);
}
