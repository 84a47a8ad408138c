# Runs on a mail host as root and prints what it knows of itself, one fact a line, tab-separated:
#   process PID DAEMON NAME START_TICKS PROGRAM     library PID GONE PATH     digest PID SHA256 PATH
#   listens PID PORT          service NAME PORT     version WORDS PATH        file MODE OWNER GROUP TIME PATH
#   option DAEMON NAME VALUE  cnf DAEMON LINE       report DAEMON LINE        system DISTRIBUTION VERSION
#   owner PACKAGE PATH        package NAME VERIFIED                           altered PACKAGE HOW PATH
# Plain POSIX sh and the usual tools: EL6 has no usable Python. It changes nothing.
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/cyrus/bin:/usr/lib/cyrus-imapd:/usr/libexec/cyrus-imapd
export LC_ALL PATH
tab=$(printf '\t')

echo "clock$tab$(date +%s.%N)$tab$(cut -d' ' -f1 /proc/uptime)$tab$(getconf CLK_TCK)"

# The TLS libraries that a process has mapped, one a line: ADDRESSES DEVICE:INODE PATH
libraries_of() {
    awk '(start = match($0, "/.*lib(ssl|crypto|gnutls)[.]so")) {
        path = substr($0, start)
        if (!seen[$4 $5 path]++) print $1, $4 ":" $5, path
    }' "$1/maps" 2>/dev/null
}

# The services of cyrus.conf(5) that speak TLS over TCP, one a line: NAME PORT
services_of() {
    awk '
        # What stands behind KEY=, quoted or not.
        function value(key) {
            if (!match($0, "[ \t]" key "=(\"[^\"]*\"|[^ \t\"]*)")) return ""
            found = substr($0, RSTART + length(key) + 2, RLENGTH - length(key) - 2)
            gsub("\"", "", found)
            return found
        }
        /^[ \t]*#/ { next }
        /^[ \t]*SERVICES/ { inside = 1; next }
        /}/ { inside = 0 }
        inside {
            split(value("cmd"), word, " ")
            sub(".*/", "", word[1])
            listen = value("listen")
            if (word[1] !~ "^(imapd|pop3d|lmtpd|timsieved|nntpd|httpd|sync_server|mupdate|proxyd)$") next
            if (listen == "" || listen ~ "^/" || value("proto") ~ "^udp") next
            sub(".*:", "", listen)
            print $1, listen
        }' "$1" 2>/dev/null | while read -r name port; do
        case $port in *[!0-9]*) port=$(getent services "$port/tcp" | awk '{ sub("/.*", "", $2); print $2 }') ;; esac
        [ -z "$port" ] || echo "$name $port"
    done
}

# The sockets that wait for connections, one a line: INODE PORT ADDRESS (as the kernel prints it)
listening() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print $10, $2 }' |
        while read -r inode where; do echo "$inode $(printf %d "0x${where#*:}") ${where%:*}"; done
}

# The ports on whose listening socket a process waits.
ports_of() {
    for inode in $(find "$1/fd" -lname 'socket:*' -printf '%l ' 2>/dev/null | tr -c '0-9 ' ' '); do
        case $waiting in *"$newline$inode "*)
            port=${waiting#*"$newline$inode "}
            echo "${port%% *}"
        esac
    done
}

# 0100007F is 127.0.0.1: the kernel prints words of four bytes, the last byte first. Whoever listens
# everywhere is spoken to on loopback.
address_of() {
    bytes=$(echo "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/g')
    case $bytes in
        00000000) echo 127.0.0.1 ;;
        00000000000000000000000000000000) echo ::1 ;;
        ????????) printf '%d.%d.%d.%d\n' $(echo "$bytes" | sed 's/../0x& /g') ;;
        *) echo "$bytes" | sed 's/..../&:/g; s/:$//' ;;
    esac
}

# Whether some process beside the master waits at a socket.
serves() {
    for fd in $(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$1\]" -printf '%h ' 2>/dev/null); do
        exe=$(readlink "${fd%/fd}/exe" 2>/dev/null) || continue
        case ${exe% (deleted)} in */master|*/cyrmaster|*/cyrus-master) ;; *) return 0 ;; esac
    done
    return 1
}

