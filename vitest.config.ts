import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["gateway/test/postgres-setup.ts"],
    include: [
      "gateway/**/*.test.ts",
      "contract/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    // Every recorded stream is parsed at every split: seconds each, a minute on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 90_000,
    // Two workers: the suites start real servers, and the smallest supported machine has two cores.
    maxWorkers: 2,
  },
});
