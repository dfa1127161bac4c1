# mail.sh: tells a bbatch's addresses how a batch ended. Sourced by start.

# addresses BBATCH: its sender, if it has one, and whom it tells, a line; or whom the grid file names where an image names nobody.
addresses() {
  # A tab is white space to `read`, which would skip an empty field.
  own=$({ tr '\t' '|' <.logobatch/email | grep "^$1|"; } 2>/dev/null)
  if [ -n "$own" ]; then echo "${own#*|}"; else { read -r default <"$state/email"; } 2>/dev/null && echo "|$default"; fi
}

# mail_batches: one mail for each batch that this run has worked on and whose `email` is on.
mail_batches() {
  [ -f .logobatch/email ] || [ -f "$state/email" ] || return 0
  cut -d / -f 3,4 "$state/todo" | sort | uniq -c | while read -r jobs batch; do
    grep -qx 'email=1' ".logobatch/batches/$batch" || continue
    addresses "${batch%%/*}" | while IFS='|' read -r from to; do
      bad=$(grep -c "^data/processed/$batch/" "$state/failed")
      good=$(grep -c "^data/processed/$batch/" "$state/ok")
      line="$batch: $good of $jobs jobs done$(many "$bad" ', # failed' ', # failed')"
      {
        printf '%s\nin %s\n\n' "$line" "$PWD"
        grep "^data/processed/$batch/" "$state/failed" | head -n 50
        printf '\nSent by LogoBatch at the end of make.\n'
      } | node .logobatch/runtime.mjs mail --to "$to" ${from:+--from "$from"} --subject "$line" || echo "could not send mail to $to about $batch" >&2
    done
  done
}
