#!/bin/sh
# sign.sh make NAME             prints a new private key
# sign.sh public                prints the public half of the key on stdin
# sign.sh sign FILE...          signs packages with the key on stdin
# The key is only ever in memory here: /dev/shm, gone at the end however it ends.
set -eu
umask 077
GNUPGHOME=$(mktemp -d /dev/shm/mailseal.XXXXXX)
export GNUPGHOME LC_ALL=C.UTF-8
trap 'gpgconf --kill all >/dev/null 2>&1 || true; rm -rf "$GNUPGHOME"' EXIT
program=$(command -v gpg)
gpg() { command gpg --batch --quiet --no-tty "$@"; }
order=$1
shift
case $order in
    make)
        gpg --passphrase '' --quick-gen-key "$1" rsa3072 sign 0 2>/dev/null
        gpg --armor --export-secret-keys
        ;;
    public)
        gpg --import
        gpg --armor --export
        ;;
    sign)
        gpg --import
        key=$(gpg --with-colons --list-secret-keys | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1)
        # rpm 4.8 verifies no digest of the payload: header and payload are signed together as well.
        rpmsign --define "__gpg $program" --define "_gpg_path $GNUPGHOME" \
            --define "_gpg_name $key" --define '_signature gpg' \
            --define '_gpg_digest_algo sha256' --rpmv3 --addsign "$@"
        ;;
esac
