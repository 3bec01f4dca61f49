import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parseDocument } from "yaml";
import { openApiDocument, openApiText } from "../../../scripts/openapi/document.ts";
import { ROUTES } from "../../../scripts/openapi/routes.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

test("docs/openapi.json is up to date (if not: npm run openapi)", () => {
	expect(readFileSync("docs/openapi.json", "utf8")).toBe(openApiText(version));
});

test("the document describes exactly the routes that are deployed", () => {
	const { functions } = parseDocument(readFileSync("serverless.yml", "utf8"), { logLevel: "silent" }).toJS() as {
		functions: Record<string, { events: { httpApi?: string }[] }>;
	};
	const deployed = Object.values(functions).flatMap(({ events }) => events.flatMap(({ httpApi }) => httpApi ?? []));
	expect(ROUTES.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(deployed.sort());
});

test("every reference has its schema", () => {
	const document = openApiDocument(version);
	const text = JSON.stringify(document);
	const names = Object.keys((document["components"] as { schemas: object }).schemas);
	for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) expect(names).toContain(name);
});

test("what has a default may be left out of a request", () => {
	const { schemas } = openApiDocument(version)["components"] as { schemas: Record<string, { required: string[] }> };
	expect(schemas["Campaign"]?.required.sort()).toEqual(["name", "then"]);
	expect(schemas["Trunk"]?.required.sort()).toEqual(["maxChannels", "maxCps", "type"]);
});
