# SPDX-License-Identifier: Apache-2.0
foreach(script keys requests signatures messages services tls files)
    foreach(type RSA EC)
        foreach(order after before propquery)
            mesh_script_test(commands ${script} ${type} ${order})
        endforeach()
    endforeach()
endforeach()