# The package that a file is from; empty if it is nobody's. Fails where there is nobody to ask.
owner_of() {
    owner= asked=1
    if command -v dpkg-query >/dev/null 2>&1; then
        # On Debian the same file may be known as /lib/x and as /usr/lib/x.
        said=$(dpkg-query -S "$1" "${1#/usr}" "/usr$1" 2>/dev/null)
        [ $? -le 1 ] && asked=0 # 2: its database cannot be read
        # What lies where another's file was diverted from is the diverter's, if it is anybody's.
        owner=$(printf '%s\n' "$said" | awk '
            /^diversion by / && $4 == "from:" { diverter = $3 }
            /^local diversion from: / { diverter = "nobody" }
            /^(local )?diversion / { next }
            sub(": /.*", "") {
                count = split($0, owner, ", ")
                for (i = 1; i <= count; i++) {
                    name = owner[i]
                    sub(":.*", "", name)
                    if (diverter == "" || name == diverter) { print owner[i]; exit }
                }
            }')
    fi
    if [ -z "$owner" ] && command -v rpm >/dev/null 2>&1; then
        said=$(rpm -qf --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' "$1" 2>&1) &&
            owner=$(printf '%s\n' "$said" | head -n 1)
        case $said in *'not owned'*) asked=0 ;; esac
    fi
    echo "$owner"
    [ -n "$owner" ] || return $asked
}

# Whether a package is as it was installed. c is configuration, d documentation, g what it does not
# bring itself; a time alone is no change.
verify() {
    said= verified=no
    if [ -n "$(dpkg-query --control-path "$1" md5sums 2>/dev/null)" ]; then
        said=$(dpkg --verify "$1" 2>/dev/null) && verified=yes
    elif rpm -q "$1" >/dev/null 2>&1; then
        said=$(rpm -V --nodeps --noscripts "$1" 2>/dev/null) && verified=yes
    fi
    # Where something differs rpm ends with 1, as it does where it could not look.
    case $said in *' /'*) verified=yes ;; esac
    printf '%s\n' "$said" |
        sed -n "s#^\([^ ]*\) *\([a-z]\{0,1\}\) *\(/.*\)\$#\2 altered$tab$1$tab\1$tab\3#p" |
        sed -n "/$tab\.*T\.*$tab/d; /$tab\/usr\/share\/\(doc\|man\|info\|locale\)\(\/\|\$\)/d; s/^ //p" |
        head -n 50
    echo "package$tab$1$tab$verified"
}

newline='
'
waiting=$newline$(listening)
services=$(services_of /etc/cyrus.conf)

printf '%s\n' "$services" | while read -r name port; do
    [ -n "$port" ] && echo "service$tab$name$tab$port"
done

