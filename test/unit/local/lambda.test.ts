import { describe, expect, test } from "@jest/globals";
import { httpAnswer, matchRoute } from "../../../local/lambda/http-event.ts";
import { handledOf } from "../../../local/lambda/poller.ts";

describe("routes", () => {
	const route = (method: string, path: string) => ({ method, path, functionName: `${method} ${path}` });
	const routes = [
		route("*", "*"),
		route("GET", "/a/{id}"),
		route("GET", "/a/b"),
		route("*", "/a/{id}"),
		route("GET", "/files/{path+}"),
	];
	test.each([
		["GET", "/a/b", "GET /a/b", {}],
		["GET", "/a/c%2Fd", "GET /a/{id}", { id: "c/d" }],
		["PUT", "/a/c", "* /a/{id}", { id: "c" }],
		["GET", "/files/x/y%20z", "GET /files/{path+}", { path: "x/y z" }],
		["GET", "/a/", "* *", {}],
		["GET", "/a/b/c", "* *", {}],
	])("%s %s goes to %s", (method, path, functionName, pathParameters) => {
		expect(matchRoute(routes, method, path)).toMatchObject({ route: { functionName }, pathParameters });
	});
});

describe("results", () => {
	test("headers are in lower case, base64 is decoded", () => {
		const answer = httpAnswer({ statusCode: 201, headers: { "X-Count": 3 }, body: "aGk=", isBase64Encoded: true });
		expect(answer).toMatchObject({ status: 201, headers: { "x-count": "3" } });
		expect(answer.body.toString()).toBe("hi");
	});
	test.each([
		["text", "text"],
		[{ a: 1 }, '{"a":1}'],
		[undefined, "null"],
	])("%j without a status is a body", (result, body) => {
		expect(httpAnswer(result).body.toString()).toBe(body);
	});
});

describe("partial batch responses", () => {
	const messages = ["a", "b", "c"].map((MessageId) => ({ MessageId }));
	const handled = (result: unknown, partial = true) => handledOf({ partial }, messages, result).map((m) => m.MessageId);
	test.each([
		["nothing", undefined, ["a", "b", "c"]],
		["null", null, ["a", "b", "c"]],
		["an empty list", { batchItemFailures: [] }, ["a", "b", "c"]],
		["a null list", { batchItemFailures: null }, ["a", "b", "c"]],
		["some", { batchItemFailures: [{ itemIdentifier: "b" }] }, ["a", "c"]],
		["one that is not in the batch", { batchItemFailures: [{ itemIdentifier: "z" }] }, []],
		["an empty identifier", { batchItemFailures: [{ itemIdentifier: "" }] }, []],
		["a null identifier", { batchItemFailures: [{ itemIdentifier: null }] }, []],
	])("with %s as Lambda does it", (_, result, wanted) => {
		expect(handled(result)).toEqual(wanted);
	});
	test("are not looked at where the mapping does not ask for them", () => {
		expect(handled({ batchItemFailures: [{ itemIdentifier: "b" }] }, false)).toEqual(["a", "b", "c"]);
	});
});
