import { describe, expect, test } from "@jest/globals";
import { toApiError } from "../../../functions/lambda/errors.ts";
import { queueFunction } from "../../../functions/lambda/queue.ts";
import { findRoute, route } from "../../../functions/lambda/router.ts";
import type { ApiDeps } from "../../../shared/contacts/ports.ts";
import { jsonLog } from "../../../shared/log.ts";

const ok = async () => ({ status: 200 });
const routes = [route("GET", "/v1/hosts", "operator", ok), route("POST", "/v1/hosts/{hostId}/drain", "operator", ok)];

describe("routes", () => {
	test("are found by method and path, with the path's values decoded", () => {
		expect(findRoute(routes, "GET", "/v1/hosts")).toMatchObject({ params: {} });
		expect(findRoute(routes, "POST", "/v1/hosts/a%20b/drain")).toMatchObject({ params: { hostId: "a b" } });
	});
	test.each([
		["POST", "/v1/hosts"],
		["GET", "/v1/hosts/"],
		["POST", "/v1/hosts//drain"],
		["POST", "/v1/hosts/a/b/drain"],
		["POST", `/v1/hosts/${"x".repeat(129)}/drain`],
	])("%s %s is none", (method, path) => expect(findRoute(routes, method, path)).toBeUndefined());
});

describe("failures", () => {
	const lines: string[] = [];
	const log = jsonLog((line) => lines.push(line));
	test.each([
		[Object.assign(new Error("slow down"), { name: "ThrottlingException" }), 503],
		[Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), 503],
		[Object.assign(new Error("again"), { $retryable: {} }), 503],
		[new TypeError("a fault of ours"), 500],
		["not even an error", 500],
	])("%s is %s and tells nothing of the inside", (error, status) => {
		const answer = toApiError(error, log, "r-1");
		expect(answer.status).toBe(status);
		expect(JSON.stringify(answer.toBody())).not.toMatch(/fault of ours|refused|ECONN/);
		expect(lines.at(-1)).toContain("r-1");
	});
});

test("a queue's handler reports the failed messages alone", async () => {
	const deps = { now: () => 0, log: jsonLog(() => {}) } as unknown as ApiDeps;
	const handle = queueFunction(
		"test",
		async (body) => {
			if ((body as { n: number }).n === 2) throw new Error("bad");
		},
		() => deps,
	);
	const record = (messageId: string, body: string) => ({ messageId, body, attributes: {} });
	const Records = [record("a", '{"n":1}'), record("b", '{"n":2}'), record("c", "no JSON"), record("d", '{"n":3}')];
	expect(await handle({ Records } as never)).toEqual({
		batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "c" }],
	});
});
