# results.sh: what a job that ended well has left in {out}: is it what was promised, is it harmless, what is its digest; and the record of it.
# Sourced by run. What it notes meanwhile lies beside the slot, in memory if there is such a file system.
# shellcheck disable=SC2154,SC2034 # set by run and job.sh

# results: sets $why if the result cannot be taken.
results() {
  files=0 flat=1 outcome=- notes=$LOGOBATCH_SLOTS/${held##* }
  set --
  for entry in "$stage"/out/* "$stage"/out/.[!.]* "$stage"/out/..?*; do
    if [ ! -e "$entry" ] && [ ! -L "$entry" ]; then continue; fi
    if [ -L "$entry" ] || [ ! -f "$entry" ]; then flat=; fi
    case ${entry##*/} in
      jobfile.sh | job.out | job.err | slurm.out | sge.out | .done) why="wrote an output called ${entry##*/}, a name LogoBatch uses itself"; return ;;
    esac
    files=$((files + 1))
    [ "$files" -gt 100 ] || set -- "$@" "./${entry##*/}"
  done
  [ "$files" -le 100 ] || flat=
  expect || return
  if [ "$files" -gt 0 ]; then
    harmless && small || return
    inventory "$@" || why='its results could not be read and listed (no permission, or disk full?)'
  fi
}

# expect: every declared output is there. The patterns are matched inside {out}, by the shell itself.
expect() {
  [ -n "$outputs" ] || return 0
  lines=$IFS
  IFS='
'
  for pattern in $outputs; do
    IFS=
    # shellcheck disable=SC2086 # a pattern
    set -- "$stage"/out/$pattern
    IFS=$lines
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then why="declared output $pattern is missing"; return 1; fi
  done
  IFS=$lines
}

# harmless: only files, folders and links that stay inside the result.
harmless() {
  [ -z "$flat" ] || return 0
  # What cannot be written can be neither moved nor removed later.
  find "$stage/out" -type d ! -perm -700 -exec chmod u+rwx {} \;
  odd=$(find "$stage/out" ! -type f ! -type d ! -type l | head -n 1)
  [ -z "$odd" ] || { why="left something that is neither file nor folder: ${odd##*/out/}"; return 1; }
  find "$stage/out" -type l >"$notes.links"
  while IFS= read -r link; do
    target=$(readlink "$link") below=${link#"$stage"/out/}
    inside "$below" "$target" || { why="left a link that leads outside: $below -> $target"; return 1; }
  done <"$notes.links"
}

# inside LINK TARGET: true if it stays within {out}: it climbs no higher than it lies deep, and only at its beginning, where it cannot have gone
# through another link.
inside() {
  at=$1 to=$2/
  while :; do
    case $to in
      ./*) to=${to#./} ;;
      ../*) case $at in */*) at=${at#*/} to=${to#../} ;; *) return 1 ;; esac ;;
      /* | */../*) return 1 ;;
      *) return 0 ;;
    esac
  done
}

# small: within max_output.
small() {
  [ -n "$flat" ] || files=$(find "$stage/out" ! -type d | grep -c '')
  [ "$files" -le "$max_files" ] || { why="left $files files, more than max_output allows ($max_files)"; return 1; }
  # Nobody writes more than 32 MiB in a hundredth of a second, so most jobs need not be measured.
  [ $((ended - began)) -ge $((max_bytes / 33554432)) ] || return 0
  du -sk "$stage/out" >"$notes.sum" && read -r kib _ <"$notes.sum"
  # Blocks count whole, so a result of small files may look larger than it is.
  [ "$kib" -le $((max_bytes / 1024 + files * 4 + 64)) ] || { why="left $kib KiB, more than max_output allows ($((max_bytes / 1024)) KiB)"; return 1; }
}

# inventory NAME...: a line a file, as sha256sum writes and checks them, in the order of the names; and a word that stands for it all: a digest of
# these lines, or, since most jobs leave one file and a process costs more than all the rest, that file's own digest and name.
inventory() {
  if [ -z "$flat" ]; then
    (cd "$stage/out" && find . -type f -exec sha256sum {} +) >"$notes.manifest" || return
    LC_ALL=C sort -k 2 -o "$notes.manifest" "$notes.manifest" || return
    [ ! -s "$notes.links" ] || while IFS= read -r link; do echo "link ./${link#"$stage"/out/} $(readlink "$link")"; done <"$notes.links" >>"$notes.manifest" || return
  elif [ $# = 1 ]; then
    (cd "$stage/out" && exec sha256sum "$1") >"$notes.manifest" && read -r outcome _ <"$notes.manifest" || return
    shorten
    outcome=$outcome${1#.}
    case $1 in *[!A-Za-z0-9._/-]*) ;; *) return 0 ;; esac
  else
    (cd "$stage/out" && exec sha256sum "$@") >"$notes.manifest" && LC_ALL=C sort -k 2 -o "$notes.manifest" "$notes.manifest" || return
  fi
  sha256sum <"$notes.manifest" >"$notes.sum" && read -r outcome _ <"$notes.sum" || return
  shorten
}

# shorten: half a digest is enough.
shorten() { outcome=${outcome%"${outcome#????????????????????????????????}"} && [ -n "$outcome" ]; }

# record FILE: what was computed, from what, where and when; `end` says that it is whole.
record() {
  decimal "$((LOGOBATCH_CLOCK + began))"
  set -- "$1" "$decimal"
  decimal "$((LOGOBATCH_CLOCK + ended))"
  set -- "$@" "$decimal"
  decimal "$spent"
  set -- "$1" "$meaning
outputs $outcome $files
attempt=$attempt node=$node slot=${held# } start=$2 end=$3 exit=0 cpu=$decimal"
  # Without files it is one call of the system: publish_record writes it in its place.
  if [ "$files" = 0 ]; then printf '%s\nend\n' "$2"; else echo "$2" && listing && echo end; fi >"$1"
}

# listing: the manifest; a short one without a process.
listing() {
  if [ "$files" -gt 8 ]; then cat "$notes.manifest"; else while IFS= read -r line; do echo "$line" || return; done <"$notes.manifest"; fi
}
