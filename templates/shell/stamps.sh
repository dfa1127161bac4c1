# stamps.sh: what make cannot see by itself. Sourced by start.
#
# make compares times, and a folder's time says little. So each shared folder, and each job that has files of its own, has a stamp that holds a
# digest of the contents, and is rewritten only when that changed. A look at names, sizes and times (stamps/<name>.seen) spares reading
# the contents again. In a dry run nothing is written: what would change is listed in $lists/fresh, for make to take as new.

# What programs and editors leave in a folder of code is not a change of the code.
junk='( -name __pycache__ -o -name .git -o -name .ipynb_checkpoints -o -name .DS_Store -o -name *~ -o -name .*.swp )'

# look FOLDER: a fingerprint of names, kinds, sizes and times.
look() {
  # shellcheck disable=SC2086 # an expression of find
  (set -f; find -H "$1" $junk -prune -o -printf '%y %m %s %T@ %C@ %i %l %p\0') 2>/dev/null | LC_ALL=C sort -z | cksum
}

# digest FOLDER: of names, contents, links and the right to execute; not of times, owners or empty folders.
digest() {
  # shellcheck disable=SC2086
  (
    set -f
    find -H "$1" $junk -prune -o \( -type f -perm -u+x -printf 'x %p\0' -o -type l -printf 'l %p %l\0' \) | LC_ALL=C sort -z
    find -H "$1" $junk -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum --
  ) | sha256sum | cut -c 1-32
}

