# SPDX-License-Identifier: Apache-2.0
foreach(script access add_device adopt algorithms archive archive_rubbish archive_times
        bad_import certificate
        certificate_master clock completion concurrent crash create_device
        create_personal csr default delete delete_personal describe doctor
        doctor_key_files doctor_settings full_disk help home import
        import_algorithms import_in_place import_pkcs12 interrupted
        list_and_show list_keys locating locked passphrase_prompt portal
        portal_bad portal_on_missing portal_removed portal_srv read_only
        reference remove_account rollover ssh_key verify)
    mesh_script_test(tools ${script})
endforeach()
