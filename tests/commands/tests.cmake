# SPDX-License-Identifier: Apache-2.0
set(orders after before propquery)
if(MESH_SANITIZE) # slow; with ours first most of our code is used
    set(orders before)
endif()
foreach(script keys requests signatures messages services tls files)
    foreach(type RSA EC)
        foreach(order ${orders})
            mesh_script_test(commands ${script} ${type} ${order})
        endforeach()
    endforeach()
endforeach()
