import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";

interface Locked {
	version?: string;
	resolved?: string;
	integrity?: string;
	hasInstallScript?: boolean;
	optionalDependencies?: Record<string, string>;
}
const read = (file: string) => JSON.parse(readFileSync(join(process.cwd(), file), "utf8"));
const { packages } = read("package-lock.json") as { packages: Record<string, Locked> };
const { allowScripts } = read("package.json") as { allowScripts: Record<string, boolean> };
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

describe("package-lock.json", () => {
	test("has every package for other platforms too: else `npm ci` refuses it", () => {
		const locked = new Set(Object.keys(packages).map(nameOf));
		const missing = Object.entries(packages)
			.filter(([path]) => path !== "")
			.flatMap(([path, { optionalDependencies = {} }]) =>
				Object.keys(optionalDependencies)
					.filter((name) => !locked.has(name))
					.map((name) => `${nameOf(path)} → ${name}`),
			);
		expect(missing).toEqual([]);
	});

	test("has a hash for every package, and names no registry", () => {
		for (const [path, entry] of Object.entries(packages)) {
			if (path === "") continue;
			expect({ path, integrity: entry.integrity }).toEqual({ path, integrity: expect.stringMatching(/^sha512-/) });
			expect({ path, resolved: entry.resolved }).toEqual({ path, resolved: undefined });
		}
	});

	test("each package with an install script is named in package.json, and denied", () => {
		const scripted = Object.entries(packages)
			.filter(([, entry]) => entry.hasInstallScript)
			// Comes with npm packages for macOS only; its script builds nothing where it is not installed.
			.map(([path]) => nameOf(path))
			.filter((name) => name !== "fsevents");
		expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining([...new Set(scripted)]));
		expect(Object.values(allowScripts)).not.toContain(true);
	});
});
