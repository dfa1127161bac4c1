# One forest fire on a square lattice.
#
#   awk -f src/fire.awk -v density=0.59 -v seed=1 data/raw/forest.txt
#
# Every site holds a tree with probability `density`. All trees of the first column catch fire at once; a burning tree
# sets fire to the trees among its four neighbours and is ash one step later. Prints a header and one line:
#
#   density,seed,trees,burned,share,reached,steps
#
# share    burned trees / trees
# reached  1 if the fire got to the last column
# steps    how long it burned, in steps
#
# Runs on mawk, gawk, busybox awk and the one true awk, and gives the same bytes on each.

/^[ \t]*(#|$)/ { next }
{ forest[$1] = $2 }

END {
  rows = whole("rows", forest["rows"])
  columns = whole("columns", forest["columns"])
  if (density !~ /^[0-9]*\.?[0-9]+$/ || density + 0 > 1) fail("density must be a number from 0 to 1, not \"" density "\"")
  sow(whole("seed", seed))

  trees = plant(density + 0)
  burned = burn()
  print "density,seed,trees,burned,share,reached,steps"
  printf "%s,%s,%d,%d,%.6f,%d,%d\n", density, seed, trees, burned, trees ? burned / trees : 0, reached, steps
}

# Fills site[] row by row, with an empty border around it so that no tree needs to ask whether it has a neighbour.
# A landscape of one seed only gains trees as the density rises: each site keeps its random number.
function plant(density,    width, row, column, at, count) {
  width = columns + 2
  for (at = 0; at < (rows + 2) * width; at++) site[at] = 0
  for (row = 1; row <= rows; row++) {
    at = row * width
    for (column = 1; column <= columns; column++) {
      at++
      if (uniform() < density) { site[at] = 1; count++ }
    }
  }
  return count + 0
}

# Burns generation by generation; front[from..to] are the trees on fire now. Sets `reached` and `steps`.
function burn(    width, row, from, to, end, at, count) {
  width = columns + 2
  steps = reached = count = 0
  for (row = 1; row <= rows; row++) count = ignite(row * width + 1, count)
  for (from = 0; from < count; from = to) {
    steps++
    to = count
    for (end = from; end < to; end++) {
      at = front[end]
      if (at % width == columns) reached = 1
      if (site[at + 1] == 1) count = ignite(at + 1, count)
      if (site[at - 1] == 1) count = ignite(at - 1, count)
      if (site[at + width] == 1) count = ignite(at + width, count)
      if (site[at - width] == 1) count = ignite(at - width, count)
    }
  }
  return count
}

function ignite(at, count) {
  if (site[at] != 1) return count
  site[at] = 2
  front[count] = at
  return count + 1
}

# Uniform on (0, 1): two multiplicative generators combined (L'Ecuyer, Communications of the ACM 31, 1988, p. 742).
# awk's own rand() differs from one awk to the next. Every product here stays below 2^53, so doubles hold it exactly.
function uniform(    z) {
  state1 = (state1 * 40014) % 2147483563
  state2 = (state2 * 40692) % 2147483399
  z = state1 - state2
  if (z < 1) z += 2147483562
  return z / 2147483563
}

# Spreads neighbouring seeds over both generators and drops their first numbers, which still resemble each other.
function sow(seed,    drop) {
  state1 = 1 + (seed * 1000003) % 2147483562
  state2 = 1 + (seed * 7368787) % 2147483398
  for (drop = 0; drop < 32; drop++) uniform()
}

function whole(name, text) {
  if (text !~ /^[0-9]+$/ || text + 0 > 100000000) fail(name " must be a whole number up to 100000000, not \"" text "\"")
  return text + 0
}

function fail(message) {
  print "fire.awk: " message > "/dev/stderr"
  exit 2
}