# changed_sources: sets $changed to what the image was compiled from and what has changed since; a look at times spares reading it.
changed_sources() {
  changed=
  [ -f .logobatch/sources ] || return 0
  set -- .logobatch/sources batch_info
  while IFS= read -r line; do set -- "$@" "${line#*  }"; done <.logobatch/sources
  [ ! -e "$state/sources" ] || [ -n "$(find -L "$@" -maxdepth 0 -newer "$state/sources" 2>&1)" ] || return 0
  [ -n "$dry" ] || : >"$state/sources.new"
  changed=$(LC_ALL=C sha256sum -c .logobatch/sources 2>/dev/null | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
  for file in batch_info/*.yml batch_info/*.yaml; do
    [ ! -f "$file" ] || grep -qF "  $file" .logobatch/sources || changed="$changed$file "
  done
  [ -n "$changed$dry" ] || mv -f "$state/sources.new" "$state/sources"
}

# tell_sources: says so.
tell_sources() {
  changed_sources
  [ -z "$changed" ] || echo "note    changed since the last compile: ${changed}(logobatch compile takes it up)" >&2
}

# stamp_folders: brings the stamps of the shared folders up to date; sets LOGOBATCH_DIGESTS to "name=digest …".
stamp_folders() {
  LOGOBATCH_DIGESTS=
  while IFS='	' read -r name folder; do
    stamp=$state/stamps/$name
    seen=$(look "./$folder")
    { IFS= read -r before <"$stamp.seen"; } 2>/dev/null || before=
    { IFS= read -r sum <"$stamp"; } 2>/dev/null || sum=
    if [ "$seen" != "$before" ] || [ -z "$sum" ]; then
      old=$sum
      sum=$(digest "./$folder")
      if [ "$sum" != "$old" ]; then
        if [ "$dry" ]; then echo "$stamp" >>"$lists/fresh"; else echo "$sum" >"$stamp.new" && mv -f "$stamp.new" "$stamp" || return; fi
      fi
      [ "$dry" ] || echo "$seen" >"$stamp.seen"
    fi
    LOGOBATCH_DIGESTS="$LOGOBATCH_DIGESTS $name=$sum"
  done <.logobatch/shared
  export LOGOBATCH_DIGESTS
}

# stamp_files: the same for jobs' own files. files.seen: path, what stat says, digest; files.now: job, digests of its files, their paths. A job's
# stamp has a line more for each of them: what marks that path with that content, and the path.
stamp_files() {
  [ -d .logobatch/files ] || { : >"$lists/files.now"; return 0; }
  find .logobatch/files -type f | LC_ALL=C sort | while IFS= read -r file; do
    awk -F '\t' -v OFS='\t' -v batch="${file#.logobatch/files/}" '{ $1 = batch "/" $1; print }' "$file"
  done >"$lists/files.all"
  cut -f 2- "$lists/files.all" | tr '\t' '\n' | LC_ALL=C sort -u >"$lists/files.paths"
  xargs -d '\n' -r stat -L --printf '%n\t%F %a %s %.Y %.Z %i\n' -- <"$lists/files.paths" >"$lists/files.stat" 2>/dev/null
  # Only what looks different is read; a folder is always read.
  awk -F '\t' -v seen="$state/files.seen" '
    BEGIN { while ((getline line < seen) > 0) { split(line, f, "\t"); before[f[1]] = f[2] } }
    $2 ~ /^directory/ || before[$1] != $2 { print $1 }' "$lists/files.stat" >"$lists/files.changed"
  while IFS= read -r path; do
    if [ -d "$path" ]; then printf '%s  %s\n' "$(digest "./$path")" "$path"; fi
  done <"$lists/files.changed" >"$lists/files.sums"
  while IFS= read -r path; do [ -d "$path" ] || printf '%s\n' "$path"; done <"$lists/files.changed" |
    xargs -d '\n' -r sha256sum -z -- 2>/dev/null | tr '\0' '\n' >>"$lists/files.sums"
  awk -F '\t' -v OFS='\t' -v seen="$state/files.seen" -v sums="$lists/files.sums" '
    BEGIN {
      while ((getline line < seen) > 0) { split(line, f, "\t"); digest[f[1]] = f[3] }
      while ((getline line < sums) > 0) { at = index(line, "  "); digest[substr(line, at + 2)] = substr(line, 1, 32) }
    }
    { print $1, $2, digest[$1] }' "$lists/files.stat" >"$lists/files.seen.new"
  awk -F '\t' -v OFS='\t' -v seen="$lists/files.seen.new" -v last="$state/files.now" -v changed="$lists/files.stale" '
    BEGIN {
      while ((getline line < seen) > 0) { split(line, f, "\t"); digest[f[1]] = f[3] }
      while ((getline line < last) > 0) was[line] = 1
      printf "" > changed
    }
    {
      sum = paths = ""
      for (i = 2; i <= NF; i++) {
        sum = sum (i > 2 ? "+" : "") ($i in digest ? digest[$i] : "missing")
        paths = paths OFS $i
      }
      line = $1 OFS (sum == "" ? "-" : sum) paths
      print line
      if (!(line in was)) print line > changed
    }' "$lists/files.all" >"$lists/files.now.new"
  if [ "$dry" ]; then
    mv "$lists/files.now.new" "$lists/files.now"
    while IFS='	' read -r job _; do echo "$state/files/$job"; done <"$lists/files.stale" >>"$lists/fresh"
    return
  fi
  cut -f 1 "$lists/files.stale" | sed "s|^|$state/files/|; s|/[^/]*\$||" | sort -u | xargs -r mkdir -p
  awk -F '\t' -v OFS='\t' -v to="$state/files/" -v seen="$lists/files.seen.new" '
    BEGIN { while ((getline line < seen) > 0) { split(line, f, "\t"); digest[f[1]] = f[3] } }
    {
      print $2 > (to $1)
      for (i = 3; i <= NF; i++) if ($i in digest) {
        name = $i
        gsub(/[^A-Za-z0-9._-]/, "_", name)
        print "file." substr(name, length(name) > 150 ? length(name) - 150 : 1) "." digest[$i], $i > (to $1)
      }
      close(to $1)
    }' "$lists/files.stale" || return
  mv -f "$lists/files.now.new" "$state/files.now" && mv -f "$lists/files.seen.new" "$state/files.seen"
}
