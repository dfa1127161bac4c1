# epidemic.awk: the course of one epidemic, a line a day. Variables: rate (infections a day and infected), seed (a whole number from 1).
BEGIN {
  people = 1000; recovery = 0.2
  state = seed * 7919 % 2147483647
  for (i = 0; i < 10; i++) draw()

  infected = 10; susceptible = people - infected
  print "rate,seed,day,susceptible,infected,recovered"
  for (day = 0; ; day++) {
    print rate "," seed "," day "," susceptible "," infected "," people - susceptible - infected
    if (infected == 0) break
    ill = how_many(susceptible, rate * infected / people)
    well = how_many(infected, recovery)
    susceptible -= ill
    infected += ill - well
  }
}

# how_many: of so many people, each with this chance.
function how_many(of, chance,   n) {
  while (of-- > 0) if (draw() < chance) n++
  return n + 0
}

# draw: the next random number between 0 and 1.
function draw() {
  state = state * 16807 % 2147483647
  return state / 2147483647
}
