#!/bin/sh
# publish.sh REPOSITORY SIGNING: brings indexes and signatures to what lies in the repository.
# Says "written" where that changed something; the same packages give the same index.
# An earlier run may have been ended at any point, so what there is to do is read from what lies here, by content.
# Everything is made beside its place and moved there whole, what vouches for the rest last.
set -eu
repository=$1 signing=$2
umask 022
LC_ALL=C
export LC_ALL

refuse() {
    echo "$*" >&2
    exit 1
}

# Without the lock: the agent that it starts would keep that.
ours() { gpg --homedir "$signing" --batch --yes --quiet "$@" 9>&-; }

# What InRelease says of the two indexes, or of those that will take their place.
listed() {
    for file in Packages Packages.gz; do
        printf ' %s %s %s\n' "$(sha256sum <"$file$1" | cut -d' ' -f1)" "$(stat -c %s "$file$1")" "$file"
    done
}

# Whether InRelease is signed by us and names the very indexes that lie here.
vouched_for() {
    test -e InRelease || return 1
    test -e Packages.gz || return 1
    ours --verify -o Release.new InRelease || return 1
    test "$(sed '1,/^SHA256:$/d' Release.new)" = "$(listed '')"
}

whole_debs() {
    for package in mailseal-*.deb; do
        test ! -e "$package" || dpkg-deb --fsys-tarfile "$package" >/dev/null ||
            refuse "$PWD/$package is damaged: remove it, or have it published again"
    done
}

publish_debs() {
    cd "$repository/deb"
    rm -f ./*.new
    # Ours and no others: a copy that was ended half way leaves a file with another beginning.
    rm -rf "$signing/scan"
    mkdir "$signing/scan"
    for package in mailseal-*.deb; do
        test ! -e "$package" || ln -s "$PWD/$package" "$signing/scan/"
    done
    if ! (cd "$signing/scan" && dpkg-scanpackages --multiversion .) >Packages.new; then
        whole_debs
        refuse "the packages in $PWD cannot be indexed"
    fi
    if cmp -s Packages.new Packages && vouched_for; then
        rm -f ./*.new
        return
    fi
    whole_debs
    gzip -9cn Packages.new >Packages.gz.new
    {
        printf 'Origin: mailseal\nLabel: mailseal\nSuite: stable\n'
        printf 'Architectures: %s\nDate: %s\nSHA256:\n' "$(dpkg --print-architecture)" "$(date -Ru)"
        listed .new
    } >Release.new
    ours --digest-algo SHA256 --clearsign -o InRelease.new Release.new
    rm Release.new
    sync Packages.new Packages.gz.new InRelease.new
    for file in Packages Packages.gz InRelease; do
        mv "$file.new" "$file"
    done
    echo "deb: written"
}

# Whether a package is whole, and signed by us.
signed() {
    case $(rpmkeys --dbpath "$signing/rpmdb" --checksig "$1") in
        *" signatures OK") ;;
        *) return 1 ;;
    esac
}

# What rpm says of one package.
field() { rpm --dbpath "$signing/rpmdb" -qp --qf "%{$2}" "$1"; }

# Whether what is published is what came in, with both signatures. rpm 4.8 of EL6 wants one over header and
# payload, which later ones leave out where the header has the payload's digest; it is told by its word, pgp.
published() {
    test -e "$1" || return 1
    signed "$1" || return 1
    test "$(field "$1" SIGPGP:pgpsig)" != "(none)" || return 1
    # The header, which signing leaves as it is, has the digests of all the rest.
    test "$(field "$1" SHA256HEADER)" = "$(field "$2" SHA256HEADER)"
}

sign() {
    rpmsign --define "_gpg_name $fingerprint" --define "__gpg $(command -v gpg)" --define "_gpg_path $signing" \
        --define '_gpg_digest_algo sha256' --rpmv3 --addsign "$1" >/dev/null 9>&-
}

sign_rpms() {
    rm -rf "$signing/rpmdb"
    mkdir "$signing/rpmdb"
    ours --armor --export -o "$signing/rpmdb/key.asc"
    rpmkeys --dbpath "$signing/rpmdb" --import "$signing/rpmdb/key.asc"
    fingerprint=$(ours --list-keys --with-colons | sed -n 's/^fpr:*\([^:]*\):.*/\1/p' | head -n 1)
    for incoming in "$signing"/incoming/mailseal-*.rpm; do
        test -e "$incoming" || continue
        package=${incoming##*/}
        ! published "$package" "$incoming" || continue
        rpmkeys --checksig --nosignature "$incoming" >/dev/null ||
            refuse "$incoming is damaged: remove it, or have it published again"
        cp "$incoming" "$package.new"
        sign "$package.new"
        published "$package.new" "$incoming" || refuse "$package is not as it should be once it is signed"
        chmod 644 "$package.new"
        sync "$package.new"
        mv "$package.new" "$package"
        anew=yes
    done
    # Older ones, of which nothing came in.
    for package in mailseal-*.rpm; do
        test -e "$signing/incoming/$package" || signed "$package" ||
            refuse "$PWD/$package is damaged: remove it, or have it published again"
    done
}

# Whether the index that lies here is the one that was made just now, signed by us and whole.
indexed() {
    cmp -s repodata.new/repodata/repomd.xml repodata/repomd.xml || return 1
    test -e repodata/repomd.xml.asc || return 1
    ours --verify repodata/repomd.xml.asc repodata/repomd.xml || return 1
    for file in repodata.new/repodata/*; do
        cmp -s "$file" "repodata/${file##*/}" || return 1
    done
}

publish_rpms() {
    cd "$repository/rpm"
    rm -rf ./*.new ./*.new.* repodata.new .repodata
    found= anew=
    for package in "$signing"/incoming/mailseal-*.rpm mailseal-*.rpm; do
        test ! -e "$package" || found=yes
    done
    test -n "$found" || return 0
    sign_rpms
    mkdir repodata.new
    printf '%s\n' mailseal-*.rpm >repodata.new/packages
    # The day of the newest package: with the hour of this run every run would give another index.
    createrepo_c --quiet --no-database --set-timestamp-to-revision --pkglist repodata.new/packages \
        --revision "$(stat -c %Y mailseal-*.rpm | sort -n | tail -n 1)" --outputdir repodata.new .
    if indexed; then
        # Signed anew in the second of the last time, a package has the bytes that the index names.
        test -z "$anew" || echo "rpm: written"
        rm -r repodata.new
        return
    fi
    ours --armor --detach-sign -o repodata.new/repomd.xml.asc repodata.new/repodata/repomd.xml
    mkdir -p repodata
    sync repodata.new/repodata/* repodata.new/repomd.xml.asc
    # Parts first: each is named after its content, and so in nobody's way.
    for file in repodata.new/repodata/*; do
        test "${file##*/}" = repomd.xml || mv "$file" repodata/
    done
    mv repodata.new/repodata/repomd.xml repodata/
    mv repodata.new/repomd.xml.asc repodata/
    for file in repodata/*; do
        case $file in
            repodata/repomd.xml*) ;;
            *) grep -qF "\"$file\"" repodata/repomd.xml || rm "$file" ;;
        esac
    done
    rm -r repodata.new
    echo "rpm: written"
}

exec 9>"$signing/lock"
flock -w 600 9 || refuse "somebody else has been publishing in $repository for ten minutes"
publish_debs
publish_rpms