# A service of Cyrus has no process before its first client, and then there is nothing to look at.
# So be that client: connect, say nothing, and hang up when everything has been looked at.
ports=$(printf '%s\n' "$services" | sed 's/.* //' | sort -u)
knocking=
knock() {
    for socket in $(printf '%s\n' "$waiting" | awk -v ports="$(echo $ports)" '
        BEGIN { count = split(ports, list, " "); while (count) wanted[list[count--]] = 1 }
        $2 in wanted { print $1 "/" $2 "/" $3 }'); do
        inode=${socket%%/*} address=$(address_of "${socket##*/}") port=${socket#*/}
        port=${port%/*}
        serves "$inode" && continue
        if command -v bash >/dev/null 2>&1; then
            bash -c 'exec 3<>"/dev/tcp/$0/$1" && exec sleep 20' "$address" "$port" >/dev/null 2>&1 &
        else
            sleep 20 2>/dev/null | nc "$address" "$port" >/dev/null 2>&1 &
        fi
        knocking="$knocking $!"
        for turn in 1 2 3 4 5 6 7 8 9 10; do
            serves "$inode" && break
            sleep 0.1
        done
    done
}

# A process that has just begun maps its libraries in a moment, or after two seconds on a host that
# has much to do. Cyrus' master has none.
libraries_soon() {
    for turn in 1 2 3 4 5 6 7 8 9 10; do
        libraries=$(libraries_of "$1")
        [ -n "$libraries" ] && break
        case $2 in *master) break ;; esac
        [ -n "$(cat "$1/maps" 2>/dev/null)" ] || break
        sleep 0.2
    done
}

cnf_cyrus= cnf_exim= programs= mapped= imapd= seen=' ' served=' '
look() {
    for dir in /proc/[0-9]*; do
        pid=${dir#/proc/}
        case $seen in *" $pid "*) continue ;; esac
        exe=$(readlink "$dir/exe" 2>/dev/null) || continue
        program=${exe% (deleted)}
        name=${program##*/}
        case $name in
            imapd|pop3d|lmtpd|timsieved|cyrmaster|cyrus-master) daemon=cyrus ;;
            master|nntpd|httpd|sync_server|mupdate|proxyd)
                case $exe in *cyrus*) daemon=cyrus ;; *) continue ;; esac ;;
            exim|exim4) daemon=exim ;;
            *) continue ;;
        esac
        start=$(sed 's/.*) //' "$dir/stat" 2>/dev/null | cut -d' ' -f20)
        [ -n "$start" ] || continue
        libraries_soon "$dir" "$name"
        # What ended meanwhile has no maps any more and says nothing about the living.
        [ -n "$(cat "$dir/maps" 2>/dev/null)" ] || continue
        seen="$seen$pid "
        echo "process$tab$pid$tab$daemon$tab$name$tab$start$tab$program"
        printf '%s\n' "$libraries" | while read -r addresses id path; do
            [ -n "$path" ] || continue
            real=${path% (deleted)}
            gone=no
            if [ "$real" != "$path" ] || [ ! -e "$real" ]; then gone=yes; fi
            echo "library$tab$pid$tab$gone$tab$real"
        done
        [ -n "$libraries" ] && mapped=$mapped$(printf '%s\n' "$libraries" | sed "s/^/$pid /")$newline
        programs=$programs$program$newline
        case $daemon$name in
            # Of all of them: one that ends now no longer says what it had mapped.
            cyrusimapd) imapd=$imapd$program$newline$(sed -n 's#^[^/]*\(/.*libcyrus.*\)$#\1#p' "$dir/maps" 2>/dev/null)$newline ;;
        esac
        if [ $daemon = cyrus ]; then
            for port in $(ports_of "$dir" | sort -u); do
                echo "listens$tab$pid$tab$port"
                case $name in *master) ;; *) served="$served$port " ;; esac
            done
        fi
        cnf=$(tr '\0' '\n' <"$dir/environ" 2>/dev/null | sed -n 's/^OPENSSL_CONF=//p' | head -n 1)
        [ -n "$cnf" ] && eval "cnf_$daemon=\$cnf"
    done
}

# On a host with clients a process ends and the next begins at any moment, so one that was there when
# it was knocked at may be gone when it is looked at.
for round in 1 2 3 4 5 6; do
    knock
    look
    missing=
    for port in $ports; do
        case $served in *" $port "*) ;; *) missing="$missing $port" ;; esac
    done
    [ -n "$missing" ] || break
    sleep 0.5
done

# What is mapped is read once, however many processes have it: through the map itself where the kernel
# offers that (3.3 and newer; a file that was replaced can be read there too), or by its name.
printf '%s' "$mapped" | sort -k3,3 | while read -r pid addresses id path; do
    real=${path% (deleted)}
    if [ "$id" != "$last" ] || [ -z "$sha256" ]; then
        last=$id sha256=
        for file in "/proc/$pid/map_files/$addresses" "/proc/$pid/root$path" "$path"; do
            sha256=$(sha256sum <"$file" 2>/dev/null) && break
        done
        sha256=${sha256%% *}
        case $real in
            *libcrypto*|*libgnutls*)
                words=$(grep -aom1 '\(OpenSSL\|GnuTLS\) [0-9][0-9a-z.]*' "$file" 2>/dev/null | head -n 1)
                [ -n "$words" ] && echo "version$tab$words$tab$real" ;;
        esac
    fi
    [ -n "$sha256" ] && echo "digest$tab$pid$tab$sha256$tab$real"
done

# Cyrus carries the name of the OpenSSL that it was compiled for, for its answer to ID.
printf '%s\n' "$imapd" | sort -u | while IFS= read -r file; do
    grep -aom1 'OpenSSL [0-9][^ ]* \{1,2\}[0-9]\{1,2\} [A-Z][a-z][a-z] [0-9]\{4\}' "$file" 2>/dev/null
done | sed -n "1s/^/report${tab}cyrus${tab}Compile: /p"

# Which packages the programs and libraries are from, and whether they are as these brought them.
{ printf '%s' "$programs"; printf '%s' "$mapped" | sed 's/^[^/]*//; s/ (deleted)$//'; } | sort -u | {
    known=
    while IFS= read -r path; do
        owner=$(owner_of "$path") || continue
        echo "owner$tab$owner$tab$path"
        case " $known " in *" $owner "*) ;; *) known="$known $owner" ;; esac
    done
    for package in $known; do verify "$package"; done
}

