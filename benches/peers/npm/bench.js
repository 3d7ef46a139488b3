// scim2-parse-filter on the same filters and users; run by `cargo bench` of the folder above.
const { parse, filter } = require("scim2-parse-filter");
const { users, samples } = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));

// The best of 30 rounds of `n` calls, in nanoseconds a call, after as many to warm up.
function time(n, call) {
  let best = Infinity;
  for (let round = 0; round < 60; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < n; i++) call();
    const each = Number(process.hrtime.bigint() - start) / n;
    if (round >= 30) best = Math.min(best, each);
  }
  return best;
}

for (const { name, text, expected } of samples) {
  let found;
  try {
    const holds = filter(parse(text));
    found = users.filter(holds).length;
  } catch (error) {
    console.log(`scim2-parse-filter cannot do ${name}: ${error.message}`);
    continue;
  }
  const parsing = time(2000, () => parse(text));
  console.log(`parse/${name}/scim2-parse-filter   time: ${parsing.toFixed(1)} ns`);
  if (found !== expected) {
    console.log(`scim2-parse-filter finds ${found} users, not ${expected}, by ${name}`);
    continue;
  }
  const holds = filter(parse(text));
  const evaluating = time(1, () => users.filter(holds)) / 1e6;
  console.log(`10000 users/${name}/scim2-parse-filter   time: ${evaluating.toFixed(3)} ms`);
}
