# Runs on a mail host as root and prints what it knows of itself, one fact a line, tab-separated:
#   process PID DAEMON NAME START_TICKS     library PID GONE PATH       file MODE OWNER GROUP TIME PATH
#   option DAEMON NAME VALUE                cnf DAEMON LINE             report DAEMON LINE
# Plain POSIX sh and the usual tools: EL6 has no usable Python. It changes nothing.
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/cyrus/bin:/usr/lib/cyrus-imapd:/usr/libexec/cyrus-imapd
export LC_ALL PATH
tab=$(printf '\t')

echo "clock$tab$(date +%s.%N)$tab$(cut -d' ' -f1 /proc/uptime)$tab$(getconf CLK_TCK)"

libraries_of() {
    sed -n 's#^[^/]*\(/.*lib\(ssl\|crypto\|gnutls\)\.so.*\)$#\1#p' "$1/maps" 2>/dev/null | sort -u
}

cnf_cyrus= cnf_exim=
for dir in /proc/[0-9]*; do
    exe=$(readlink "$dir/exe" 2>/dev/null) || continue
    name=${exe% (deleted)}
    name=${name##*/}
    case $name in
        imapd|pop3d|lmtpd|timsieved|cyrmaster|cyrus-master) daemon=cyrus ;;
        master) case $exe in *cyrus*) daemon=cyrus ;; *) continue ;; esac ;;
        exim|exim4) daemon=exim ;;
        *) continue ;;
    esac
    pid=${dir#/proc/}
    start=$(sed 's/.*) //' "$dir/stat" 2>/dev/null | cut -d' ' -f20)
    [ -n "$start" ] || continue
    # A process that has just begun maps its libraries in a moment; one that ended meanwhile has no
    # maps any more and says nothing about the living.
    libraries=$(libraries_of "$dir")
    [ -n "$libraries" ] || { sleep 0.2; libraries=$(libraries_of "$dir"); }
    [ -n "$(cat "$dir/maps" 2>/dev/null)" ] || continue
    echo "process$tab$pid$tab$daemon$tab$name$tab$start"
    printf '%s\n' "$libraries" | while IFS= read -r path; do
        [ -n "$path" ] || continue
        real=${path% (deleted)}
        gone=no
        if [ "$real" != "$path" ] || [ ! -e "$real" ]; then gone=yes; fi
        echo "library$tab$pid$tab$gone$tab$real"
    done
    cnf=$(tr '\0' '\n' <"$dir/environ" 2>/dev/null | sed -n 's/^OPENSSL_CONF=//p' | head -n 1)
    [ -n "$cnf" ] && eval "cnf_$daemon=\$cnf"
done

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
    $exim -C /dev/null -d -bV 2>&1 | grep -e '^Exim version' -A1 -e '^Library version: ' |
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
exit 0
