import { expect, test } from "@jest/globals";
import { enrolHost } from "../../../shared/hosts/enrol.ts";
import type { TokenItem } from "../../../shared/store/items.ts";
import { hashToken } from "../../../shared/tokens/tokens.ts";
import { TENANT, testDeps } from "../../support/control-plane.ts";
import { MemoryDynamo } from "../../support/memory-dynamo.ts";

const INPUT = { hostId: "h1", capacity: 10, region: "r" };

test("a write that is repeated because its answer was lost enrols the host, at first and again", async () => {
	const dynamo = new MemoryDynamo();
	const twice = dynamo.client({
		rewriteResult: (statement, result) =>
			(statement.name === "Put" || statement.name === "Update") && result.ok ? dynamo.perform(statement) : result,
	});
	const deps = testDeps(twice, () => 1);
	const usable = (token: string) =>
		dynamo.peek<TokenItem>("tokens", { tokenHash: hashToken(token) })?.revokedAt === undefined;

	const first = await enrolHost(deps, TENANT, INPUT, "request-1");
	expect(usable(first.token)).toBe(true);
	// Its answer was lost too: the same request again.
	const again = await enrolHost(deps, TENANT, INPUT, "request-1");
	expect(usable(again.token)).toBe(true);
	expect(usable(first.token)).toBe(false);
	await expect(enrolHost(deps, TENANT, INPUT, "request-2")).rejects.toMatchObject({ code: "hostExists" });
	expect(usable(again.token)).toBe(true);
});

test("of two requests at once one enrols the host, and the other's token is void", async () => {
	const dynamo = new MemoryDynamo();
	const plain = testDeps(dynamo.client(), () => 1);
	let winner: { token: string } | undefined;
	const slow = dynamo.client({
		before: async ({ name, input }) => {
			if (name === "Put" && input["TableName"] === "hosts") winner = await enrolHost(plain, TENANT, INPUT, "request-2");
		},
	});
	await expect(
		enrolHost(
			testDeps(slow, () => 1),
			TENANT,
			INPUT,
			"request-1",
		),
	).rejects.toMatchObject({ code: "hostExists" });
	const usable = dynamo.items<TokenItem>("tokens").filter((token) => token.revokedAt === undefined);
	expect(usable.map((token) => token.tokenHash)).toEqual([hashToken(winner?.token ?? "")]);
});
