// Adds up jest's JSON results and prints the closing line; fails when a test or a stage failed or a result is missing.
import { existsSync, readFileSync } from "node:fs";

const [failedStages, ...files] = process.argv.slice(2);
let [passed, failed, skipped] = [0, 0, 0];
let missing = false;
for (const file of files) {
  if (!existsSync(file)) {
    console.error(`${file} is missing: its tests did not run`);
    missing = true;
    continue;
  }
  const result = JSON.parse(readFileSync(file, "utf8"));
  passed += result.numPassedTests;
  // A file that cannot be loaded has no test cases, but is a failure all the same.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  skipped += result.numPendingTests + result.numTodoTests;
}
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
if (failed || missing || failedStages !== "0") process.exit(1);
