# lock.sh: one run of make an image. Sourced by start, and by what must not meet a run or asks about it.
#
# The lock is on descriptor 8 of `start` and of every visit, so it is held until the last of them is gone, however they end.

# led: true while the make that leads a run here is alive. Sets what it wrote down of itself: owner (empty if nothing), birth, run and since.
led() {
  owner=
  { read -r owner birth run since; } 2>/dev/null <"$state/owner"
  [ -n "$owner" ] && alive "$owner" && [ "$(born "$owner")" = "$birth" ]
}

# take_lock: holds it, or says who does and fails. What a run that was killed has left alive is ended first.
take_lock() {
  command -v flock >/dev/null || { echo 'make needs the program flock (package util-linux)' >&2; return 1; }
  exec 8>>"$state/lock" || return
  if flock -n 8; then
    led
    # A run that ended well is not named there any more. Jobs have the locks of their slots, not this one.
    [ -z "$owner" ] || reap "LOGOBATCH_RUN=$run\$"
    return
  fi
  if led; then
    echo "make is running here already (pid $owner, since $since). Wait for it, or end it with: make cancel" >&2
    return 1
  fi
  [ -z "$owner" ] || reap "LOGOBATCH_RUN=$run\$"
  flock -w 15 8 || { echo "the lock $state/lock is held, and not by a run that is known here" >&2; return 1; }
}

# own_lock RUN: says who we are, until we end.
own_lock() {
  echo "$$ $(born $$) $1 $(date '+%H:%M')" >"$state/owner"
  trap ': >"$state/owner"' EXIT
}

# forget: removes all run state but the lock, which is held.
forget() {
  find "$state" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
}
