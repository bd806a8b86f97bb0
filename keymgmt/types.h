/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The types of keys: row(identifier, name, aliases, family), in groups by what
 * they do and by the OpenSSL that brought them.  The aliases are those of
 * libcrypto's own providers: libssl finds keys by them, too.  The family has
 * the numbers that such a key is made of.
 */
#ifndef MESH_KEYMGMT_TYPES_H
#define MESH_KEYMGMT_TYPES_H

#include <openssl/core.h>

/* Whether the libcrypto of this process is of that version or newer. */
int mesh_libcrypto_is(unsigned major, unsigned minor);

/* How many types a group has: the tables of operations begin with the newest,
 * and an older libcrypto gets the end of them. */
#define MESH_COUNT(id, name, aliases, family) +1

/* A row of such a table; properties begin with a comma. */
#define MESH_ALGORITHM(names, properties, functions, text)                     \
    {                                                                          \
        names, "provider=mesh" properties, functions, text                     \
    }
#define MESH_ALGORITHMS_END                                                    \
    {                                                                          \
        NULL, NULL, NULL, NULL                                                 \
    }

#define MESH_NIST_SIGNATURE ":2.16.840.1.101.3.4.3."
#define MESH_NIST_KEM       ":2.16.840.1.101.3.4.4."

/* clang-format off: a list, not statements */
#define MESH_TYPES_RSA(row)                                                    \
    row(rsa, "RSA", ":rsaEncryption:1.2.840.113549.1.1.1", rsa)
#define MESH_TYPES_RSA_PSS(row)                                                \
    row(rsa_pss, "RSA-PSS", ":RSASSA-PSS:1.2.840.113549.1.1.10", rsa)
#define MESH_TYPES_EC(row)                                                     \
    row(ec, "EC", ":id-ecPublicKey:1.2.840.10045.2.1", ec)
#define MESH_TYPES_EDDSA(row)                                                  \
    row(ed25519, "ED25519", ":1.3.101.112", raw)                               \
        row(ed448, "ED448", ":1.3.101.113", raw)
#define MESH_TYPES_XDH(row)                                                    \
    row(x25519, "X25519", ":1.3.101.110", raw)                                 \
        row(x448, "X448", ":1.3.101.111", raw)
/* OpenSSL 3.5 */
#define MESH_TYPES_ML_DSA(row)                                                 \
    row(ml_dsa_44, "ML-DSA-44",                                                \
        ":MLDSA44" MESH_NIST_SIGNATURE "17:id-ml-dsa-44", raw)                 \
        row(ml_dsa_65, "ML-DSA-65",                                            \
            ":MLDSA65" MESH_NIST_SIGNATURE "18:id-ml-dsa-65", raw)             \
            row(ml_dsa_87, "ML-DSA-87",                                        \
                ":MLDSA87" MESH_NIST_SIGNATURE "19:id-ml-dsa-87", raw)
#define MESH_TYPES_SLH_DSA(row)                                                \
    row(slh_dsa_sha2_128s, "SLH-DSA-SHA2-128s",                                \
        ":id-slh-dsa-sha2-128s" MESH_NIST_SIGNATURE "20",                      \
        raw) row(slh_dsa_sha2_128f, "SLH-DSA-SHA2-128f",                       \
                 ":id-slh-dsa-sha2-128f" MESH_NIST_SIGNATURE "21",             \
                 raw) row(slh_dsa_sha2_192s, "SLH-DSA-SHA2-192s",              \
                          ":id-slh-dsa-sha2-192s" MESH_NIST_SIGNATURE "22",    \
                          raw)                                                 \
        row(slh_dsa_sha2_192f, "SLH-DSA-SHA2-192f",                            \
            ":id-slh-dsa-sha2-192f" MESH_NIST_SIGNATURE "23",                  \
            raw) row(slh_dsa_sha2_256s, "SLH-DSA-SHA2-256s",                   \
                     ":id-slh-dsa-sha2-256s" MESH_NIST_SIGNATURE "24", raw)    \
            row(slh_dsa_sha2_256f, "SLH-DSA-SHA2-256f",                        \
                ":id-slh-dsa-sha2-256f" MESH_NIST_SIGNATURE "25",              \
                raw) row(slh_dsa_shake_128s, "SLH-DSA-SHAKE-128s",             \
                         ":id-slh-dsa-shake-128s" MESH_NIST_SIGNATURE "26",    \
                         raw) row(slh_dsa_shake_128f, "SLH-DSA-SHAKE-128f",    \
                                  ":id-slh-dsa-shake-128f" MESH_NIST_SIGNATURE \
                                  "27",                                        \
                                  raw)                                         \
                row(slh_dsa_shake_192s, "SLH-DSA-SHAKE-192s",                  \
                    ":id-slh-dsa-shake-192s" MESH_NIST_SIGNATURE "28", raw)    \
                    row(slh_dsa_shake_192f, "SLH-DSA-SHAKE-192f",              \
                        ":id-slh-dsa-shake-192f" MESH_NIST_SIGNATURE "29",     \
                        raw) row(slh_dsa_shake_256s, "SLH-DSA-SHAKE-256s",     \
                                 ":id-slh-dsa-shake-256s" MESH_NIST_SIGNATURE  \
                                 "30",                                         \
                                 raw)                                          \
                        row(slh_dsa_shake_256f, "SLH-DSA-SHAKE-256f",          \
                            ":id-slh-dsa-shake-256f" MESH_NIST_SIGNATURE "31", \
                            raw)
#define MESH_TYPES_ML_KEM(row)                                                 \
    row(ml_kem_512, "ML-KEM-512",                                              \
        ":MLKEM512:id-alg-ml-kem-512" MESH_NIST_KEM "1", raw)                  \
        row(ml_kem_768, "ML-KEM-768",                                          \
            ":MLKEM768:id-alg-ml-kem-768" MESH_NIST_KEM "2", raw)              \
            row(ml_kem_1024, "ML-KEM-1024",                                    \
                ":MLKEM1024:id-alg-ml-kem-1024" MESH_NIST_KEM "3", raw)

#define MESH_TYPES_3_0(row)                                                    \
    MESH_TYPES_RSA(row)                                                        \
    MESH_TYPES_RSA_PSS(row)                                                    \
    MESH_TYPES_EC(row)                                                         \
    MESH_TYPES_EDDSA(row)                                                      \
    MESH_TYPES_XDH(row)
#define MESH_TYPES_3_5(row)                                                    \
    MESH_TYPES_ML_DSA(row)                                                     \
    MESH_TYPES_SLH_DSA(row)                                                    \
    MESH_TYPES_ML_KEM(row)
/* clang-format on */

#endif
