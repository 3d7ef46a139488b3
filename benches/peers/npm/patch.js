// scim-patch on the same resources and operations; run by `cargo bench` of the folder above.
const { scimPatch } = require("scim-patch");
const cases = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
const { isDeepStrictEqual } = require("util");

// The best of 100 rounds, in nanoseconds a call, each call on a copy of its own, made before the clock starts.
function time(resource, call) {
  const round = (calls) => {
    const copies = Array.from({ length: calls }, () => structuredClone(resource));
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call(copies[i]);
    return Number(process.hrtime.bigint() - start) / calls;
  };
  round(10);
  const calls = Math.min(1000, Math.max(1, Math.floor(1e6 / round(1))));
  let best = Infinity;
  for (let i = 0; i < 100; i++) best = Math.min(best, round(calls));
  return best;
}

for (const { name, before, after, operations } of cases) {
  const patch = (resource) => scimPatch(resource, operations, { mutateDocument: true });
  let result;
  try {
    result = patch(structuredClone(before));
  } catch (error) {
    console.log(`${name}: scim-patch refuses: ${error.message}`);
    continue;
  }
  if (!isDeepStrictEqual(result, after)) {
    console.log(`${name}: scim-patch makes another resource of it`);
  } else {
    console.log(`${name}: scim-patch ${(time(before, patch) / 1e3).toFixed(2)} µs`);
  }
}
