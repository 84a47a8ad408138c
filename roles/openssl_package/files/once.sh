#!/bin/sh
# Stands in for the compiler while OpenSSL is built. Since 1.1.1 every file of its libraries is compiled
# twice in the same words, for the static library and for the shared one; the second time is a copy.
# ONCE names the compiler.
case $* in
    *" -c -o "*/lib*lib-*.o*) ;;
    *) exec "$ONCE" "$@" ;;
esac
out=${*##* -o }
out=${out%% *}
case $out in
    *-shlib-*) twin=${out%-shlib-*}-lib-${out##*-shlib-} ;;
    *-lib-*) twin=${out%-lib-*}-shlib-${out##*-lib-} ;;
    *) exec "$ONCE" "$@" ;;
esac
words=$(printf '%s' "$*" | sed 's/-shlib-/-lib-/g')
if test -e "$twin.words" && test "$(cat "$twin.words")" = "$words"; then
    exec cp "$twin" "$out"
fi
"$ONCE" "$@" || exit
printf '%s' "$words" >"$out.words.new"
mv "$out.words.new" "$out.words"
