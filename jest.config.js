/** Suites by folder: unit, property, integration (emulated AWS), telephony (real Asterisk and SIPp). */
export default {
	testEnvironment: "node",
	rootDir: ".",
	testMatch: ["<rootDir>/test/**/*.test.ts"],
	extensionsToTreatAsEsm: [".ts"],
	transform: { "\\.ts$": "<rootDir>/test/support/esbuild-transformer.mjs" },
	transformIgnorePatterns: ["/node_modules/"],
	injectGlobals: false,
	restoreMocks: true,
	// A hanging test must end, a slow machine must not fail: tests that need longer say so.
	testTimeout: 30_000,
};
