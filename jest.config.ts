const project = (displayName: string) => ({
  displayName,
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "es6" } }],
  },
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  modulePathIgnorePatterns: ["<rootDir>/.testbed/"],
});

export default {
  // `unit` needs nothing; `contract`, `e2e`, `long`, `long-qemu` and `puppet` run inside a lab; `lab` and `qemu` start labs of their own.
  projects: [
    project("unit"),
    project("contract"),
    project("e2e"),
    project("long"),
    project("long-qemu"),
    project("lab"),
    project("qemu"),
    project("puppet"),
  ],
  testTimeout: 120_000,
  reporters: [
    "default",
    [
      "jest-junit",
      {
        outputDirectory: "reports/junit",
        classNameTemplate: "{filepath}",
        titleTemplate: "{title}",
        reportTestSuiteErrors: "true",
        uniqueOutputName: "true",
      },
    ],
  ],
};