if [ -r /etc/redhat-release ]; then
    release=$(head -n 1 /etc/redhat-release)
    id=$(printf '%s\n' "$release" | sed 's/^Red Hat Enterprise.*/rhel/; s/ .*//')
    echo "system$tab$id$tab$(printf '%s\n' "$release" | sed 's/.* release \([0-9.]*\).*/\1/')"
else
    id=$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null | tr -d "\"'")
    echo "system$tab$id$tab$(sed -n 's/^VERSION_ID=//p' /etc/os-release 2>/dev/null | tr -d "\"'")"
fi

files=
if command -v cyr_info >/dev/null 2>&1; then
    {
        cyr_info version
        imapd=$(dirname "$(command -v cyr_info)")/imapd
        crypto=$(ldd "$imapd" | sed -n 's/.*libcrypto.*=> \([^ ]*\).*/\1/p')
        grep -aom1 'OpenSSL [0-9][0-9a-z.]*' "$crypto"
    } 2>/dev/null | sed "s/^/report${tab}cyrus$tab/"
    own=$(cyr_info conf 2>/dev/null)
    { cyr_info conf-all 2>/dev/null; printf '%s\n' "$own"; } | sed -n 's/^\([A-Za-z0-9_]*\): *\(.*\)$/option\tcyrus\t\1\t\2/p'
    sed -n '/^[[:space:]]*SERVICES/,/}/s/^[[:space:]]*\([A-Za-z0-9_]*\)[[:space:]].*cmd="\([^"]*\)".*$/option\tcyrus\tservice:\1\t\2/p' /etc/cyrus.conf 2>/dev/null
    files="$files /etc/imapd.conf /etc/cyrus.conf $(printf '%s\n' "$own" |
        sed -n 's/^tls_server_\(cert\|key\): *//p' | tr ',' ' ')"
fi
for exim in exim exim4; do
    command -v $exim >/dev/null 2>&1 || continue
    own=$($exim -bP tls_advertise_hosts tls_on_connect_ports auth_advertise_hosts \
        tls_require_ciphers openssl_options tls_eccurve tls_dhparam tls_dh_max_bits log_selector \
        tls_certificate tls_privatekey 2>/dev/null)
    printf '%s\n' "$own" | sed -n "s/^\([a-z_]*\) =\(.*\)$/option${tab}exim$tab\1$tab\2/p"
    config=$($exim -bP configure_file 2>/dev/null | head -n 1)
    certificates=$(printf '%s\n' "$own" |
        sed -n 's/^tls_\(certificate\|privatekey\) = //p' | tr ':' ' ')
    files="$files $config $certificates"
    # What Exim gets to see of DNSSEC, through its resolver and the C library: a signed name, which the role resolver
    # writes down where it is not this one.
    proof=$(sed -n 's/^# Proof: \([A-Za-z0-9._-]*\)$/\1/p' /etc/resolv.conf 2>/dev/null | head -n 1)
    proof=${proof:-org}
    said=$(timeout 20 $exim -be "\${lookup dnsdb{dnssec_strict,defer_never,soa=$proof}{validated}{\${lookup \
        dnsdb{defer_never,soa=$proof}{not validated}{no answer}}}}" 2>/dev/null)
    echo "option${tab}resolver$tab$proof$tab${said:-no answer}"
    $exim -C /dev/null -d -bV 2>&1 | grep -e '^Exim version [^ ]* #' -A1 -e '^Library version: ' |
        sed "s/^/report${tab}exim$tab/"
    break
done
for daemon in cyrus exim; do
    eval "cnf=\$cnf_$daemon"
    [ -n "$cnf" ] && [ -r "$cnf" ] || continue
    files="$files $cnf"
    sed "s/^/cnf$tab$daemon$tab/" "$cnf"
done
for file in $(printf '%s\n' $files | sort -u); do
    case $file in /*) stat -L -c "file$tab%a$tab%U$tab%G$tab%y$tab%n" "$file" 2>/dev/null ;; esac
done
cat /etc/rsyslog.conf /etc/rsyslog.d/*.conf /etc/syslog.conf 2>/dev/null |
    sed -n 's/[[:space:]]\{1,\}/ /g; /^[a-z*][a-z0-9,*]*\.[^ ]* [^ ]/p' |
    awk -v t="$tab" '{ print "option" t "syslog" t NR t $0 }'
[ -n "$knocking" ] && kill $knocking 2>/dev/null
exit 0
