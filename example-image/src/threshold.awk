# Reads the threshold off a summary.
#
#   awk -f src/root.awk -f src/threshold.awk summary.csv
#
#   measure,density,error
#
# mean      mean density at which a landscape first lets the fire through, with its standard error. A landscape only
#           gains trees as the density rises, so `reached` is the distribution of these densities over the seeds.
# half      where half of the fires reach the far edge, between the two nearest densities; no error given
# steepest  middle of the two densities between which the burned share rises fastest, and half their distance
# longest   density at which the fire burns longest, and the larger distance to its neighbours
#
# The densities must rise, and the fire must get from hardly ever to always through within them.

BEGIN { FS = "," }
FNR > 1 { n++; density[n] = $1; fires = $2; share[n] = $3; reached[n] = $5; steps[n] = $6 }

END {
  for (at = 2; at <= n; at++) if (density[at] + 0 <= density[at - 1] + 0) fail("the densities must rise")
  if (n < 2 || fires < 2 || reached[1] > 0 || reached[n] < 1) fail("the sweep must go from no fire to every fire getting through, with two seeds or more")

  slope = longest = 0
  for (at = 2; at <= n; at++) {
    middle = (density[at] + density[at - 1]) / 2
    gain = reached[at] - reached[at - 1]
    mean += gain * middle
    square += gain * middle * middle
    if ((share[at] - share[at - 1]) / (density[at] - density[at - 1]) > slope) {
      slope = (share[at] - share[at - 1]) / (density[at] - density[at - 1])
      steepest = at
    }
    if (steps[at] > steps[at - 1] && steps[at] > longest) { longest = steps[at]; top = at }
  }
  variance = square - mean * mean
  print "measure,density,error"
  printf "mean,%.4f,%.4f\n", mean, root(variance / (fires - 1))
  printf "half,%.4f,\n", half()
  printf "steepest,%.4f,%.4f\n", (density[steepest] + density[steepest - 1]) / 2, (density[steepest] - density[steepest - 1]) / 2
  printf "longest,%.4f,%.4f\n", density[top], gap(top)
}

# Where the curve lies at exactly 1/2 for a while, the middle of that stretch.
function half(    low, high) {
  for (low = n; reached[low] >= 0.5; low--);
  for (high = 1; reached[high] <= 0.5; high++);
  if (high - low > 1) return (density[low + 1] + density[high - 1]) / 2
  return density[low] + (0.5 - reached[low]) / (reached[high] - reached[low]) * (density[high] - density[low])
}

function gap(at,    below, above) {
  below = density[at] - density[at - 1]
  above = at < n ? density[at + 1] - density[at] : 0
  return below > above ? below : above
}

function fail(message) {
  print "threshold.awk: " message > "/dev/stderr"
  exit 1
}
