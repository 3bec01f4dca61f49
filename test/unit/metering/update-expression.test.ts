import { describe, expect, test } from "@jest/globals";
import { applyUpdate, CHANGED, touchedAttributes } from "../../../local/metering/update-expression.ts";

describe("what an UpdateExpression does to an item", () => {
	test("sets, removes and adds, with aliases and values", () => {
		const input = {
			UpdateExpression: "SET #state = :done, #h.#a = :entry, ver = ver + :one REMOVE lease, #due ADD n :one",
			ExpressionAttributeNames: { "#state": "state", "#due": "dueAt", "#h": "hist", "#a": "1" },
			ExpressionAttributeValues: { ":done": { S: "done" }, ":one": { N: "1" }, ":entry": { M: {} } },
		};
		const before = { ver: { N: "4" }, dueAt: { N: "5" }, lease: { S: "x" } };
		expect(applyUpdate(before, input)).toMatchObject({ state: { S: "done" }, ver: { N: "5" }, n: { N: "1" } });
		expect(applyUpdate(before, input)).not.toHaveProperty("dueAt");
		expect(applyUpdate(before, input)).not.toHaveProperty("lease");
		expect([...touchedAttributes(input)].sort()).toEqual(["dueAt", "hist", "lease", "n", "state", "ver"]);
	});

	test("keeps what if_not_exists finds, and splits at no comma within it", () => {
		const input = {
			UpdateExpression: "set dueAt = if_not_exists(dueAt, :t), x = if_not_exists ( y , :t ) - :t",
			ExpressionAttributeValues: { ":t": { N: "7" } },
		};
		expect(applyUpdate({ dueAt: { N: "3" } }, input)).toEqual({ dueAt: { N: "3" }, x: { N: "0" } });
		expect(applyUpdate({}, input)).toMatchObject({ dueAt: { N: "7" } });
	});

	test("takes no alias for a keyword", () => {
		const input = {
			UpdateExpression: "SET #set = :add, b.#remove = :add",
			ExpressionAttributeNames: { "#set": "s", "#remove": "r" },
			ExpressionAttributeValues: { ":add": { S: "v" } },
		};
		expect(applyUpdate({}, input)).toMatchObject({ s: { S: "v" } });
		expect([...touchedAttributes(input)]).toEqual(["s", "b"]);
	});

	test("calls a value that it cannot work out changed", () => {
		const input = {
			UpdateExpression: "SET l = list_append(l, :x), n = other DELETE tags :x",
			ExpressionAttributeValues: { ":x": { L: [] } },
		};
		expect(applyUpdate({ l: { L: [] } }, input)).toEqual({ l: CHANGED, n: CHANGED, tags: CHANGED });
	});
});
