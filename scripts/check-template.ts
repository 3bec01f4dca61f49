/** `npm run check:template`: the packaged CloudFormation against AWS's definitions and the project's own rules, offline. */
import { readFile } from "node:fs/promises";
import { requireNode } from "./require-node.ts";

requireNode();
const { checkAgainstSpec } = await import("./template/spec.ts");
const { checkRules } = await import("./template/rules.ts");
const { TEMPLATE_FILE } = await import("./template/package-service.ts");
const { showFindings } = await import("./template/types.ts");

const path = process.argv[2] ?? TEMPLATE_FILE;
const text = await readFile(path, "utf8").catch(() => undefined);
if (text === undefined) {
	process.stderr.write(`${path} is not there: run \`npm run package\` first.\n`);
	process.exit(1);
}
const template = JSON.parse(text);
const findings = [...(await checkAgainstSpec(template)), ...checkRules(template)];
if (findings.length > 0) {
	process.stderr.write(`${showFindings(findings)}\n`);
	process.exit(1);
}
process.stderr.write(`${path}: ${Object.keys(template.Resources).length} resources, nothing to object to\n`);
