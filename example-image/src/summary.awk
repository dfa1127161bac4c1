# Gathers the fires of a sweep: means over the seeds, one line a density, in the sweep's order.
#
#   awk -f src/root.awk -f src/summary.awk batch_info/sweep.csv data/processed/bbatch_1/fire/Job*[0-9]/burned.csv
#
#   density,fires,share,share_error,reached,steps,steps_error
#
# An error is the standard error of the mean. Only results of rows that stand in the sweep count, each once: the folder
# of a row that was taken out stays until `make clean STALE=1`. A row without a result is an error.

BEGIN { FS = "," }

{ sub(/\r$/, "") }
FNR == 1 { next }

NR == FNR {
  if (($1, $2) in wanted) next
  wanted[$1, $2] = 1
  row++
  density_of[row] = $1
  seed_of[row] = $2
  next
}

($1, $2) in wanted {
  share[$1, $2] = $5
  reached[$1, $2] = $6
  steps[$1, $2] = $7
}

# Summed up in the sweep's order and not in the files' order: the last digit of a sum of doubles depends on it.
END {
  for (at = 1; at <= row; at++) {
    density = density_of[at]
    key = density SUBSEP seed_of[at]
    if (!(key in share)) {
      print "summary.awk: no result for density " density ", seed " seed_of[at] > "/dev/stderr"
      missing++
      continue
    }
    if (!(density in fires)) order[++densities] = density
    fires[density]++
    shares[density] += share[key]
    shares2[density] += share[key] * share[key]
    through[density] += reached[key]
    duration[density] += steps[key]
    duration2[density] += steps[key] * steps[key]
  }
  if (missing) exit 1
  print "density,fires,share,share_error,reached,steps,steps_error"
  for (at = 1; at <= densities; at++) {
    density = order[at]
    n = fires[density]
    printf "%s,%d,%.6f,%.6f,%.6f,%.3f,%.3f\n", density, n, \
      shares[density] / n, error(shares[density], shares2[density], n), \
      through[density] / n, \
      duration[density] / n, error(duration[density], duration2[density], n)
  }
}

function error(sum, squares, n,    variance) {
  if (n < 2) return 0
  variance = (squares - sum * sum / n) / (n - 1)
  return root(variance / n)
}
