# SPDX-License-Identifier: Apache-2.0
# Completion of meshctl for bash.  What there is to complete meshctl says
# itself: --help has the commands and their options, list and show the URIs.

# The lines of the commands in the help: "  create device   make a …".
_meshctl_commands() {
    "$1" --help 2> /dev/null |
        sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p'
}

# Profiles, or with a profile already written the keys of it.
_meshctl_uris() {
    local uri=$2 profile=${2#mesh:}
    profile=${profile#//}
    case $profile in
    */*)
        "$1" show "mesh://${profile%%/*}" 2> /dev/null | awk \
            -v uri="${uri%/*}" '$1 == "key" { print uri "/" $2 }' | sort -u ;;
    *)
        "$1" list 2> /dev/null | awk '
            $3 == "default" {
                word = $1 == "application" ? tolower($4) : $1
                sub(/profile$/, "", word)
                print "mesh://" word
            }
            { print "mesh://" $2 }' ;;
    esac
}

_meshctl() {
    local program=${COMP_WORDS[0]} line cur words command="" skip=0 i
    COMPREPLY=()
    # Words as they were written: bash has cut them at each colon.
    line=${COMP_LINE:0:COMP_POINT}
    read -r -a words <<< "$line"
    case $line in
    *[[:space:]]) cur= ;;
    *)
        cur=${words[-1]}
        unset 'words[-1]' ;;
    esac
    local commands
    commands=$(_meshctl_commands "$program")
    for ((i = 1; i < ${#words[@]}; i++)); do
        case ${words[i]} in
        --home | --keyd-socket | --keyd-path) ((i++)) ;;
        -*) ;;
        *)
            skip=$i
            break ;;
        esac
    done
    if ((skip > 0)); then
        command=${words[skip]}
        ! grep -q "^$command ${words[skip + 1]:-.}\$" <<< "$commands" ||
            command+=" ${words[skip + 1]}"
    fi
    local previous=${words[-1]} choices=
    case $previous in
    --home | --keyd-socket | --keyd-path | --out | --passphrase-file | --cacert)
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return ;;
    --algorithm | --encryption-algorithm)
        choices=$("$program" $command --help 2> /dev/null |
            sed -n '/^Algorithms/,$ { /^  /p }') ;;
    --description | --portal | --role | --timeout | --subject | --name) return ;;
    *)
        case $command:$cur in
        :-*) choices="--home --keyd-socket --keyd-path --help --version" ;;
        :*) choices=$(cut -d' ' -f1 <<< "$commands" | sort -u) ;;
        *:-*)
            choices=$("$program" $command --help 2> /dev/null |
                grep -o -e '--[a-z-]*' | sort -u)" --help" ;;
        help:*) choices=${commands//$'\n'/ } ;;
        "create application:"*) choices="web ssh network mail" ;;
        list:* | lock:* | doctor:*) ;; # these take none
        default:*)
            choices="device personal web ssh network mail"
            [ "$previous" = default ] ||
                choices=$(_meshctl_uris "$program" "$cur") ;;
        *)
            if grep -q "^$command " <<< "$commands"; then
                choices=$(sed -n "s/^$command //p" <<< "$commands")
            else
                choices=$(_meshctl_uris "$program" "$cur")
                # what takes a file, too, takes any word that is one
                [[ $cur == mesh:* ]] || compopt -o default 2> /dev/null
            fi ;;
        esac ;;
    esac
    # Not compgen -W, which expands the words: a profile, and what its keys are
    # called, may be somebody else's.
    COMPREPLY=()
    read -r -d '' -a words <<< "$choices"
    for i in ${words[@]+"${words[@]}"}; do
        [[ $i != "$cur"* ]] || COMPREPLY+=("$(printf %q "$i")")
    done
    # Only what follows the last colon is replaced.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local colon=${cur%"${cur##*:}"}
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$colon"}
        done
    fi
    # after a profile comes its role
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *//* &&
        ${COMPREPLY[0]#*//} != */* ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -F _meshctl meshctl
