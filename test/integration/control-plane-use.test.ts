import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { useBetween } from "../../local/metering/use.ts";
import { NOTHING, perSyncAndAttempt, times, unitsGrowing } from "../../local/runs/control-plane-units.ts";
import { type ApiClient, apiClient } from "../../local/stack/api-client.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import type { SyncResponse } from "../../shared/contract/host.ts";
import { CONTROL_PLANE_USE, type ControlPlaneUnits } from "../../shared/ledger/sync-units.ts";
import { usdOfUnits } from "../../shared/plan/control-plane.ts";
import { PriceBook } from "../../shared/prices/price-book.ts";

/**
 * What a sync, an attempt and an imported contact use, counted while the real functions are driven as nine hosts drive them: four calls to a sync, two thirds of them not
 * answered. The constants that costs are counted with hold within 10 %.
 */

const TIMEOUT_MS = 180_000;
const HOSTS = 9;
/** More than are stored before the answer: they go through the queue, in chunks. */
const CONTACTS = 1_200;
const CALLS_PER_SYNC = 4;
const WITHIN = 0.1;
/** A short list has more requests and lines for each contact than a long one: a cent in a million. */
const NEGLIGIBLE_USD_PER_MILLION = 0.01;
const book = new PriceBook("us-east-1");

let stack: Stack;
beforeAll(async () => {
	stack = await startStack({ port: 0, steady: 0, carrier: "none", meter: true });
}, TIMEOUT_MS);
afterAll(() => stack?.stop(), TIMEOUT_MS);

interface TestHost {
	hostId: string;
	client: ApiClient;
	epoch: number;
	seq: number;
	held: SyncResponse["calls"];
}

const enrol = async (hostId: string): Promise<TestHost> => {
	const enrolled = await stack.client.request<{ token: string }>("POST", "/v1/hosts", { hostId, capacity: 120 });
	const client = apiClient(stack.api, enrolled.body.token);
	const hello = await client.request<{ epoch: number }>("POST", `/v1/hosts/${hostId}/hello`, { nonce: "12345678" });
	expect(hello.status).toBe(200);
	return { hostId, client, epoch: hello.body.epoch, seq: 0, held: [] };
};

/** One sync as the agent sends it: what was granted by the last one has ended. @returns how many */
const syncOnce = async (host: TestHost): Promise<number> => {
	const now = Date.now();
	const at = (ms: number): string => new Date(now + ms).toISOString();
	const completed = host.held.map(({ callId }, i) =>
		i % 3 === 0
			? {
					...{ callId, outcome: "answered", cause: 16, sipCode: 200, startedAt: at(-42_000) },
					...{ ringingAt: at(-41_900), answeredAt: at(-30_000), endedAt: at(0) },
				}
			: {
					...{ callId, outcome: "noAnswer", cause: 19, sipCode: 480 },
					...{ startedAt: at(-25_000), ringingAt: at(-24_900), endedAt: at(0) },
				},
	);
	host.seq++;
	const { status, body } = await host.client.request<SyncResponse>("POST", `/v1/hosts/${host.hostId}/sync`, {
		...{ epoch: host.epoch, seq: host.seq, agent: "0123456789", state: "up", live: 0, low: host.seq },
		...{ want: CALLS_PER_SYNC, prefetch: CALLS_PER_SYNC, slots: { carrier: CALLS_PER_SYNC }, slotLeadMs: 20 },
		...{ completed, returned: [] },
	});
	expect(status).toBe(200);
	host.held = body.calls;
	return completed.length;
};

const expectWithin = (name: string, measured: ControlPlaneUnits, constant: ControlPlaneUnits): void => {
	const far = Object.entries(constant).flatMap(([unit, known]) => {
		const found = measured[unit as keyof ControlPlaneUnits];
		const off = Math.abs(found - known);
		const usdPerMillion = usdOfUnits(book, { ...NOTHING, [unit]: off })
			.times(1_000_000)
			.toNumber();
		return off <= WITHIN * known || usdPerMillion <= NEGLIGIBLE_USD_PER_MILLION
			? []
			: [`${unit}: ${found.toFixed(3)}, known as ${known}`];
	});
	process.stderr.write(`${name}: ${JSON.stringify(measured)}\n`);
	expect({ name, far }).toEqual({ name, far: [] });
};

test(
	"a sync, an attempt and a contact use what costs are counted with",
	async () => {
		const { client } = stack;
		const trunk = { type: "pjsip", host: "127.0.0.1", numbering: "private", maxChannels: 1_000, maxCps: 100 };
		expect((await client.request("PUT", "/v1/trunks/carrier", trunk)).status).toBeLessThan(300);
		const hosts: TestHost[] = [];
		for (let i = 1; i <= HOSTS; i++) hosts.push(await enrol(`steady-${i}`));
		const before = await stack.use();
		const { body: created } = await client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
			name: "use",
			trunk: "carrier",
			then: { wait: 1 },
			contacts: Array.from({ length: CONTACTS }, (_, i) => ({ number: String(10_000_000 + i) })),
		});
		const show = async () =>
			(
				await client.request<{ state: string; counts: { total: number; done: number } }>(
					"GET",
					`/v1/campaigns/${created.campaignId}`,
				)
			).body;
		while ((await show()).state === "importing") await new Promise((done) => setTimeout(done, 100));
		const imported = useBetween(before, await stack.use());
		expect((await show()).counts.total).toBe(CONTACTS);

		const start = await stack.use();
		let [syncs, attempts] = [0, 0];
		while (attempts < CONTACTS) {
			for (const host of hosts) attempts += await syncOnce(host);
			syncs += hosts.length;
		}
		const use = useBetween(start, await stack.use());
		expect(await show()).toMatchObject({ state: "completed", counts: { done: CONTACTS } });
		const { perSync, perAttempt } = perSyncAndAttempt(use, { syncs, attempts });
		expectWithin("a sync", perSync, CONTROL_PLANE_USE.perSync);
		expectWithin("an attempt", perAttempt, CONTROL_PLANE_USE.perAttempt);
		expectWithin("a contact", times(unitsGrowing(imported, "contacts"), 1 / CONTACTS), CONTROL_PLANE_USE.perContact);
	},
	TIMEOUT_MS,
);
