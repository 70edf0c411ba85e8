export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } }] },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/.testbed/"],
  reporters: [
    "default",
    [
      "jest-junit",
      { outputDirectory: "reports/junit", classNameTemplate: "{filepath}", titleTemplate: "{title}", reportTestSuiteErrors: "true" },
    ],
  ],
};
