// scim2-parse-filter on the same filters and users; run by `cargo bench` of the folder above.
const { parse, filter } = require("scim2-parse-filter");
const { users, samples } = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));

// The best of 200 rounds of about a millisecond, in nanoseconds a call, after half as many to warm up.
function time(call) {
  const round = (calls) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call();
    return Number(process.hrtime.bigint() - start) / calls;
  };
  for (let i = 0; i < 100; i++) round(10);
  const calls = Math.min(10000, Math.max(1, Math.floor(1e6 / round(10))));
  let best = Infinity;
  for (let i = 0; i < 300; i++) best = Math.min(best, round(calls));
  return best;
}

for (const { name, text, expected } of samples) {
  console.log(`${name}, scim2-parse-filter`);
  console.log(`  parse ${time(() => parse(text)).toFixed(0)} ns`);
  const holds = filter(parse(text));
  const found = users.filter(holds).length;
  if (found !== expected) {
    console.log(`  finds ${found} users, not ${expected}`);
  } else {
    console.log(`  10000 users ${(time(() => users.filter(holds)) / 1e6).toFixed(2)} ms`);
  }
}
