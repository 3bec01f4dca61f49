import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openApiText } from "./openapi/document.ts";
import { requireNode } from "./require-node.ts";

/** Writes docs/openapi.json from the contract's schemas. A test checks that it is up to date. */
requireNode();
const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const { version } = JSON.parse(readFileSync(path("package.json"), "utf8")) as { version: string };
writeFileSync(path("docs/openapi.json"), openApiText(version));
