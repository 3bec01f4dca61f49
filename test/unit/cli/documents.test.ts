import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { runCommand } from "../../support/cli-harness.ts";

const documents = [
	"README.md",
	"CHANGELOG.md",
	...readdirSync("docs", { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(".md"))
		.map((name) => join("docs", name)),
];

/** Runs of 4-space indented or inline code that begin with the command's name. */
const commandsIn = (text: string): string[] =>
	[
		...text.matchAll(
			/(?:npx )?burst-dialer ((?:campaign|call|trunk|host|fleet|token|suppression|opt-out|calling-policy|plan|prices)\b[^`\n#|)]*)/g,
		),
	].map(([, words]) => (words ?? "").trim());

describe.each(documents)("%s", (path) => {
	const text = readFileSync(path, "utf8");

	test("its links lead to files that are there", () => {
		for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
			if (/^[a-z]+:/.test(target ?? "")) continue;
			const file = normalize(join(dirname(path), target ?? ""));
			expect({ link: target, there: existsSync(file) }).toEqual({ link: target, there: true });
		}
	});

	test("the commands it shows exist, with their options", async () => {
		for (const words of commandsIn(text)) {
			const [group = "", name, ...rest] = words.split(/\s+/);
			if (name === undefined || name === "…") continue;
			const help = await runCommand([group, name, "--help"]);
			expect({ words, code: help.code }).toEqual({ words, code: 0 });
			const long = rest.flatMap((word) => /^--[a-z-]+/.exec(word) ?? []);
			for (const option of long) expect(help.out).toContain(option);
		}
	});
});
