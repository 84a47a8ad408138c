#!/bin/sh
# publish.sh REPOSITORY SIGNING: brings indexes and signatures to what lies in the repository.
# Says "written" where that changed something; the same packages give the same index.
set -eu
repository=$1 signing=$2
umask 022

cd "$repository/deb"
dpkg-scanpackages --multiversion . 2>/dev/null >Packages.new
if cmp -s Packages.new Packages && gpg --homedir "$signing" --batch --quiet --verify InRelease 2>/dev/null; then
    rm Packages.new
else
    mv Packages.new Packages
    gzip -9kfn Packages
    {
        printf 'Origin: mailseal\nLabel: mailseal\nSuite: stable\n'
        printf 'Architectures: %s\nDate: %s\nSHA256:\n' "$(dpkg --print-architecture)" "$(date -Ru)"
        for file in Packages Packages.gz; do
            printf ' %s %s %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
        done
    } >Release
    gpg --homedir "$signing" --batch --yes --quiet --digest-algo SHA256 --clearsign -o InRelease Release
    rm Release
    echo "deb: written"
fi

cd "$repository/rpm"
changed=
for package in "$signing"/incoming/*.rpm; do
    test -e "$package" || continue
    # Not older than what came in: signed already.
    test "${package##*/}" -nt "$package" && continue
    cp "$package" "$signing/new.rpm"
    rpmsign --define "_gpg_name $(gpg --homedir "$signing" --list-keys --with-colons | sed -n 's/^fpr:*\([^:]*\):.*/\1/p' | head -n 1)" \
        --define "__gpg $(command -v gpg)" --define "_gpg_path $signing" --define '_gpg_digest_algo sha256' \
        --addsign "$signing/new.rpm" >/dev/null
    chmod 644 "$signing/new.rpm"
    mv "$signing/new.rpm" "${package##*/}"
    touch "${package##*/}"
    changed=yes
done
if test -n "$changed"; then
    createrepo_c --quiet .
    gpg --homedir "$signing" --batch --yes --quiet --armor --detach-sign repodata/repomd.xml
    echo "rpm: written"
fi
