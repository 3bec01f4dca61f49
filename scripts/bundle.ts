import { copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { type Zippable, zipSync } from "fflate";
import { type FunctionEntry, readFunctions } from "./service.ts";

/** CommonJS packages inside the bundle call `require`, which ES modules do not have. */
const REQUIRE_BANNER =
	'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** One date for all files, in local time as zip files have it: the same source gives the same bytes anywhere. */
const FIXED_DATE = new Date(1980, 0, 1);
/** Regular file, readable by all, as seen by Unix (3). */
const UNIX = 3;
const READABLE_FILE = 0o100644 * 0x10000;

export interface BundleReport {
	name: string;
	/** Bytes of the module and of the zip. */
	bytes: number;
	zippedBytes: number;
}

/** A zip whose bytes depend on its contents only. */
export const zipFiles = (files: Record<string, Uint8Array>): Uint8Array => {
	const entries: Zippable = {};
	for (const path of Object.keys(files).sort()) {
		entries[path] = [files[path] as Uint8Array, { level: 9, mtime: FIXED_DATE, os: UNIX, attrs: READABLE_FILE }];
	}
	return zipSync(entries);
};

/** One module with all that it needs, as a file that Node 24 runs. */
const bundleModule = (root: string, source: string, outfile: string) =>
	build({
		absWorkingDir: root,
		entryPoints: [source],
		outfile,
		bundle: true,
		platform: "node",
		target: "node24",
		format: "esm",
		mainFields: ["module", "main"],
		banner: { js: REQUIRE_BANNER },
		// Identifiers keep their names, so that a stack trace can be read; the map beside the module is not shipped.
		minifySyntax: true,
		minifyWhitespace: true,
		sourcemap: "external",
		legalComments: "eof",
		logLevel: "silent",
	});

/** What is copied to a host: the agent and its install script in one folder. */
export const bundleAgent = async (root: string, outRoot = root): Promise<string> => {
	const folder = join(outRoot, "dist/agent");
	await mkdir(folder, { recursive: true });
	await bundleModule(root, "host/agent/main.ts", join(folder, "agent.mjs"));
	await copyFile(join(root, "host/install.sh"), join(folder, "install.sh"));
	// What an image needs besides: Asterisk's base configuration, with the image's own folders.
	await cp(join(root, "host/asterisk/base"), join(folder, "asterisk"), { recursive: true });
	await copyFile(join(root, "host/image/asterisk.conf"), join(folder, "asterisk/asterisk.conf"));
	return folder;
};

const bundleOne = async (root: string, outRoot: string, fn: FunctionEntry): Promise<BundleReport> => {
	const folder = join(outRoot, fn.artifact.replace(/\.zip$/, ""));
	const outfile = join(folder, `${fn.module}.mjs`);
	await bundleModule(root, fn.source, outfile);
	const code = await readFile(outfile);
	const zip = zipFiles({ [`${fn.module}.mjs`]: code });
	await writeFile(join(outRoot, fn.artifact), zip);
	return { name: fn.name, bytes: code.byteLength, zippedBytes: zip.byteLength };
};

/**
 * Bundles every function that serverless.yml names.
 * @param root the project
 * @param outRoot where the artifacts' paths (`dist/…`) begin; the project itself for a deployment
 * @throws AggregateError with one error for each function that cannot be bundled
 */
export const bundleFunctions = async (root: string, outRoot = root): Promise<BundleReport[]> => {
	const functions = readFunctions(root);
	// What another version left would be mistaken for this one's.
	for (const folder of new Set(functions.map((fn) => dirname(join(outRoot, fn.artifact))))) {
		if (basename(folder) !== "dist") throw new Error(`artifacts belong into dist/, not into ${folder}`);
		await rm(folder, { recursive: true, force: true });
		await mkdir(folder, { recursive: true });
	}
	const results = await Promise.allSettled(functions.map((fn) => bundleOne(root, outRoot, fn)));
	const failures = results.flatMap((result, i) =>
		result.status === "rejected"
			? [new Error(`${functions[i]?.name}: ${(result.reason as Error).message}`, { cause: result.reason })]
			: [],
	);
	if (failures.length > 0) {
		throw new AggregateError(failures, `bundling failed:\n${failures.map((failure) => failure.message).join("\n")}`);
	}
	return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
};
