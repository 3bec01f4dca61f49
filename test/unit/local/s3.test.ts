import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { decodeAwsChunked } from "../../../local/aws/s3/aws-chunked.ts";
import { checkPostPolicy } from "../../../local/aws/s3/post-policy.ts";

describe("aws-chunked bodies", () => {
	const decode = async (text: string, piece: number): Promise<string> => {
		const bytes = Buffer.from(text);
		async function* pieces() {
			for (let i = 0; i < bytes.length; i += piece) yield bytes.subarray(i, i + piece);
		}
		let out = "";
		for await (const part of decodeAwsChunked(pieces())) out += Buffer.from(part).toString();
		return out;
	};
	const BODY = "5\r\nhello\r\n6;chunk-signature=abc\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
	test.each([1, 2, 3, 7, 1_000])("are decoded in pieces of %i bytes", async (piece) => {
		expect(await decode(BODY, piece)).toBe("hello world");
	});
	test("that end early are refused", async () => {
		await expect(decode(BODY.slice(0, 12), 4)).rejects.toThrow("ended early");
	});
});

describe("forms", () => {
	const SECRET = "secret";
	const NOW = Date.parse("2026-11-23T00:00:00Z");
	const form = (conditions: unknown[], expiration = "2026-11-23T00:01:00Z") => {
		const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
		let key: Buffer | string = `AWS4${SECRET}`;
		for (const part of ["20261123", "us-east-1", "s3", "aws4_request"]) {
			key = createHmac("sha256", key).update(part).digest();
		}
		return {
			key: "lists/1",
			policy,
			"x-amz-credential": "id/20261123/us-east-1/s3/aws4_request",
			"x-amz-signature": createHmac("sha256", key).update(policy).digest("hex"),
		};
	};
	const check = (fields: Record<string, string>, bytes = 10) =>
		checkPostPolicy(fields, { bucket: "b", bytes, now: NOW, secret: SECRET });
	const CONDITIONS = [
		{ bucket: "b" },
		["eq", "$key", "lists/1"],
		["starts-with", "$key", "li"],
		["content-length-range", 5, 10],
	];

	test("that keep their policy are taken", () => {
		expect(() => check(form(CONDITIONS))).not.toThrow();
	});
	test.each([
		["too large", () => check(form(CONDITIONS), 11), "EntityTooLarge"],
		["too small", () => check(form(CONDITIONS), 4), "EntityTooSmall"],
		["for another key", () => check({ ...form(CONDITIONS), key: "other" }), "AccessDenied"],
		["expired", () => check(form(CONDITIONS, "2026-11-22T00:00:00Z")), "AccessDenied"],
		["without a policy", () => check({ key: "lists/1" }), "AccessDenied"],
		["with another policy", () => check({ ...form(CONDITIONS), policy: form([]).policy }), "SignatureDoesNotMatch"],
	])("%s are refused", (_, run, code) => {
		expect(run).toThrow(expect.objectContaining({ code }));
	});
});
