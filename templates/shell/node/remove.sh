# remove.sh: ends what runs in a work folder, and removes that folder and nothing else. Sourced by keeper, and sent by the runtime to a node
# where a work folder may have been left. Needs processes.sh.

# silence NAME: ends the jobs and agents of the work folder called NAME. Fails if some cannot be ended.
silence() {
  [ -n "$(holders "LOGOBATCH_AGENT=$1\$" "LOGOBATCH_JOB=$1\\.")" ] || return 0
  # Once more: an agent may have been on its way to its job.
  reap "LOGOBATCH_AGENT=$1\$" "LOGOBATCH_JOB=$1\\." && reap "LOGOBATCH_AGENT=$1\$" "LOGOBATCH_JOB=$1\\."
}

# remove_work FOLDER TOKEN: removes it if it is ours: its name is one of ours, it belongs to us, it is a folder and no link, and its marker holds TOKEN.
# True if it is not there (any more); else says in $why what is in the way. Never follows a link, never enters another file system.
remove_work() {
  why='' work=${1:?} token=${2:?}
  name=${work##*/} above=${work%/*}
  case $work in */../* | */./* | *//* | [!/]*) name= ;; esac
  case $name in *[!A-Za-z0-9.]*) name= ;; lb.??????????) ;; *) name= ;; esac
  [ -n "$name" ] && [ -n "$above" ] || { why='is not named like a work folder'; return 1; }
  [ -d "$work" ] || [ -L "$work" ] || [ -e "$work" ] || return 0
  [ ! -L "$work" ] || { why='is a link, which we have not made'; return 1; }
  [ -d "$work" ] && [ -O "$work" ] || { why='is not a folder of ours'; return 1; }
  cd "$work" && [ "$(pwd -P)" = "$(cd -P "$above" && pwd -P)/$name" ] && [ -O . ] || { cd /; why='was replaced meanwhile'; return 1; }
  if [ ! -f marker ] && [ ! -L marker ]; then
    # Interrupted while it was made, or at the very end of a removal: then there is nothing in it.
    rm -f ./marker.new ./gone
    cd / && rmdir "$work" 2>/dev/null || { cd /; why='has no marker that says that it is ours'; return 1; }
    return 0
  fi
  { read -r word _ theirs _; } 2>/dev/null <marker
  [ ! -L marker ] && [ "$word $theirs" = "logobatch $token" ] || { cd /; why='has the marker of something else'; return 1; }
  if mounted "$(pwd -P)"; then cd /; why='has another file system mounted in it'; return 1; fi
  # From here on nobody takes it over. The marker goes last, so that an interrupted removal can be told from a stranger's folder.
  : >gone
  option=--one-file-system
  rm -f $option ./gone.none 2>/dev/null || option=
  find . -xdev -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null
  # shellcheck disable=SC2086 # an option or none
  find . -mindepth 1 -maxdepth 1 ! -name marker ! -name gone -exec rm -rf $option -- {} + 2>/dev/null
  for entry in * .[!.]* ..?*; do
    case $entry in marker | gone) continue ;; esac
    [ ! -e "$entry" ] && [ ! -L "$entry" ] || { cd /; why="cannot be removed: ${entry} in it is in the way"; return 1; }
  done
  rm -f ./marker ./gone
  cd / && rmdir -- "$work" 2>/dev/null || { cd /; why='cannot be removed: is the folder above it ours to write to?'; return 1; }
}

# mounted FOLDER: true if something is mounted there or below.
mounted() {
  at=$1
  case $at in *[\\\ \	]*) at=$(printf '%s\n' "$at" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g') ;; esac
  while read -r _ _ _ _ point _; do
    case $point in "$at" | "$at"/*) return 0 ;; esac
  done </proc/self/mountinfo
  return 1
}

# strays SINCE: processes of ours that began after SINCE (ticks) and whose parent ended: they may be what a job has left that emptied its environment.
# They are somebody else's as well as ours, so they are only named: `stray`, pid and program, a line each.
strays() {
  for process in /proc/[0-9]*; do
    [ -O "$process" ] && { IFS= read -r stat <"$process/stat"; } 2>/dev/null || continue
    program=${stat#*\(}
    program=${program%)*}
    case $program in systemd | '(sd-pam)' | sshd | dbus-daemon) continue ;; esac
    # shellcheck disable=SC2086 # fields, to be split
    set -- "$1" ${stat##*) }
    case $2 in Z* | X*) continue ;; esac
    [ "$3" = 1 ] && [ "${21}" -ge "$1" ] || continue
    printf 'stray %s %s\n' "${process#/proc/}" "$program" | tr -d '\000-\011\013-\037\177'
  done
}
