import { describe, expect, test } from "@jest/globals";
import { unzipSync } from "fflate";
import { zipFiles } from "../../../scripts/bundle.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("artifacts", () => {
	test("the same files give the same bytes, in whatever order and at whatever time", () => {
		const a = zipFiles({ "b.mjs": bytes("b"), "functions/a/handler.mjs": bytes("a") });
		const b = zipFiles({ "functions/a/handler.mjs": bytes("a"), "b.mjs": bytes("b") });
		expect(Buffer.from(a).equals(Buffer.from(b))).toBe(true);
		expect(Object.keys(unzipSync(a))).toEqual(["b.mjs", "functions/a/handler.mjs"]);
	});

	test("a file is a regular one that all may read", () => {
		const zip = Buffer.from(zipFiles({ "a.mjs": bytes("a") }));
		const central = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
		const unixMode = zip.readUInt32LE(central + 38) >>> 16;
		expect(unixMode.toString(8)).toBe("100644");
	});
});
